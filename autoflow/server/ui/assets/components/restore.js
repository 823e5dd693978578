// @ts-check
/** Restores a version as a new project, step by step, with its progress. */
import { call } from "../api.js";
import { element } from "../dom.js";
import { errorMessage } from "../format.js";
import { announce } from "./widgets.js";

/**
 * Restore a version; the progress becomes a link to the new project.
 * @param {number} version
 * @param {HTMLElement} container of the progress
 * @param {HTMLButtonElement} button disabled meanwhile
 */
export async function restoreVersion(version, container, button) {
  button.disabled = true;
  const bar = element("progress", { max: 1, value: 0, "aria-label": "Restoring" });
  const text = element("span", { class: "muted" }, "Restoring…");
  container.replaceChildren(bar, text);
  announce("Restoring the version as a new project");
  try {
    let step = await call("autoflow.versions.restore", { id: version });
    while (!step.done) {
      bar.max = step.total || 1;
      bar.value = step.copied;
      text.textContent = `Restoring: ${step.copied.toLocaleString("en")} of ${step.total.toLocaleString("en")} items`;
      step = await call("autoflow.versions.restore", { restoring: step.id });
    }
    container.replaceChildren("Restored as ", element("a", { href: `/projects/${step.id}` }, step.name));
    if (step.missed.count) {
      container.append(
        element("span", { class: "muted" }, ` without ${step.missed.count} items whose bytes are missing`),
      );
    }
    announce("Restored");
  } catch (error) {
    container.replaceChildren(element("span", { class: "status failed" }, errorMessage(error)));
    announce("The version could not be restored");
  }
  button.disabled = false;
}
