// @ts-check
/** The slider that sets how many arrows around the entry card are followed. */
import { element } from "../dom.js";

const DEFAULT_DEPTH = 2;
const MAX_DEPTH = 8;

/**
 * Make the slider.
 * @param {(depth: number | null) => void} onChange called when a depth is chosen; null for the default
 */
export function depthSlider(onChange) {
  const range = element("input", { type: "range", min: 0, max: MAX_DEPTH, step: 1, "aria-label": "Depth in arrows" });
  const text = element("output", {});
  const box = element("label", { class: "depth" }, element("span", {}, "Depth"), range, text);
  range.addEventListener("input", () => {
    text.textContent = range.value;
  });
  range.addEventListener("change", () => {
    const depth = Number(range.value);
    onChange(depth === DEFAULT_DEPTH ? null : depth);
  });
  /** @param {number | null} depth */
  const show = (depth) => {
    range.value = String(Math.min(depth ?? DEFAULT_DEPTH, MAX_DEPTH));
    text.textContent = String(depth ?? DEFAULT_DEPTH);
  };
  return { element: box, show };
}
