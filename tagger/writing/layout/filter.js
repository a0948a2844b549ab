"use strict";
// Filters the items of a page by theme, and by each list of the bar, whose name is that of the items' data: a value, or several, a line each.
// Without this script the page is whole and readable; it only hides things.
(() => {
  const bar = document.getElementById("bar");
  const items = [...document.querySelectorAll(".item")];
  if (!bar || !items.length) return;
  const status = document.getElementById("status");
  const nothing = document.getElementById("nothing");
  const controls = document.getElementById("controls");
  const toggle = document.getElementById("toggle");
  const holders = [...document.querySelectorAll(".holder")]
    .map((element) => ({ element, inside: [...element.querySelectorAll(".item")] }))
    .filter((holder) => holder.inside.length);

  function filter() {
    const themes = new Set(new FormData(bar).getAll("theme"));
    const chosen = [...bar.querySelectorAll("select")].filter((select) => select.value);
    const has = (item, { name, value }) => (item.dataset[name] ?? "").split("\n").includes(value);
    for (const item of items) item.hidden = !themes.has(item.dataset.theme) || !chosen.every((select) => has(item, select));
    for (const { element, inside } of holders) element.hidden = inside.every((item) => item.hidden);
    const shown = items.filter((item) => !item.hidden).length;
    nothing.hidden = shown > 0;
    status.textContent = `${shown} of ${items.length} ${bar.dataset.noun} shown`;
  }
  const open = (opened) => {
    toggle.setAttribute("aria-expanded", String(opened));
    controls.hidden = !opened;
    if (getComputedStyle(bar).position === "sticky") document.documentElement.style.scrollPaddingTop = `${bar.offsetHeight + 24}px`;
  };

  bar.addEventListener("input", filter);
  bar.addEventListener("reset", () => requestAnimationFrame(filter)); // the form is reset only after its event
  bar.addEventListener("submit", (event) => event.preventDefault());
  toggle.addEventListener("click", () => open(controls.hidden));

  bar.hidden = false;
  open(matchMedia("(min-width: 48rem)").matches);
  filter();
})();
