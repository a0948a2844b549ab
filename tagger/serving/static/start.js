// Send files as soon as they are chosen, and say that they are read; without this script there is the button.
const form = document.getElementById("open");
const { files, text } = form.elements;
const button = form.querySelector("button.main");
const busy = document.getElementById("busy");

files.addEventListener("change", () => files.files.length && form.requestSubmit());
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
form.addEventListener("submit", () => {
  const names = [...files.files].map((file) => file.name);
  busy.textContent = `Reading ${names.length ? names.join(", ") : "the text"} …`;
  button.disabled = true;
});
// Back from a document, the browser may show this page as it was left.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  form.reset();
  busy.textContent = "";
  button.disabled = false;
});
