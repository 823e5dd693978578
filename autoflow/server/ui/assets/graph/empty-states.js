// @ts-check
/** The texts of a graph without cards: nothing was recorded, or the filters leave nothing. */
import { element } from "../dom.js";
import { emptyState } from "../header.js";

const EXAMPLE = `from autoflow import workflow, workflow_input

@workflow_input("project")
def load(project_id): ...

with workflow("Train") as run:
    load(7)`;

/** Say how a run is recorded. */
export function noRuns() {
  const code = element("pre", {}, EXAMPLE);
  return emptyState(
    "No runs yet",
    "No recorded run has read or written anything here. Record a run as below. `autoflow doctor` prints where " +
      "records go; `make demo` has a store of its own in .demo.",
    code,
  );
}

/** Say that the filters leave nothing. @param {HTMLElement} clear the button that clears them */
export function noMatches(clear) {
  return emptyState(
    "No matches",
    "Cards exist, but none of these kinds, apps and days. Clear the filters to see them.",
    element("p", { class: "row" }, clear),
  );
}
