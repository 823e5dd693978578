// @ts-check
/** A changed image before and after: side by side, flickering in one place, or as their difference. */

import { element } from "../dom.js";

const FLICKER = 700; // milliseconds that a picture is shown
/** @type {Readonly<Record<string, string>>} */
const MODES = { side: "Side by side", flicker: "Flicker", difference: "Difference" };

/**
 * Show two pictures of one image, with buttons that choose how.
 * @param {HTMLElement} before
 * @param {HTMLElement} after
 * @param {string} name of the image
 */
export function pairView(before, after, name) {
  const pair = element("div", { class: "pair side" }, before, after);
  const buttons = Object.entries(MODES).map(([mode, text]) => {
    const button = element("button", { type: "button", "aria-pressed": String(mode === "side") }, text);
    button.addEventListener("click", () => show(mode));
    return { mode, button };
  });
  let timer = 0;
  /** @param {string} mode */
  const show = (mode) => {
    clearInterval(timer);
    for (const each of buttons) each.button.setAttribute("aria-pressed", String(each.mode === mode));
    pair.className = `pair ${mode}`;
    after.classList.remove("behind");
    if (mode === "flicker") timer = startFlicker(pair, after);
  };
  const group = element(
    "div",
    { class: "segments", role: "group", "aria-label": `How ${name} is compared` },
    ...buttons.map(({ button }) => button),
  );
  return element("div", {}, group, pair);
}

/**
 * Show the second picture and the first in turn; at a press, where the system asks for reduced motion.
 * @param {HTMLElement} pair
 * @param {HTMLElement} after
 */
function startFlicker(pair, after) {
  const flip = () => after.classList.toggle("behind");
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    pair.addEventListener("click", () => pair.classList.contains("flicker") && flip());
    return 0;
  }
  const timer = setInterval(() => {
    if (pair.isConnected) flip();
    else clearInterval(timer);
  }, FLICKER);
  return timer;
}
