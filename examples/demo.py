"""The demo: runs the five apps of this folder on the server in ``.demo`` and verifies the graph that they record.

Each app is a separate process. The graph is read before and after: the new cards and edges must equal those of
``expected_graph.json``, in which ``{project}`` stands for the imported project, and none may be lost. Repeated runs are
therefore verified alike, and an interrupted one has no effect on the next.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
HOME = HERE.parent / ".demo"
APPS = sorted(HERE.glob("[1-9]_*.py"))
MIN_ACCURACY = 0.95
REMOVED_VARIABLES = (
    "AUTOFLOW_",
    "SUPERVISELY_",
    "SERVER_ADDRESS",
    "API_TOKEN",
    "TASK_ID",
    "TEAM_ID",
    "WORKSPACE_ID",
    "CONTEXT",
)
SIDES = {"from": "source", "to": "target"}


def environment() -> dict[str, str]:
    """Return this process's environment without variables that would send the records to another server."""
    variables = {name: value for name, value in os.environ.items() if not name.upper().startswith(REMOVED_VARIABLES)}
    return {**variables, "AUTOFLOW_HOME": str(HOME), "AUTOFLOW_SERVER": "embedded"}


def run_app(app: Path) -> None:
    """Run one app and print its output.

    Raises:
        SystemExit: it failed.
    """
    print(f"\n{app.name}", flush=True)
    started = time.monotonic()
    process = subprocess.run([sys.executable, str(app)], env=environment(), capture_output=True, text=True)
    for line in process.stdout.splitlines():
        print(f"  {line}")
    if process.returncode:
        sys.exit(f"{process.stderr}\nThe demo failed: {app.name} exited with code {process.returncode}.")
    print(f"  done in {time.monotonic() - started:.1f} s")


def command(*arguments: str) -> str:
    """Run an autoflow command and return its output.

    Raises:
        SystemExit: it failed.
    """
    line = [sys.executable, "-m", "autoflow.cli.main", *arguments]
    process = subprocess.run(line, env=environment(), capture_output=True, encoding="utf-8")
    if process.returncode:
        sys.exit(f"{process.stdout}{process.stderr}\nThe demo failed: autoflow {' '.join(arguments)}")
    return process.stdout


def graph() -> dict[str, dict]:
    """Return the cards and edges by key, in the form of `expected_graph.json`."""
    document = json.loads(command("graph", "--format", "json"))
    cards, listed = {card["key"]: card for card in document["cards"]}, {}
    for key, card in cards.items():
        listed[key] = {"kind": card["type"], "name": card["name"], "title": card["title"]}
        if card["link"]:
            listed[key]["link"] = card["link"]["title"]
        if card["icon"]:
            listed[key]["icon"] = "{name} {color} on {background}".format(**card["icon"])
    for arrow in document["arrows"]:
        ends = {end: cards[arrow[side]] for end, side in SIDES.items()}
        names = {end: f"{card['type']} {card['name']}" for end, card in ends.items()}
        listed[f"{arrow['source']} > {arrow['target']}"] = {"direction": arrow["kind"], **names}
    return listed


def expected(project: str) -> list[dict]:
    """Return the cards and edges that one run records for a project of this name."""
    document = json.loads((HERE / "expected_graph.json").read_text(encoding="utf-8").replace("{project}", project))
    return [*document["cards"], *document["edges"]]


def differences(before: dict[str, dict], after: dict[str, dict]) -> list[str]:
    """Return the differences from the expected graph, one line each."""
    new = [listed for key, listed in after.items() if key not in before]
    names = [listed["name"] for listed in new if listed.get("kind") == "project"]
    actual = Counter(json.dumps(listed, sort_keys=True) for listed in new)
    required = Counter(json.dumps(listed, sort_keys=True) for listed in expected(names[0] if names else "{project}"))
    lines = [f"lost        {json.dumps(listed)}" for key, listed in before.items() if key not in after]
    lines += [f"missing     {line}" for line in (required - actual).elements()]
    return lines + [f"unexpected  {line}" for line in (actual - required).elements()]


def accuracy(project: str) -> float:
    """Return the accuracy in the newest report on the server."""
    os.environ.update(environment())
    from autoflow import Api

    with TemporaryDirectory() as folder:
        local = Path(folder) / "report.json"
        Api.from_env().file.download(1, f"/{project}/report.json", str(local))
        return float(json.loads(local.read_text())["accuracy"])


def main() -> None:
    """Run all apps and verify the graph and the accuracy.

    Raises:
        SystemExit: an app failed, or the result differs.
    """
    started = time.monotonic()
    HOME.mkdir(mode=0o700, exist_ok=True)
    before = graph()
    for app in APPS:
        run_app(app)
    after = graph()
    if lines := differences(before, after):
        sys.exit("\n".join(["", *lines, "The demo failed: the graph is not the one in examples/expected_graph.json."]))
    project = next(
        entry["name"] for key, entry in after.items() if key not in before and entry.get("kind") == "project"
    )
    if (result := accuracy(project)) < MIN_ACCURACY:
        sys.exit(f"The demo failed: the accuracy is {result:.4f}, less than {MIN_ACCURACY}.")

    page = HOME / "graph.html"
    page.write_text(command("graph", "--format", "html"), encoding="utf-8")
    print("\nThe graph, as `autoflow graph` prints it:\n", flush=True)
    subprocess.run([sys.executable, "-m", "autoflow.cli.main", "graph"], env=environment(), check=True)
    ancestry = command("trace", f"/{project}/weights.npz")
    print(f"\nThe ancestry of the weights, as `autoflow trace` prints it:\n\n{ancestry}", flush=True)
    new = [entry for key, entry in after.items() if key not in before]
    cards = sum("kind" in entry for entry in new)
    print(f"\nAs expected: {cards} new cards and {len(new) - cards} new edges, {len(before)} from earlier runs.")
    print(f"Accuracy on the test images: {result:.4f}. The demo took {time.monotonic() - started:.0f} s.")
    print(f"\nThe same graph as an HTML file:\n  {page}\nURL for a browser:\n  {page.as_uri()}")


if __name__ == "__main__":
    main()
