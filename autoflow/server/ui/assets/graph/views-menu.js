// @ts-check
/** The menu of views: copies a link to what is shown, saves it under a name, lists the saved ones. */
import { call } from "../api.js";
import { announce } from "../components/widgets.js";
import { drawnIcon, element, isPath } from "../dom.js";
import { popoverMenu } from "./menu.js";

/** @import { SavedView } from "../contract.js" */

const MAX_NAME = 200;
const CROSS = "M6 6l12 12M18 6L6 18";

/**
 * Make the menu.
 * @param {() => void} writeAddress writes the state of the page into its address
 * @param {(error: unknown) => void} onError
 */
export function viewsMenu(writeAddress, onError) {
  const { menu, popover } = popoverMenu("Views");
  menu.classList.add("views");
  const list = element("ul", { class: "saved-views" });
  const name = element("input", {
    type: "text",
    maxlength: MAX_NAME,
    required: true,
    placeholder: "Name of this view",
  });
  name.setAttribute("aria-label", "Name of this view");
  const shared = element("input", { type: "checkbox" });
  const form = element(
    "form",
    {},
    element("h2", {}, "Save this view"),
    name,
    element("label", { class: "choice" }, shared, "For the whole team"),
    element("button", { type: "submit", class: "primary" }, "Save"),
  );
  popover.append(copyLink(writeAddress), form, element("h2", {}, "Saved views"), list);

  const load = async () => {
    const { views } = await call("autoflow.views.list", {});
    const rows = views.map((view) => viewRow(view, () => load().catch(onError), onError));
    list.replaceChildren(...(rows.length ? rows : [element("li", { class: "muted" }, "None yet.")]));
  };
  menu.addEventListener("toggle", () => menu.open && load().catch(onError));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    writeAddress();
    const view = { name: name.value, address: location.pathname + location.search, shared: shared.checked };
    try {
      const saved = await call("autoflow.views.add", view);
      announce(`View ${saved.name} saved`);
      name.value = "";
      await load();
    } catch (error) {
      onError(error);
    }
  });
  return menu;
}

/** @param {() => void} writeAddress */
function copyLink(writeAddress) {
  const button = element("button", { type: "button" }, "Copy link");
  const field = element("input", { type: "text", readonly: true, hidden: true, "aria-label": "Link to this view" });
  button.addEventListener("click", async () => {
    writeAddress();
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "Link copied";
      announce("Link copied");
      setTimeout(() => button.replaceChildren("Copy link"), 1500);
    } catch {
      // the clipboard is forbidden, as it is over plain HTTP: the link is copied by hand
      field.value = location.href;
      field.hidden = false;
      field.select();
      announce("Selected: copy it with the keyboard");
    }
  });
  return element("div", { class: "copy-link" }, button, field);
}

/**
 * @param {SavedView} view
 * @param {() => void} onRemoved
 * @param {(error: unknown) => void} onError
 */
function viewRow(view, onRemoved, onError) {
  const label = `Remove the view ${view.name}`;
  const remove = element(
    "button",
    { type: "button", class: "plain", "aria-label": label, title: label },
    drawnIcon(CROSS),
  );
  remove.addEventListener("click", () => call("autoflow.views.remove", { id: view.id }).then(onRemoved).catch(onError));
  const link = element("a", { href: isPath(view.address) ? view.address : "/" }, view.name);
  const by = view.shared ? element("span", { class: "muted" }, `team · ${view.createdBy ?? "unknown"}`) : "";
  return element("li", {}, link, by, remove);
}
