// Drop files anywhere on the page; without this script they can be chosen in the form.
const form = document.getElementById("open");
const files = form.elements.files;
const text = form.elements.text;
const busy = document.getElementById("busy");

function send() {
  const names = [...files.files].map((file) => file.name);
  busy.textContent = `Reading ${names.length ? names.join(", ") : "the text"} …`;
  form.querySelector("button.main").disabled = true;
}

const withFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
let inside = 0;
const over = (change) => {
  inside = Math.max(0, inside + change);
  document.body.classList.toggle("over", inside > 0);
};

document.addEventListener("dragenter", (event) => withFiles(event) && over(1));
document.addEventListener("dragleave", (event) => withFiles(event) && over(-1));
document.addEventListener("dragover", (event) => withFiles(event) && event.preventDefault());
document.addEventListener("drop", (event) => {
  if (!withFiles(event)) return;
  event.preventDefault();
  over(-inside);
  files.files = event.dataTransfer.files;
  form.requestSubmit();
});
files.addEventListener("change", () => files.files.length && form.requestSubmit());
form.addEventListener("submit", send);
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
// Back from a document, the browser may show this page as it was left.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  form.reset();
  busy.textContent = "";
  form.querySelector("button.main").disabled = false;
});
