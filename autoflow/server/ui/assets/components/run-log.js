// @ts-check
/** The log of a run: its end first, earlier lines on request, new lines as they arrive. */

import { call } from "../api.js";
import { element } from "../dom.js";
import { errorMessage } from "../format.js";

/** @import { RunLog as LogPage } from "../contract.js" */

const PAGE_SIZE = 100; // chunks in one request for new lines
const END_TOLERANCE = 24; // pixels from the end within which the log follows new lines

/** Shows the log of a run. */
export class RunLog {
  /** @param {number} run */
  constructor(run) {
    this.run = run;
    this.text = element("pre", { class: "log", tabindex: 0, role: "log", "aria-label": "Log", "aria-live": "off" });
    this.earlier = element("button", { type: "button" }, "Show earlier lines");
    this.status = element("p", { class: "muted" });
    this.element = element(
      "section",
      { class: "card panel" },
      element("h2", {}, "Log"),
      this.status,
      this.earlier,
      this.text,
    );
    this.earlier.addEventListener("click", () => this.loadEarlier());
    this.first = 0;
    this.last = 0;
  }

  /** Load the end of the log. */
  async load() {
    const page = await call("autoflow.overview.log", { id: this.run });
    this.insert(page, false);
    this.earlier.hidden = !page.earlier;
    this.text.scrollTop = this.text.scrollHeight;
  }

  async loadEarlier() {
    this.earlier.disabled = true;
    try {
      const page = await call("autoflow.overview.log", { id: this.run, before: this.first });
      const height = this.text.scrollHeight;
      this.insert(page, true);
      this.earlier.hidden = !page.earlier;
      this.text.scrollTop += this.text.scrollHeight - height;
    } catch (error) {
      this.status.textContent = errorMessage(error);
    }
    this.earlier.disabled = false;
  }

  /** Load new lines. */
  async loadNew() {
    let complete = false;
    while (!complete) {
      const page = await call("autoflow.overview.log", { id: this.run, after: this.last, limit: PAGE_SIZE });
      const follow = this.text.scrollHeight - this.text.scrollTop - this.text.clientHeight < END_TOLERANCE;
      this.insert(page, false);
      if (follow) this.text.scrollTop = this.text.scrollHeight;
      complete = page.parts.length < PAGE_SIZE;
    }
  }

  /**
   * @param {LogPage} page
   * @param {boolean} before
   */
  insert(page, before) {
    const { parts } = page;
    const lines = parts.map((chunk) =>
      element("span", { title: chunk.at }, chunk.lines.endsWith("\n") ? chunk.lines : `${chunk.lines}\n`),
    );
    if (before) this.text.prepend(...lines);
    else this.text.append(...lines);
    const [first, last] = [parts[0], parts[parts.length - 1]];
    if (first && (before || !this.first)) this.first = first.id;
    if (last && !before) this.last = last.id;
    this.text.hidden = !this.text.childElementCount;
    this.status.textContent = this.text.hidden
      ? page.state === "running"
        ? "No lines yet. New lines appear here as the run writes them."
        : "This run has no log."
      : "";
    this.status.hidden = !this.status.textContent;
  }
}
