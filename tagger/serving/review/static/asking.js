// Asking the server. Refused is what it looked at and declined, with its reason; what else is thrown may go well another time.
export class Refused extends Error {}
const FINAL = [400, 413, 422]; // not 404 and 409: those say another server, or one of another data folder

// Which data folder this page shows; a server of another one declines.
export const store = document.querySelector('meta[name="tagger-store"]')?.content;
const headers = { accept: "application/json", ...(store && { "tagger-store": store }) };

async function answer(promise) {
  const response = await promise.catch(() => {
    throw new Error("The server does not answer.");
  });
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const message = response.status === 401 ? "The server wants its token: log in again on another tab." : body.error ?? `The server answered ${response.status}.`;
  throw FINAL.includes(response.status) ? new Refused(message) : new Error(message);
}

export const get = (path, values = {}) => answer(fetch(`${path}?${new URLSearchParams(values)}`, { headers }));
export const post = (path, body = {}) =>
  answer(fetch(path, { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) }));

// An element with attributes and children; text is never read as markup.
export function make(name, attributes = {}, ...children) {
  const svg = ["svg", "line", "circle", "rect"].includes(name);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null && value !== false) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Names a request, so that one that is sent again acts once.
export const token = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
