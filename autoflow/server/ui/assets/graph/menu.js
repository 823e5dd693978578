// @ts-check
/** A button that opens a small panel below it; Escape and a click elsewhere close it. */
import { element } from "../dom.js";

/**
 * @param {string} label
 * @param {...Node} content
 */
export function menu(label, ...content) {
  const button = element("summary", { class: "button" }, label);
  const sheet = element("div", { class: "sheet" }, ...content);
  const made = element("details", { class: "menu" }, button, sheet);
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !made.open) return;
    event.stopPropagation();
    made.open = false;
    button.focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (made.open && event.target instanceof Node && !made.contains(event.target)) made.open = false;
  });
  return { menu: made, button, sheet };
}
