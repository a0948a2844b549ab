// Documents, the corpus, and training with its progress. What is trained takes over only on a click.
import { get, post, make, Refused } from "/static/asking.js";
import { keep, recall } from "/static/storage.js";

const $ = (id) => document.getElementById(id);
const EVERY = 700; // milliseconds between two looks at the progress
let kept = recall("tagger-kept"); // the run whose model was declined

function warn(text) {
  $("alarm").textContent = text;
  $("alarm").hidden = !text;
  if (text) $("alarm").scrollIntoView({ block: "nearest" });
}
async function trying(work) {
  warn("");
  try {
    await work();
  } catch (error) {
    warn(error.message);
  }
}

// Documents and the corpus

for (const row of document.querySelectorAll("[data-document]")) {
  const path = `/learn/documents/${row.dataset.document}`;
  row.querySelector("[name=role]").addEventListener("change", (event) =>
    trying(async () => {
      await post(`${path}/role`, { held_out: event.target.value === "measure" });
      location.reload();
    }));
  row.querySelector("[name=remove]").addEventListener("click", () =>
    trying(async () => {
      if (!confirm(`Remove ${row.dataset.name} from review? Its passages and every decision about them are deleted for good. Corpora exported and models trained before stay.`)) return;
      await post(`${path}/remove`);
      location.reload();
    }));
}
$("export").addEventListener("click", () =>
  trying(async () => {
    const { folder, passages } = await post("/learn/export");
    $("exported").textContent = `${passages} written to ${folder}`;
    $("zip").hidden = false;
  }));

// Training

$("retrain").addEventListener("submit", (event) => {
  event.preventDefault();
  trying(async () => {
    await post("/learn/runs", { corpora: new FormData($("retrain")).getAll("corpora") });
    await watch();
  });
});
$("stop").addEventListener("click", () => trying(() => post("/learn/runs/stop")));

const sleep = (time) => new Promise((done) => setTimeout(done, time));
async function watch() {
  for (let away = false; ; ) {
    try {
      const { run } = await get("/learn/runs/last");
      if (away) warn("");
      away = false;
      show(run);
      if (run?.state !== "running") return;
    } catch (error) {
      if (error instanceof Refused) throw error;
      away = true;
      warn(`${error.message} It is asked again.`); // the training goes on
    }
    await sleep(EVERY);
  }
}

function show(run) {
  const running = run?.state === "running";
  $("start").disabled = running;
  $("stop").hidden = $("done").hidden = !running;
  $("state").hidden = !run || run.state === "done";
  $("result").hidden = run?.state !== "done";
  if (!run) return;
  $("message").textContent = running ? `${run.message} …` : run.message;
  if (run.steps) {
    $("done").max = run.steps;
    $("done").value = run.done;
  } else {
    $("done").removeAttribute("value");
  }
  if (run.state === "done") showResult(run);
}

const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(3));
const signed = (value) => (value > 0 ? "+" : value < 0 ? "−" : "") + Math.abs(value).toFixed(3);
const difference = (found) => (found ? `${signed(found.value)} (${signed(found.low)} to ${signed(found.high)})` : "–");
function fill(row, values) {
  row.querySelectorAll("td").forEach((cell, i) => (cell.textContent = values[i]));
}

function showResult(run) {
  const { result } = run;
  $("verdict").textContent = result.verdict;
  const left = result.left_out ? ` ${result.left_out} were left out, as they nearly stand in a corpus that was learned from.` : "";
  $("measured").textContent = result.passages ? `Measured on ${result.passages} passages of ${result.documents} held-out documents, read in random order.${left}` : left;
  $("compared").hidden = !result.passages;
  for (const { theme, old, new: other, difference: by } of result.themes) {
    fill(document.querySelector(`#rows [data-theme="${CSS.escape(theme)}"]`), [
      old.support, number(old.f1), number(other.f1), difference(by),
      `${number(old.precision)} → ${number(other.precision)}`, `${number(old.recall)} → ${number(other.recall)}`,
    ]);
  }
  if (result.macro) fill($("macro"), ["", number(result.macro.old), number(result.macro.new), difference(result.macro.difference), "", ""]);
  const title = Object.fromEntries([...document.querySelectorAll("#rows tr")].map((row) => [row.dataset.theme, row.querySelector("th").textContent.trim()]));
  $("flipped").hidden = !result.flips.length;
  $("flipped").querySelector("summary").textContent = `${result.flips.filter((flip) => flip.mended).length} labels that the new model mends, ${result.flips.filter((flip) => !flip.mended).length} that it breaks`;
  $("flipped").querySelector("ul").replaceChildren(...result.flips.map((flip) =>
    make("li", {}, make("b", {}, `${flip.mended ? "Mended" : "Broken"}: ${title[flip.theme]}. `), make("bdi", {}, flip.text))));
  const decided = run.in_use || kept === run.name;
  $("use").parentElement.hidden = decided;
  $("use").value = run.name;
}

const adopt = (name) =>
  trying(async () => {
    await post("/learn/model", { name: name || null });
    location.reload();
  });
$("use").addEventListener("click", (event) => {
  const sure = $("verdict").textContent.startsWith("The new model is better") || confirm(`${$("verdict").textContent}\n\nUse it all the same?`);
  if (sure) adopt(event.currentTarget.value);
});
$("keep").addEventListener("click", () => {
  kept = $("use").value;
  keep("tagger-kept", kept);
  $("use").parentElement.hidden = true;
});
$("models").addEventListener("click", (event) => event.target.name === "adopt" && adopt(event.target.value));

trying(watch);
