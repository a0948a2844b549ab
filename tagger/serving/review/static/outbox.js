// Decisions on their way to the server. They wait in the browser's storage until it has them on its disk, over a reload and over days.
import { post, Refused, store } from "/static/asking.js";

const KEY = `tagger-outbox-${store}`; // a passage of the same number is another one in another data folder
const WAIT = [500, 1000, 2000]; // milliseconds between tries; the last one again and again

export class Outbox {
  // kept(decision, answer) when one is on the disk, refused(decision, message), and waiting(count, trouble) when that changes; trouble says what is wrong.
  constructor({ kept, refused, waiting }) {
    Object.assign(this, { kept, refused, waiting });
    this.running = null;
    addEventListener("online", () => this.flush());
  }

  get list() {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]");
  }

  add(decision) {
    const token = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    localStorage.setItem(KEY, JSON.stringify([...this.list, { token, ...decision }]));
    this.flush();
  }

  drop(token) {
    localStorage.setItem(KEY, JSON.stringify(this.list.filter((decision) => decision.token !== token)));
  }

  // Send all, one after the other, and try again while the server is away.
  flush() {
    this.running ??= this.send().finally(() => (this.running = null));
    return this.running;
  }

  async send() {
    let failed = 0;
    let trouble = "";
    for (let next; (next = this.list[0]); ) {
      this.waiting(this.list.length, trouble);
      try {
        const answer = await post("/review/decisions", next);
        failed = 0;
        trouble = "";
        this.drop(next.token);
        this.kept(next, answer);
      } catch (error) {
        if (error instanceof Refused) {
          this.drop(next.token);
          this.refused(next, error.message);
        } else {
          trouble = error.message;
          this.waiting(this.list.length, trouble);
          await new Promise((done) => setTimeout(done, WAIT[Math.min(failed++, WAIT.length - 1)]));
        }
      }
    }
    this.waiting(0, "");
  }
}
