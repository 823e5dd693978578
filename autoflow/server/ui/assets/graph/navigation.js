// @ts-check
/** Where an arrow key leads from a card: along the arrows left and right, else to what stands nearest that way. */
import { WIDTH } from "./graph-view.js";

/** @typedef {import("./graph-view.js").Scene} Scene */
/** @typedef {"ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown"} Key */

const ASIDE = 3; // how much worse it is to stand aside than to stand further

/** @param {string} key @returns {key is Key} */
export function isArrow(key) {
  return key === "ArrowLeft" || key === "ArrowRight" || key === "ArrowUp" || key === "ArrowDown";
}

/**
 * @param {Scene} scene
 * @param {number} card
 * @param {Key} key
 * @returns {number} the card to go to, -1 for none
 */
export function step(scene, card, key) {
  if (key === "ArrowRight" || key === "ArrowLeft") {
    const along = key === "ArrowRight" ? scene.after(card) : scene.before(card);
    const found = nearest(
      scene,
      card,
      along.filter((n) => n !== card),
      () => true,
    );
    if (found >= 0) return found;
  }
  return nearest(scene, card, scene.keys.keys(), (right, down) => {
    if (key === "ArrowRight") return right > 0;
    if (key === "ArrowLeft") return right < 0;
    return (key === "ArrowDown" ? down > 0 : down < 0) && Math.abs(right) < WIDTH;
  });
}

/**
 * @param {Scene} scene
 * @param {number} card
 * @param {Iterable<number>} among
 * @param {(right: number, down: number) => boolean} fits
 */
function nearest(scene, card, among, fits) {
  const middle = (/** @type {number} */ n) => (scene.y[n] ?? 0) + (scene.h[n] ?? 0) / 2;
  let [found, least] = [-1, Infinity];
  for (const n of among) {
    const [right, down] = [(scene.x[n] ?? 0) - (scene.x[card] ?? 0), middle(n) - middle(card)];
    if (n === card || !fits(right, down)) continue;
    const far = Math.abs(right) + Math.abs(down) + Math.min(Math.abs(right), Math.abs(down)) * (ASIDE - 1);
    if (far < least) [found, least] = [n, far];
  }
  return found;
}

/**
 * The card at a point of the world.
 * @param {Scene} scene
 * @param {number} x
 * @param {number} y
 */
export function cardAt(scene, x, y) {
  for (let n = 0; n < scene.size; n += 1) {
    const [left, top] = [scene.x[n] ?? 0, scene.y[n] ?? 0];
    if (x >= left && x <= left + WIDTH && y >= top && y <= top + (scene.h[n] ?? 0)) return n;
  }
  return -1;
}
