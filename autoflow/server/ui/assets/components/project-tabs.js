// @ts-check
/** The ways to look at a project: the same on each of its pages. */
import { element } from "../dom.js";

/**
 * The tabs of a project.
 * @param {string | number} project
 * @param {"data" | "versions" | "workflow"} here
 */
export function projectTabs(project, here) {
  /** @type {[string, string, string][]} */
  const tabs = [
    ["data", `/projects/${project}`, "Data"],
    ["versions", `/projects/${project}/versions`, "Versions"],
    ["workflow", `/project/${project}`, "Workflow"],
  ];
  const links = tabs.map(([name, href, text]) =>
    element("a", { href, "aria-current": name === here ? "page" : null }, text),
  );
  return element("nav", { class: "tabs", "aria-label": "Project" }, ...links);
}
