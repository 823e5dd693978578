// @ts-check
/** The export menu: the server renders text and vector formats, the page paints the PNG. */

import { call } from "../api.js";
import { element } from "../dom.js";
import { Painter } from "./canvas.js";
import { popoverMenu } from "./menu.js";

/** @import { SceneExportRequest, SceneRequest } from "../contract.js" */
/** @typedef {import("./graph-view.js").GraphView} GraphView */

/** @type {[string, SceneExportRequest["form"], string][]} name, format, suffix of the file */
const FORMATS = [
  ["SVG", "svg", "svg"],
  ["HTML", "html", "html"],
  ["Mermaid", "mermaid", "mmd"],
  ["DOT", "dot", "dot"],
];
const MAX_SIDE = 8000; // pixels of a side of the PNG
const MARGIN = 40;

/** Offer a download. @param {Blob} content @param {string} name */
function save(content, name) {
  const link = element("a", { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * Paint the graph as a PNG, cards with their titles.
 * @param {GraphView} graph
 * @returns {Promise<Blob>}
 */
async function png(graph) {
  await graph.loadAllDetails();
  const [width, height] = [graph.width + 2 * MARGIN, graph.height + 2 * MARGIN];
  const k = Math.min(1, MAX_SIDE / width, MAX_SIDE / height);
  const canvas = element("canvas");
  const transform = { x: -MARGIN, y: -MARGIN, k };
  const painter = new Painter(canvas, { ...transform, transform, width: width * k, height: height * k });
  painter.paintAll(graph);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("The browser could not make a PNG of the graph."))),
      "image/png",
    ),
  );
}

/**
 * Make the menu.
 * @param {() => GraphView | null} current
 * @param {() => SceneRequest} body the parameters that the graph was loaded with
 * @param {(error: unknown) => void} onError
 */
export function exportMenu(current, body, onError) {
  const { menu, popover } = popoverMenu("Export");
  const name = () =>
    (current()?.title ?? "workflow")
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 80) || "workflow";
  /** @param {string} text @param {() => Promise<void>} action */
  const choice = (text, action) => {
    const button = element("button", { type: "button", class: "plain" }, text);
    button.addEventListener("click", async () => {
      menu.open = false;
      await action().catch(onError);
    });
    return button;
  };
  for (const [text, format, suffix] of FORMATS) {
    popover.append(
      choice(text, async () => {
        const response = await call("autoflow.scene.export", { ...body(), form: format });
        save(new Blob([response.text], { type: response.media }), `${name()}.${suffix}`);
      }),
    );
  }
  popover.append(
    choice("PNG", async () => {
      const graph = current();
      if (graph) save(await png(graph), `${name()}.png`);
    }),
  );
  return menu;
}
