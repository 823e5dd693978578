// @ts-check
/** Pictures of images: small ones as the server makes them, and what stands where there is none. */
import { drawn, element } from "../dom.js";

const MISSING = "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M3 3l18 18";

/**
 * A small picture of an image; where none can be made, a sign for one.
 * @param {number} number the image's
 * @param {string} name what it shows, empty where words beside it say so
 * @param {string} [address] of the picture, by default the preview the server makes
 */
export function preview(number, name, address = `/storage/previews/${number}`) {
  const made = element("img", { src: address, alt: name, loading: "lazy", decoding: "async", draggable: "false" });
  made.addEventListener("error", () => made.replaceWith(missing(name)), { once: true });
  return made;
}

/** @param {string} name */
export function missing(name) {
  const sign = element("span", { class: "missing quiet" }, drawn(MISSING));
  if (name) {
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", `${name}: no picture`);
  }
  return sign;
}
