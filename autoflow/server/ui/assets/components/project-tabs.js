// @ts-check
/** The tabs that every page of a project shows. */
import { element } from "../dom.js";

/**
 * Make the tabs.
 * @param {string | number} project
 * @param {"data" | "versions" | "workflow"} current
 */
export function projectTabs(project, current) {
  /** @type {[string, string, string][]} */
  const tabs = [
    ["data", `/projects/${project}`, "Data"],
    ["versions", `/projects/${project}/versions`, "Versions"],
    ["workflow", `/project/${project}`, "Workflow"],
  ];
  const links = tabs.map(([name, href, text]) =>
    element("a", { href, "aria-current": name === current ? "page" : null }, text),
  );
  return element("nav", { class: "tabs", "aria-label": "Project" }, ...links);
}
