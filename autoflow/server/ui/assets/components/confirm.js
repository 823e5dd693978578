// @ts-check
/** A dialog that asks for confirmation before something that cannot be undone. */
import { element } from "../dom.js";

/**
 * Ask for confirmation; closing the dialog means no.
 * @param {string} title
 * @param {string} text
 * @param {string} action the label of the button that confirms
 * @returns {Promise<boolean>}
 */
export function confirmAction(title, text, action) {
  const focused = document.activeElement;
  const cancel = element("button", { type: "submit", value: "no" }, "Cancel");
  const confirm = element("button", { type: "submit", value: "yes", class: "danger" }, action);
  const form = element(
    "form",
    { method: "dialog" },
    element("h2", { id: "confirm-title" }, title),
    element("p", {}, text),
    element("div", { class: "row end" }, cancel, confirm),
  );
  const dialog = element("dialog", { "aria-labelledby": "confirm-title", class: "card" }, form);
  document.body.append(dialog);
  dialog.showModal();
  cancel.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (focused instanceof HTMLElement) focused.focus();
      resolve(dialog.returnValue === "yes");
    });
  });
}
