// Decisions on their way to the server. They wait in the browser's storage until it has them on its disk, over a reload and over days.
// Where the storage takes no more, they wait in the page.
import { post, token, Refused, store } from "/static/asking.js";
import { keep, recall } from "/static/storage.js";

const KEY = `tagger-outbox-${store}`; // a passage of the same number is another one in another data folder
const WAIT = [500, 1000, 2000]; // milliseconds between tries; the last one again and again

export class Outbox {
  // kept(decision, answer) when one is on the disk, refused(decision, message), and waiting(count, trouble, loose) when that changes;
  // trouble says what is wrong, and loose are those that the page alone holds.
  constructor({ kept, refused, waiting }) {
    Object.assign(this, { kept, refused, waiting });
    this.running = null;
    this.loose = [];
    addEventListener("online", () => this.flush());
    addEventListener("beforeunload", (event) => this.loose.length && event.preventDefault());
  }

  get stored() {
    return JSON.parse(recall(KEY) ?? "[]");
  }

  get list() {
    return [...this.stored, ...this.loose];
  }

  add(decision) {
    const named = { token: token(), ...decision };
    if (this.loose.length || !keep(KEY, JSON.stringify([...this.stored, named]))) this.loose.push(named);
    this.flush();
  }

  drop(done) {
    const others = (decision) => decision.token !== done;
    this.loose = this.loose.filter(others);
    if (!this.stored.every(others)) keep(KEY, JSON.stringify(this.stored.filter(others)));
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
      this.waiting(this.list.length, trouble, this.loose.length);
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
          this.waiting(this.list.length, trouble, this.loose.length);
          await new Promise((done) => setTimeout(done, WAIT[Math.min(failed++, WAIT.length - 1)]));
        }
      }
    }
    this.waiting(0, "", 0);
  }
}
