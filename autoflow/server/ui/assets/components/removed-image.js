// @ts-check
/** The page of an image that its dataset no longer has: its picture in the last version that holds it, and impact. */

import { call } from "../api.js";
import { element } from "../dom.js";
import { showContent, showCrumbs } from "../header.js";
import { impactPanel } from "./impact-panel.js";
import { thumbnail } from "./thumbnails.js";

/**
 * Show the page of a removed image.
 * @param {number} image
 * @returns {Promise<boolean>} whether a version holds it
 */
export async function showRemovedImage(image) {
  const impact = await call("autoflow.impact", { ref: `image:${image}` }).catch(() => null);
  const holding = impact?.images.find((each) => each.image === image && each.lastVersion !== null);
  if (!holding || holding.lastVersion === null) return false;
  const { name, projectId, projectName, lastVersion } = holding;
  const page = await call("autoflow.overview.versions", { id: projectId, before: lastVersion + 1, limit: 1 });
  const version = page.versions[0];
  if (!version) return false;
  showCrumbs([
    { text: "Start", href: "/" },
    { text: projectName, href: `/projects/${projectId}` },
    { text: `V${lastVersion}`, href: `/projects/${projectId}/versions#v${lastVersion}` },
    { text: name },
  ]);
  const picture = thumbnail(image, `${name} in V${lastVersion}`, `/storage/versions/${version.id}/images/${image}`);
  showContent(
    element(
      "div",
      { class: "page wide-page image" },
      element("header", { class: "head" }, element("h1", {}, name)),
      element(
        "p",
        { class: "notice" },
        `Its dataset no longer has this image. The last version that holds it is `,
        element("a", { href: `/projects/${projectId}/versions#v${lastVersion}` }, `V${lastVersion}`),
        ".",
      ),
      element(
        "div",
        { class: "split view" },
        element("div", { class: "card stage removed" }, element("div", { class: "picture" }, picture)),
        element("aside", { class: "side", "aria-label": "About the image" }, impactPanel(`image:${image}`)),
      ),
    ),
  );
  return true;
}
