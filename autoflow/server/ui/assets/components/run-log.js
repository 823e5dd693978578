// @ts-check
/** A run's log: its end first, earlier parts on request, and what is new as it comes. */

import { call } from "../api.js";
import { element } from "../dom.js";

/** @typedef {{parts: {id: number, at: string, lines: string}[], earlier: boolean, state: string}} Part */

const NEAR = 24; // pixels from the end that count as being at it

export class RunLog {
  /** @param {number} run */
  constructor(run) {
    this.run = run;
    this.text = element("pre", { class: "log", tabindex: 0, role: "log", "aria-label": "Log", "aria-live": "off" });
    this.earlier = element("button", { type: "button" }, "Show earlier lines");
    this.words = element("p", { class: "quiet" });
    this.element = element(
      "section",
      { class: "card panel" },
      element("h2", {}, "Log"),
      this.words,
      this.earlier,
      this.text,
    );
    this.earlier.addEventListener("click", () => this.before());
    this.first = 0;
    this.last = 0;
    this.state = "";
  }

  /** Reads its end. */
  async begin() {
    const part = /** @type {Part} */ (await call("autoflow.overview.log", { id: this.run }));
    this.put(part, false);
    this.earlier.hidden = !part.earlier;
    this.text.scrollTop = this.text.scrollHeight;
  }

  async before() {
    this.earlier.disabled = true;
    try {
      const part = /** @type {Part} */ (await call("autoflow.overview.log", { id: this.run, before: this.first }));
      const height = this.text.scrollHeight;
      this.put(part, true);
      this.earlier.hidden = !part.earlier;
      this.text.scrollTop += this.text.scrollHeight - height;
    } catch (error) {
      this.words.textContent = error instanceof Error ? error.message : String(error);
    }
    this.earlier.disabled = false;
  }

  /**
   * Reads what is new.
   * @returns {Promise<boolean>} whether only the log went on: the run is as it was
   */
  async more() {
    const part = /** @type {Part} */ (await call("autoflow.overview.log", { id: this.run, after: this.last }));
    const same = part.state === this.state && part.parts.length > 0;
    const follow = this.text.scrollHeight - this.text.scrollTop - this.text.clientHeight < NEAR;
    this.put(part, false);
    if (follow) this.text.scrollTop = this.text.scrollHeight;
    return same;
  }

  /**
   * @param {Part} part
   * @param {boolean} before
   */
  put(part, before) {
    const { parts } = part;
    const lines = parts.map((one) =>
      element("span", { title: one.at }, one.lines.endsWith("\n") ? one.lines : `${one.lines}\n`),
    );
    if (before) this.text.prepend(...lines);
    else this.text.append(...lines);
    const [first, last] = [parts[0], parts[parts.length - 1]];
    if (first && (before || !this.first)) this.first = first.id;
    if (last && !before) this.last = last.id;
    this.state = part.state;
    this.text.hidden = !this.text.childElementCount;
    this.words.textContent = this.text.hidden
      ? part.state === "running"
        ? "Nothing yet: lines stand here as they come."
        : "No log was kept of this run."
      : "";
    this.words.hidden = !this.words.textContent;
  }
}
