"""The demo: runs the five apps of this folder on the server in ``.demo`` and checks the graph they leave.

Each app is a process of its own, as it would be anywhere. The graph is read before and after: what is new must be
exactly what ``expected_graph.json`` lists, with ``{project}`` standing for the project this round imported, and what
was there before must still be there. So the first round and the hundredth are checked in the same way, and a round
that was interrupted is left as it is.
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
ENOUGH = 0.95
OUTSIDE = ("AUTOFLOW_", "SUPERVISELY_", "SERVER_ADDRESS", "API_TOKEN", "TASK_ID", "TEAM_ID", "WORKSPACE_ID", "CONTEXT")
SIDES = {"from": "source", "to": "target"}


def environment() -> dict[str, str]:
    """This process's environment, less what would send the demo's records elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(OUTSIDE)}
    return {**kept, "AUTOFLOW_HOME": str(HOME), "AUTOFLOW_SERVER": "embedded"}


def run_app(app: Path) -> None:
    """Run one app and show what it prints.

    Raises:
        SystemExit: it failed.
    """
    print(f"\n{app.name}", flush=True)
    begun = time.monotonic()
    done = subprocess.run([sys.executable, str(app)], env=environment(), capture_output=True, text=True)
    for line in done.stdout.splitlines():
        print(f"  {line}")
    if done.returncode:
        sys.exit(f"{done.stderr}\nThe demo failed: {app.name} ended with code {done.returncode}.")
    print(f"  done in {time.monotonic() - begun:.1f} s")


def command(*arguments: str) -> str:
    """What an autoflow command prints.

    Raises:
        SystemExit: it failed.
    """
    line = [sys.executable, "-m", "autoflow.cli.main", *arguments]
    done = subprocess.run(line, env=environment(), capture_output=True, encoding="utf-8")
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\nThe demo failed: autoflow {' '.join(arguments)}")
    return done.stdout


def graph() -> dict[str, dict]:
    """The cards and edges there are: each under its key, as `expected_graph.json` would list it."""
    told = json.loads(command("graph", "--format", "json"))
    cards, listed = {card["key"]: card for card in told["cards"]}, {}
    for key, card in cards.items():
        listed[key] = {"kind": card["type"], "name": card["name"], "title": card["title"]}
        if card["link"]:
            listed[key]["link"] = card["link"]["title"]
        if card["icon"]:
            listed[key]["icon"] = "{name} {color} on {background}".format(**card["icon"])
    for arrow in told["arrows"]:
        ends = {end: cards[arrow[side]] for end, side in SIDES.items()}
        named = {end: f"{card['type']} {card['name']}" for end, card in ends.items()}
        listed[f"{arrow['source']} > {arrow['target']}"] = {"direction": arrow["kind"], **named}
    return listed


def expected(project: str) -> list[dict]:
    """What one round leaves when its project has this name."""
    wanted = json.loads((HERE / "expected_graph.json").read_text(encoding="utf-8").replace("{project}", project))
    return [*wanted["cards"], *wanted["edges"]]


def differences(before: dict[str, dict], after: dict[str, dict]) -> list[str]:
    """What a round left that it should not have, and what is missing; a line each."""
    new = [listed for key, listed in after.items() if key not in before]
    names = [listed["name"] for listed in new if listed.get("kind") == "project"]
    found = Counter(json.dumps(listed, sort_keys=True) for listed in new)
    wanted = Counter(json.dumps(listed, sort_keys=True) for listed in expected(names[0] if names else "{project}"))
    lines = [f"lost        {json.dumps(listed)}" for key, listed in before.items() if key not in after]
    lines += [f"missing     {line}" for line in (wanted - found).elements()]
    return lines + [f"unexpected  {line}" for line in (found - wanted).elements()]


def accuracy(project: str) -> float:
    """The accuracy in the newest report, read from the server."""
    os.environ.update(environment())
    from autoflow import Api

    with TemporaryDirectory() as scratch:
        local = Path(scratch) / "report.json"
        Api.from_env().file.download(1, f"/{project}/report.json", str(local))
        return float(json.loads(local.read_text())["accuracy"])


def main() -> None:
    """Run a round and check it.

    Raises:
        SystemExit: something is not as it should be.
    """
    begun = time.monotonic()
    HOME.mkdir(mode=0o700, exist_ok=True)
    before = graph()
    for app in APPS:
        run_app(app)
    after = graph()
    if lines := differences(before, after):
        sys.exit("\n".join(["", *lines, "The demo failed: the graph is not the one in examples/expected_graph.json."]))
    project = next(one["name"] for key, one in after.items() if key not in before and one.get("kind") == "project")
    if (reached := accuracy(project)) < ENOUGH:
        sys.exit(f"The demo failed: the accuracy is {reached:.4f}, less than {ENOUGH}.")

    page = HOME / "graph.html"
    page.write_text(command("graph", "--format", "html"), encoding="utf-8")
    print("\nThe graph, as `autoflow graph` prints it:\n", flush=True)
    subprocess.run([sys.executable, "-m", "autoflow.cli.main", "graph"], env=environment(), check=True)
    print(
        f"\nWhat the weights came from, by `autoflow trace`:\n\n{command('trace', f'/{project}/weights.npz')}",
        flush=True,
    )
    new = [one for key, one in after.items() if key not in before]
    cards = sum("kind" in one for one in new)
    print(f"\nAs expected: {cards} new cards and {len(new) - cards} new edges, {len(before)} kept from before.")
    print(f"Accuracy on the held-out images: {reached:.4f}. It all took {time.monotonic() - begun:.0f} s.")
    print(f"\nThe same graph as cards is one file:\n  {page}\nOpen it in any browser:\n  {page.as_uri()}")


if __name__ == "__main__":
    main()
