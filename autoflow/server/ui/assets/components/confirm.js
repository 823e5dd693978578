// @ts-check
/** A question before something that cannot be taken back. */
import { element } from "../dom.js";

/**
 * Asks; the answer is no when the question is put away.
 * @param {string} title
 * @param {string} words
 * @param {string} yes what the button that does it says
 * @returns {Promise<boolean>}
 */
export function ask(title, words, yes) {
  const before = document.activeElement;
  const no = element("button", { type: "submit", value: "no" }, "Keep it");
  const form = element(
    "form",
    { method: "dialog" },
    element("h2", { id: "asked" }, title),
    element("p", {}, words),
    element("div", { class: "row end" }, no, element("button", { type: "submit", value: "yes", class: "danger" }, yes)),
  );
  const dialog = element("dialog", { "aria-labelledby": "asked", class: "card" }, form);
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus();
      answer(dialog.returnValue === "yes");
    });
  });
}
