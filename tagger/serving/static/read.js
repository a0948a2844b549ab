// Keys of the reading page, and where in the document one is. What they do, the filters of page.js can do too.
import { keep, recall } from "/static/storage.js";

const bar = document.getElementById("bar");
const help = document.getElementById("help");
const lettered = document.getElementById("keyed"); // who dictates, or shakes, turns single keys off, here and in review
const links = [...document.querySelectorAll(".side a")];
const sections = [...document.querySelectorAll("article section")];

const change = (control, value) => {
  if (control.type === "checkbox") control.checked = value;
  else control.value = value;
  control.dispatchEvent(new Event("input", { bubbles: true }));
};
const theme = (number) => {
  const box = bar.querySelectorAll("[name=theme]")[number - 1];
  if (box) change(box, !box.checked);
};
const show = (what) => change(bar.elements.show, bar.elements.show.value === what ? "all" : what);
const score = (step) => change(bar.elements.score, Number(bar.elements.score.value) + step);

// The last section that begins above a line of the window.
const above = (line) => sections.findLast((section) => !section.hidden && section.getBoundingClientRect().top <= line);
function step(by) {
  const shown = sections.filter((section) => !section.hidden);
  const here = shown.indexOf(above(bar.getBoundingClientRect().bottom + 40));
  shown[Math.min(Math.max(here + by, 0), shown.length - 1)]?.scrollIntoView();
}
function mark() {
  const here = above(innerHeight / 2)?.id;
  for (const link of links) {
    if (decodeURIComponent(link.hash.slice(1)) === here) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

const keys = {
  j: () => document.getElementById("next").click(),
  k: () => document.getElementById("previous").click(),
  "]": () => step(1),
  "[": () => step(-1),
  m: () => show("marked"),
  r: () => show("review"),
  "+": () => score(0.05),
  "-": () => score(-0.05),
  0: () => bar.reset(),
  d: () => document.querySelector(".downloads a").focus(),
  "?": () => help.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open || event.target.matches("select, textarea, input:not([type=checkbox], [type=range])")) return;
  if (!lettered.checked) return;
  const act = /^[1-9]$/.test(event.key) ? () => theme(Number(event.key)) : keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
lettered.checked = recall("tagger-keys") !== "off";
lettered.addEventListener("change", () => keep("tagger-keys", lettered.checked ? "on" : "off"));
document.getElementById("keys").addEventListener("click", () => help.showModal());

let waiting = false;
addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    mark();
  });
}, { passive: true });
mark();
