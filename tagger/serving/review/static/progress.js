// What the decisions tell: the model's precision and recall with their intervals, and how far two annotators agree.
import { make } from "/static/asking.js";

const $ = (id) => document.getElementById(id);
const percent = (share) => share.toFixed(2);

// An interval as a line with a dot, from 0 to 1.
function interval(figure) {
  if (!figure) return [make("span", { class: "dim" }, "not known yet")];
  const x = (share) => 4 + 92 * share;
  const picture = make("svg", { viewBox: "0 0 100 12", class: "interval", "aria-hidden": "true" },
    make("line", { x1: x(0), x2: x(1), y1: 6, y2: 6, class: "axis" }),
    make("line", { x1: x(figure.low), x2: x(figure.high), y1: 6, y2: 6, class: "range" }),
    make("circle", { cx: x(figure.value), cy: 6, r: 3.2 }));
  const said = figure.low === figure.high ? "exact" : `${percent(figure.low)} to ${percent(figure.high)}`;
  return [picture, make("b", {}, percent(figure.value)), " ", make("span", { class: "dim" }, `${said}, of ${figure.passages}`)];
}

function showEstimates(found) {
  $("measured").hidden = false;
  $("headline").textContent = found.headline;
  $("headline").classList.toggle("enough", found.enough);
  $("left").textContent = found.left;
  for (const theme of found.themes) {
    const [precision, recall] = document.querySelectorAll(`#estimates [data-theme="${CSS.escape(theme.theme)}"] td`);
    precision.replaceChildren(...interval(theme.precision));
    recall.replaceChildren(...interval(theme.recall));
  }
  const left = found.left_out ? ` ${found.left_out} skipped or not settled are left out.` : "";
  const seen = found.seen ? ` ${found.seen} of them were decided with the model's labels in view or after that, which may flatter it.` : "";
  $("basis").textContent = found.sampled ? `From ${found.sampled} of ${found.population} passages, read in random order.${seen}${left} ${found.notes}` : found.notes;
}

function showAgreement(found, annotators) {
  $("agreement").hidden = false;
  const decided = annotators.map((one) => `${one.name} ${one.decided}`).join(", ");
  $("agreed").textContent = found.passages
    ? `${found.passages} passages were decided by two, ${found.hidden} of them with the model's labels hidden from both on this page. What each decided at first counts${found.changed ? `, also of the ${found.changed} where one changed his mind since and now agrees` : ""}. Decided: ${decided}.`
    : `No passage was decided by two annotators yet${decided ? ` (decided: ${decided})` : ""}. A second one takes another name, here or on another machine, and reviews in the same order.`;
  $("agreed-table").hidden = !found.themes.length;
  for (const one of found.themes) {
    const cells = document.querySelectorAll(`#alphas [data-theme="${CSS.escape(one.theme)}"] td`);
    const values = [one.alpha === null ? "–" : one.alpha.toFixed(2), `${Math.round(100 * one.agreement)} %`, one.first, one.second, one.both];
    cells.forEach((cell, i) => (cell.textContent = values[i]));
  }
  $("compare").hidden = $("compare-hint").hidden = !found.open;
  $("compare").textContent = found.open === 1 ? "Show the passage on which they differ" : `Show the ${found.open} passages on which they differ`;
}

export function showProgress(progress) {
  showEstimates(progress.estimates);
  showAgreement(progress.agreement, progress.annotators);
}
