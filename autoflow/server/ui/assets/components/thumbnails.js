// @ts-check
/** Thumbnails of images as the server makes them, and the placeholder of an image without one. */
import { drawnIcon, element } from "../dom.js";

const MISSING_ICON = "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M3 3l18 18";

/**
 * Make a thumbnail; it is replaced by a placeholder if it cannot be loaded.
 * @param {number} image its id
 * @param {string} alt empty where text beside it names the image
 * @param {string} [src] the preview that the server makes by default
 */
export function thumbnail(image, alt, src = `/storage/previews/${image}`) {
  const img = element("img", { src, alt, loading: "lazy", decoding: "async", draggable: "false" });
  img.addEventListener("error", () => img.replaceWith(missingImage(alt)), { once: true });
  return img;
}

/** @param {string} name of the image, empty where text beside it names the image */
export function missingImage(name) {
  const placeholder = element("span", { class: "missing muted" }, drawnIcon(MISSING_ICON));
  if (name) {
    placeholder.setAttribute("role", "img");
    placeholder.setAttribute("aria-label", `${name}: no picture`);
  }
  return placeholder;
}
