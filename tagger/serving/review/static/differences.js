// Passages on which two annotators differ, side by side, and how they are settled.
import { post, make } from "/static/asking.js";

export function showDifferences(found, { titles, annotator, settled }) {
  const list = document.getElementById("differences");
  const named = (labels) => (labels.length ? labels.map((label) => titles[label] ?? label).join(", ") : "no theme");
  list.replaceChildren(...found.map((one) => {
    const item = document.getElementById("settle").content.cloneNode(true).firstElementChild;
    const [place, before, text, after] = item.querySelectorAll("p");
    place.textContent = [one.document, one.section].filter(Boolean).join(" · ");
    before.textContent = one.before.join(" ");
    text.append(make("bdi", {}, one.text));
    after.textContent = one.after.join(" ");
    item.querySelector(".passes").append(...one.passes.map((pass) => make("li", {}, make("b", {}, pass.annotator), `: ${named(pass.labels)}`)));
    const form = item.querySelector("form");
    const both = one.passes.map((pass) => new Set(pass.labels));
    for (const box of form.elements.labels.length ? form.elements.labels : [form.elements.labels]) box.checked = both.every((labels) => labels.has(box.value));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const labels = new FormData(form).getAll("labels");
      try {
        await post("/review/settlements", { passage: one.key, annotator, labels, reason: form.elements.reason.value });
        item.remove();
        settled();
      } catch (error) {
        form.append(make("p", { class: "failed", role: "alert" }, error.message));
      }
    });
    return item;
  }));
}
