// @ts-check
/** Taking the graph away: the server writes the forms that need no browser, the page paints the picture of pixels. */

import { call } from "../api.js";
import { element } from "../dom.js";
import { Painter } from "./canvas.js";
import { menu } from "./menu.js";

/** @typedef {import("./graph-view.js").Scene} Scene */

const FORMS = [
  ["SVG", "svg", "svg"],
  ["HTML", "html", "html"],
  ["Mermaid", "mermaid", "mmd"],
  ["DOT", "dot", "dot"],
];
const MOST = 8000; // pixels of a side
const MARGIN = 40;

/** @param {Blob} content @param {string} name */
function save(content, name) {
  const link = element("a", { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * The scene as a PNG, cards with their titles.
 * @param {Scene} scene
 * @returns {Promise<Blob>}
 */
async function png(scene) {
  await scene.tellAll();
  const [wide, high] = [scene.width + 2 * MARGIN, scene.height + 2 * MARGIN];
  const k = Math.min(1, MOST / wide, MOST / high);
  const canvas = element("canvas");
  const camera = { x: -MARGIN, y: -MARGIN, k, width: wide * k, height: high * k };
  const painter = new Painter(canvas, /** @type {any} */ (camera));
  painter.whole(scene);
  return new Promise((done, wrong) =>
    canvas.toBlob((blob) => (blob ? done(blob) : wrong(new Error("This browser painted nothing."))), "image/png"),
  );
}

/**
 * The menu.
 * @param {() => Scene | null} current
 * @param {() => object} body what the scene was asked for with
 * @param {(error: unknown) => void} failed
 */
export function exportsMenu(current, body, failed) {
  const { menu: made, sheet } = menu("Export");
  const name = () =>
    (current()?.title ?? "workflow")
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 80) || "workflow";
  /** @param {string} text @param {() => Promise<void>} done */
  const choice = (text, done) => {
    const button = element("button", { type: "button", class: "plain" }, text);
    button.addEventListener("click", async () => {
      made.open = false;
      await done().catch(failed);
    });
    return button;
  };
  for (const [text = "", form, suffix] of FORMS) {
    sheet.append(
      choice(text, async () => {
        const told = await call("autoflow.scene.export", { ...body(), form });
        save(new Blob([told.text], { type: told.media }), `${name()}.${suffix}`);
      }),
    );
  }
  sheet.append(
    choice("PNG", async () => {
      const scene = current();
      if (scene) save(await png(scene), `${name()}.png`);
    }),
  );
  return made;
}
