// The desk: one passage after the other, decided by keys. What was decided goes to the outbox at once; the next passage is there already.
import { get, post, make, token, Refused } from "/static/asking.js";
import { Outbox } from "/static/outbox.js";
import { showProgress } from "/static/progress.js";
import { showDifferences } from "/static/differences.js";
import { keep, recall } from "/static/storage.js";

const $ = (id) => document.getElementById(id);
const card = $("card");
const chips = [...card.querySelectorAll(".theme")];
const titles = Object.fromEntries(chips.map((chip) => [chip.dataset.theme, chip.querySelector(".name").textContent]));
const styles = Object.fromEntries(chips.map((chip) => [chip.dataset.theme, [...chip.classList].find((name) => /^t\d$/.test(name))]));
const who = $("who").elements.annotator;
const orders = $("orders").elements.queue;
const AHEAD = 20;

let annotator = "";
let tasks = []; // the passage on the desk, then those that follow
let coming = null; // the request for more
let left = 0; // how many passages of this order the annotator has not decided
let asked = 0; // rises with every change of order, so that a late answer is dropped

const named = (labels) => (labels.length ? labels.map((label) => titles[label] ?? label).join(", ") : "no theme");
const say = (text) => ($("said").textContent = text);
const alarms = {}; // by kind: the end of one trouble does not hide another
function warn(text, kind = "asked") {
  alarms[kind] = text;
  $("alarm").textContent = Object.values(alarms).filter(Boolean).join(" ");
  $("alarm").hidden = !$("alarm").textContent;
}

const outbox = new Outbox({
  kept(decision, answer) {
    if (decision.annotator !== annotator) return;
    const model = decision.labels && decision.queue === "random" ? ` The model: ${named(answer.suggested)}.` : "";
    say(decision.labels ? `Saved: ${named(decision.labels)}.${model}` : "Skipped.");
    refreshSoon();
  },
  refused(decision, message) {
    const again = `Not kept (${decision.labels ? named(decision.labels) : "skipped"}): ${message}`;
    if (!alarms.lost?.includes(again)) warn([alarms.lost, again].filter(Boolean).join(" "), "lost");
    refreshSoon();
  },
  waiting(count, trouble, loose) {
    const until = loose ? "in this page, as the browser's storage takes no more: leave it open until they are saved." : "in this browser and will be saved as soon as that is over; go on or close the page as you like.";
    const wait = `${count === 1 ? "One decision waits" : `${count} decisions wait`} ${until}`;
    if (trouble) warn(`${trouble} ${wait}`, "waiting");
    else if (!count) warn("", "waiting");
    card.classList.toggle("unsaved", count > 0);
  },
});

// The passage on the desk

function runs(line) {
  const characters = [...line.text]; // offsets count characters, not the units of this language
  const spans = Object.entries(line.evidence).flatMap(([theme, found]) => found.map((span) => ({ ...span, theme })));
  const cuts = [...new Set([0, characters.length, ...spans.flatMap((span) => [span.start, span.end])])].sort((a, b) => a - b);
  return cuts.slice(1).map((end, i) => {
    const inside = [...new Set(spans.filter((span) => span.start <= cuts[i] && end <= span.end).map((span) => span.theme))];
    const text = document.createTextNode(characters.slice(cuts[i], end).join(""));
    return inside.reduceRight((content, theme, depth) => make("u", { class: styles[theme] + (depth ? ` d${depth}` : "") }, content), text);
  });
}

function show() {
  const task = tasks[0];
  $("hello").hidden = $("who").hidden = Boolean(annotator);
  $("me").hidden = $("far").hidden = !annotator;
  $("me").querySelector("b").textContent = annotator;
  card.hidden = !task;
  if ($("cases")) $("cases").hidden = !task;
  $("none").hidden = Boolean(task) || !annotator || coming !== null;
  if (!task) return;
  const { line } = task;
  $("place").textContent = [task.document, line.section, line.page && `page ${line.page}`].filter(Boolean).join(" · ");
  $("before").textContent = task.before.join(" ");
  $("after").textContent = task.after.join(" ");
  $("text").replaceChildren(make("bdi", {}, ...runs(line)));
  $("blind").hidden = !task.blind;
  const marked = task.mine ?? line.labels;
  for (const chip of chips) {
    const theme = chip.dataset.theme;
    const score = line.scores[theme];
    chip.setAttribute("aria-pressed", marked.includes(theme));
    chip.querySelector(".score").textContent = score === undefined ? "" : score.toFixed(2) + (line.review.includes(theme) ? " ?" : "");
  }
  if ($("examples")) task.examples.forEach((number) => $("examples").append($("examples").querySelector(`[data-example="${number}"]`)));
  tally();
}

let wanted = false; // whether the passage shall have the keys once it is there
function focus() {
  wanted = card.hidden;
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

const pressed = () => chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.theme);
function toggle(chip) {
  chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") !== "true");
  if (!matchMedia("(min-width: 60.01rem)").matches) return; // there the codebook stands below
  for (const details of document.querySelectorAll(".book .entry details")) details.open = details.closest(".entry").dataset.theme === chip.dataset.theme;
}

// Orders

async function more() {
  const order = asked;
  const [queue, theme] = orders.value.split(":");
  const values = { annotator, queue, count: AHEAD, ...(theme && { theme }) };
  const found = await get("/review/tasks", values);
  if (order !== asked) return;
  const gone = new Set([...tasks.map((task) => task.key), ...outbox.list.filter((one) => one.annotator === annotator).map((one) => one.passage)]);
  tasks.push(...found.tasks.filter((task) => !gone.has(task.key)));
  left = found.left;
}

function refill() {
  if (coming || tasks.length > AHEAD / 2) return;
  // Only when the server has what was decided does it know what comes next.
  const mine = (coming = outbox
    .flush()
    .then(more)
    .catch((error) => warn(error.message))
    .finally(() => {
      if (coming !== mine) return;
      coming = null;
      show();
      if (wanted) focus();
    }));
}

function begin() {
  asked += 1;
  tasks = [];
  coming = null;
  $("why").textContent = {
    random: "You have decided every passage that is in review.",
    candidates: "You have decided every passage that was found for this theme.",
    suspects: "None of your decisions stands against what the model is sure of.",
  }[orders.value.split(":")[0]] ?? "You have decided every passage that models may be trained on. Those of held-out documents are reviewed in random order only.";
  show();
  if (annotator) refill();
}

// Deciding

function decide(labels) {
  const task = tasks[0];
  if (!task) return;
  outbox.add({ passage: task.key, annotator, labels, queue: task.queue, asked: Object.keys(titles) });
  tasks.shift();
  left = Math.max(left - 1, 0);
  undoing = null;
  warn("");
  show();
  refill();
  focus();
}

let undoing = null; // names what is being taken back, until the server has answered
async function undo() {
  await Promise.race([outbox.flush(), new Promise((done) => setTimeout(done, 1500))]);
  if (outbox.list.length) return warn("Your last decisions are not saved yet, and can be taken back when they are.");
  try {
    undoing ??= token();
    const { task } = await post("/review/undo", { annotator, token: undoing });
    undoing = null;
    if (!task) return say("There is nothing to take back.");
    bring(task);
    say("Taken back: decide it anew.");
    refreshSoon();
  } catch (error) {
    if (error instanceof Refused) undoing = null;
    warn(error.message);
  }
}

function bring(task) {
  tasks = [task, ...tasks.filter((other) => other.key !== task.key)];
  show();
  focus();
}

// Progress, and what was decided

let refreshing = null;
function refreshSoon() {
  refreshing ??= setTimeout(() => {
    refreshing = null;
    refresh();
  }, 400);
}

let done = { decided: 0, passages: 0 };
function tally() {
  $("tally").textContent = done.passages ? `${done.decided} of ${done.passages} decided by you${tasks.length ? `, ${left} left in this order` : ""}` : "";
  $("bar").max = Math.max(done.passages, 1);
  $("bar").value = done.decided;
}

// Each call of what it returns makes the answers to those before it stale: they may be another annotator's, or of other words.
function sequence() {
  let last = 0;
  return () => {
    const number = ++last;
    const name = annotator;
    return () => number === last && name === annotator;
  };
}

const refreshes = sequence();
async function refresh() {
  if (!annotator) return;
  const current = refreshes();
  try {
    const progress = await get("/review/progress", { annotator });
    if (!current()) return;
    done = { decided: progress.mine.decided, passages: progress.passages };
    tally();
    showProgress(progress);
    await list();
  } catch (error) {
    warn(error.message);
  }
}

let shown = 0;
const lists = sequence();
async function list(start = 0) {
  const find = $("search").elements.find.value;
  const current = lists();
  const { decided, found } = await get("/review/decided", { annotator, find, start });
  if (!current()) return;
  const rows = decided.map((one) =>
    make("li", {},
      make("button", { type: "button", class: "again", "data-key": one.key },
        make("bdi", {}, one.text)),
      make("span", { class: `verdict${one.changed ? " changed" : ""}` },
        one.labels ? named(one.labels) : "skipped",
        one.changed ? make("span", { class: "dim" }, ` · the model: ${named(one.suggested)}`) : ""),
      make("span", { class: "dim" }, ` · ${[one.section, new Date(one.at).toLocaleString()].filter(Boolean).join(" · ")}`)));
  if (start) $("list").append(...rows);
  else $("list").replaceChildren(...rows);
  shown = start + decided.length;
  $("found").textContent = find ? `${found} found` : `${found} decided or skipped`;
  $("more").hidden = shown >= found;
  $("decided").hidden = false;
}

// Events

card.addEventListener("click", (event) => {
  const chip = event.target.closest(".theme");
  if (chip) toggle(chip);
  // After a click, Enter shall accept and not click again; who goes by Tab keeps his place.
  if (event.detail) focus();
});
$("accept").addEventListener("click", () => decide(pressed()));
$("skip").addEventListener("click", () => decide(null));
$("undo").addEventListener("click", undo);
$("list").addEventListener("click", async (event) => {
  const again = event.target.closest(".again");
  if (!again) return;
  try {
    await outbox.flush();
    bring(await get(`/review/passages/${again.dataset.key}`, { annotator }));
    say("Decided before: change it and accept.");
  } catch (error) {
    warn(error.message);
  }
});
$("more").addEventListener("click", () => list(shown).catch((error) => warn(error.message)));
$("search").addEventListener("submit", (event) => event.preventDefault());
$("search").addEventListener("input", () => list().catch((error) => warn(error.message)));
$("orders").addEventListener("change", () => {
  keep("tagger-order", orders.value);
  orders.blur();
  begin();
  focus();
});
$("who").addEventListener("submit", (event) => {
  event.preventDefault();
  annotator = who.value.replace(/\s+/g, " ").trim();
  keep("tagger-annotator", annotator);
  warn("");
  warn("", "lost");
  who.blur();
  begin();
  refresh();
  focus();
});
$("all")?.addEventListener("click", (event) => {
  const every = $("examples").classList.toggle("every");
  event.target.setAttribute("aria-expanded", every);
});
$("change").addEventListener("click", () => {
  annotator = "";
  warn("", "lost");
  begin();
  for (const id of ["agreement", "decided"]) $(id).hidden = true;
  $("differences").replaceChildren();
  say("");
  who.select();
});
$("compare").addEventListener("click", async () => {
  try {
    const { differences } = await post("/review/differences", { annotator });
    showDifferences(differences, { titles, annotator, settled: refresh });
  } catch (error) {
    warn(error.message);
  }
});
$("keyed").addEventListener("change", (event) => keep("tagger-keys", event.target.checked ? "on" : "off"));

const keys = { enter: () => decide(pressed()), a: () => decide(pressed()), " ": () => decide(null), s: () => decide(null), u: undo, backspace: undo };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, select, textarea, [contenteditable]")) return;
  if (["Enter", " "].includes(event.key) && event.target.closest("button, a, summary, .scroll")) return;
  if (event.key.length === 1 && !$("keyed").checked) return;
  if (event.key === "/") {
    event.preventDefault();
    $("search").elements.find.focus();
    return;
  }
  if (card.hidden && !["u", "backspace"].includes(event.key.toLowerCase())) return;
  if (event.key === "0") chips.forEach((chip) => chip.setAttribute("aria-pressed", false));
  else if (/^[1-9]$/.test(event.key)) chips[event.key - 1] && toggle(chips[event.key - 1]);
  else if (keys[event.key.toLowerCase()]) event.repeat || keys[event.key.toLowerCase()]();
  else return;
  event.preventDefault();
});

$("keyed").checked = recall("tagger-keys") !== "off";
const order = recall("tagger-order");
if ([...orders.options].some((option) => option.value === order)) orders.value = order;
annotator = who.value = recall("tagger-annotator") ?? "";
outbox.flush();
begin();
refresh();
if (annotator) focus();
else who.focus();
