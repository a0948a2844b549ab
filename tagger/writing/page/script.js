"use strict";
// Filters of the page. Without this script the page is whole and readable; it only hides things.
(() => {
  const bar = document.getElementById("bar");
  const status = document.getElementById("status");
  const nothing = document.getElementById("nothing");
  const controls = document.getElementById("controls");
  const toggle = document.getElementById("toggle");
  const output = bar.querySelector("output");

  const passages = [...document.querySelectorAll(".passage")].map((element) => ({
    element,
    style: element.className,
    section: element.closest("section").dataset.section,
    document: element.closest("article").id,
    badges: [...element.querySelectorAll("a.badge")].map((link) => ({
      link,
      theme: Number(link.dataset.theme),
      score: Number(link.dataset.score),
      style: link.className.match(/\bt\d+/)[0],
      given: !link.classList.contains("maybe"),
      review: link.classList.contains("review"),
    })),
    words: [...element.querySelectorAll("u")].map((word) => ({ word, theme: Number(word.dataset.theme) })),
  }));
  const holders = [...document.querySelectorAll("article p, article section, article")]
    .map((element) => ({ element, inside: [...element.querySelectorAll(".passage")] }))
    .filter((holder) => holder.inside.length);
  let stops = [];

  const hide = (element, hidden) => {
    if (element.hidden !== hidden) element.hidden = hidden;
  };

  function filter() {
    const wanted = new FormData(bar);
    const themes = new Set(wanted.getAll("theme").map(Number));
    const least = Number(wanted.get("score"));
    const show = wanted.get("show");
    const counts = { shown: 0, marked: 0, review: 0 };
    output.value = least.toFixed(2);
    stops = [];
    for (const passage of passages) {
      const badges = passage.badges.filter((badge) => themes.has(badge.theme) && badge.score >= least);
      const given = badges.filter((badge) => badge.given).sort((a, b) => b.score - a.score);
      const review = badges.some((badge) => badge.review);
      const here = new Set(badges.map((badge) => badge.theme));
      for (const badge of passage.badges) hide(badge.link, !badges.includes(badge));
      for (const { word, theme } of passage.words) word.classList.toggle("off", !here.has(theme));
      const style = given.length ? `passage marked ${given[0].style}` : "passage";
      if (passage.element.className !== style) passage.element.className = style;
      const place =
        (!wanted.get("section") || wanted.get("section") === passage.section) &&
        (!wanted.get("document") || wanted.get("document") === passage.document);
      const shown = place && (show === "all" || (show === "marked" ? badges.length > 0 : review));
      hide(passage.element, !shown);
      if (!shown) continue;
      counts.shown += 1;
      counts.marked += given.length > 0;
      counts.review += review;
      if (badges.length) stops.push(badges[0].link);
    }
    for (const { element, inside } of holders) hide(element, inside.every((passage) => passage.hidden));
    hide(nothing, counts.shown > 0);
    status.textContent = `${counts.shown} of ${passages.length} passages shown, ${counts.marked} with a theme, ${counts.review} to review`;
  }

  // The next or previous marked passage, seen from the one in focus or else from the top of the window.
  function step(forward) {
    const focused = stops.indexOf(document.activeElement.closest(".passage")?.querySelector("a.badge:not([hidden])"));
    const top = bar.getBoundingClientRect().bottom;
    const below = stops.findIndex((link) => link.getBoundingClientRect().top > top);
    const from = below < 0 ? stops.length : below;
    const next = focused >= 0 ? focused + (forward ? 1 : -1) : forward ? from : from - 1;
    const link = stops[Math.min(Math.max(next, 0), stops.length - 1)];
    if (!link) return;
    link.closest(".passage").scrollIntoView({ block: "center" });
    link.focus({ preventScroll: true });
  }

  let waiting = false;
  const later = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      filter();
    });
  };
  const open = (opened) => {
    toggle.setAttribute("aria-expanded", String(opened));
    hide(controls, !opened);
    document.documentElement.style.scrollPaddingTop = `${bar.offsetHeight + 24}px`;
  };

  bar.addEventListener("input", later);
  bar.addEventListener("reset", later);
  bar.addEventListener("submit", (event) => event.preventDefault());
  toggle.addEventListener("click", () => open(controls.hidden));
  document.getElementById("next").addEventListener("click", () => step(true));
  document.getElementById("previous").addEventListener("click", () => step(false));
  // A tooltip must go away without moving the focus elsewhere first.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement.matches("a.badge")) document.activeElement.blur();
  });

  bar.hidden = false;
  open(matchMedia("(min-width: 48rem)").matches);
  filter();
})();
