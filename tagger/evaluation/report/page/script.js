"use strict";
// Filters of the errors. Without this script the page is whole and readable; it only hides things.
(() => {
  const bar = document.getElementById("bar");
  const status = document.getElementById("status");
  const nothing = document.getElementById("nothing");
  const controls = document.getElementById("controls");
  const toggle = document.getElementById("toggle");
  const errors = [...document.querySelectorAll(".error")];
  const holders = [...document.querySelectorAll(".group, .theme")]
    .map((element) => ({ element, inside: [...element.querySelectorAll(".error")] }))
    .filter((holder) => holder.inside.length);
  if (!errors.length) return;

  function filter() {
    const wanted = new FormData(bar);
    const themes = new Set(wanted.getAll("theme"));
    const chosen = [...bar.querySelectorAll("select")].filter((select) => select.value);
    for (const error of errors) {
      error.hidden = !themes.has(error.dataset.theme) || chosen.some((select) => error.dataset[select.name] !== select.value);
    }
    for (const { element, inside } of holders) element.hidden = inside.every((error) => error.hidden);
    const shown = errors.filter((error) => !error.hidden).length;
    nothing.hidden = shown > 0;
    status.textContent = `${shown} of ${errors.length} errors shown`;
  }
  const open = (opened) => {
    toggle.setAttribute("aria-expanded", String(opened));
    controls.hidden = !opened;
  };

  bar.addEventListener("input", filter);
  bar.addEventListener("reset", () => requestAnimationFrame(filter)); // the form is reset only after its event
  bar.addEventListener("submit", (event) => event.preventDefault());
  toggle.addEventListener("click", () => open(controls.hidden));

  bar.hidden = false;
  open(matchMedia("(min-width: 48rem)").matches);
  filter();
})();
