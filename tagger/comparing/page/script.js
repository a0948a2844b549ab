"use strict";
// Filters of the passages. Without this script the page is whole and readable; it only hides things.
(() => {
  const bar = document.getElementById("bar");
  const pairs = [...document.querySelectorAll(".pair")];
  if (!bar || !pairs.length) return;
  const status = document.getElementById("status");
  const nothing = document.getElementById("nothing");
  const controls = document.getElementById("controls");
  const toggle = document.getElementById("toggle");
  const holders = [...document.querySelectorAll(".theme, .step")]
    .map((element) => ({ element, inside: [...element.querySelectorAll(".pair")] }))
    .filter((holder) => holder.inside.length);

  function filter() {
    const wanted = new FormData(bar);
    const themes = new Set(wanted.getAll("theme"));
    const change = wanted.get("change");
    const step = wanted.get("step");
    for (const pair of pairs) {
      pair.hidden =
        !themes.has(pair.dataset.theme) ||
        Boolean(change && !pair.dataset.change.split(" ").includes(change)) ||
        Boolean(step && pair.dataset.step !== step);
    }
    for (const { element, inside } of holders) element.hidden = inside.every((pair) => pair.hidden);
    const shown = pairs.filter((pair) => !pair.hidden).length;
    nothing.hidden = shown > 0;
    status.textContent = `${shown} of ${pairs.length} passages shown`;
  }
  const open = (opened) => {
    toggle.setAttribute("aria-expanded", String(opened));
    controls.hidden = !opened;
    document.documentElement.style.scrollPaddingTop = `${bar.offsetHeight + 24}px`;
  };

  bar.addEventListener("input", filter);
  bar.addEventListener("reset", () => requestAnimationFrame(filter)); // the form is reset only after its event
  bar.addEventListener("submit", (event) => event.preventDefault());
  toggle.addEventListener("click", () => open(controls.hidden));

  bar.hidden = false;
  open(matchMedia("(min-width: 48rem)").matches);
  filter();
})();
