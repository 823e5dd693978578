// @ts-check
/** A version made a new project, a step at a time, with how far it is. */

import { call } from "../api.js";
import { element } from "../dom.js";
import { announce } from "./widgets.js";

/** @typedef {{done: boolean, id: number, name: string, copied: number, total: number, missed?: {count: number, names: string[]}}} Step */

/**
 * Restores a version; the progress stands in a place of its own, with a link to the new project at the end.
 * @param {number} version
 * @param {HTMLElement} place
 * @param {HTMLButtonElement} button
 */
export async function restore(version, place, button) {
  button.disabled = true;
  const bar = element("progress", { max: 1, value: 0, "aria-label": "Restoring" });
  const words = element("span", { class: "quiet" }, "Restoring…");
  place.replaceChildren(bar, words);
  announce("Restoring the version as a new project");
  try {
    let step = /** @type {Step} */ (await call("autoflow.versions.restore", { id: version }));
    while (!step.done) {
      bar.max = step.total || 1;
      bar.value = step.copied;
      words.textContent = `Restoring: ${step.copied.toLocaleString("en")} of ${step.total.toLocaleString("en")} images`;
      step = /** @type {Step} */ (await call("autoflow.versions.restore", { restoring: step.id }));
    }
    place.replaceChildren(
      "Restored as ",
      element("a", { href: `/projects/${step.id}` }, step.name ?? `project ${step.id}`),
    );
    if (step.missed?.count)
      place.append(element("span", { class: "quiet" }, ` without ${step.missed.count} images whose bytes are gone`));
    announce("Restored");
  } catch (error) {
    place.replaceChildren(
      element("span", { class: "status failed" }, error instanceof Error ? error.message : String(error)),
    );
    announce("It could not be restored");
  }
  button.disabled = false;
}
