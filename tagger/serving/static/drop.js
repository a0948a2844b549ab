// Files can be dropped anywhere on a page that has the form in which they are sent.
const form = document.getElementById("open");
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
  form.elements.files.files = event.dataTransfer.files;
  form.requestSubmit();
});
