// @ts-check
/** A button that opens a popover below it; Escape and a click elsewhere close it. */
import { element } from "../dom.js";

/**
 * Make a menu.
 * @param {string} label
 * @param {...Node} content
 */
export function popoverMenu(label, ...content) {
  const button = element("summary", { class: "button" }, label);
  const popover = element("div", { class: "popover" }, ...content);
  const details = element("details", { class: "menu" }, button, popover);
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.stopPropagation();
    details.open = false;
    button.focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (details.open && event.target instanceof Node && !details.contains(event.target)) details.open = false;
  });
  return { menu: details, button, popover };
}
