"""The graph of the demo as a fixture: five apps, each run twice, from the first import to a served model."""

from __future__ import annotations

import pytest

from autoflow.graph.graph import Arrow, Card, Graph, Icon, Link

APPS = ("Import digits", "Train digits", "Evaluate digits", "Export to COCO", "Serve digits")
FOLDER = Icon("folder", "#FFA500", "#FFE8BE")
ARCHIVE = Icon("archive", "#ff4c9e", "#ffe3ed")
REPORT = Icon("assignment", "#dcb0ff", "#faebff")


def at(turn: int, minute: int) -> str:
    return f"2026-11-{21 + turn}T11:{minute:02d}:00Z"


def data(turn: int) -> list[Card]:
    number = 10 * turn
    link = Link(f"/files/{number + 1}/true", "Open Folder")
    return [
        Card(
            f"project_version:{turn}",
            "project_version",
            turn,
            "Handwritten digits",
            f"(V{turn}) Handwritten digits",
            at=at(turn, 10),
            badge=f"V{turn}",
            preview="/previews/1.png",
            parent="project:1",
            description=f"Backup before task {number + 2}",
            link=Link("/projects/1", "Open Project"),
        ),
        Card(
            f"file:{number + 1}",
            "model_weight",
            number + 1,
            "digits.pkl",
            "Checkpoints",
            icon=FOLDER,
            link=link,
            at=at(turn, 12),
        ),
        Card(
            f"file:{number + 2}",
            "file",
            number + 2,
            "report.md",
            "Model Benchmark",
            icon=REPORT,
            link=Link(f"/model-benchmark?id={number + 2}", "Open Benchmark Report"),
            at=at(turn, 13),
        ),
        Card(
            f"file:{number + 3}",
            "file",
            number + 3,
            "digits.tar",
            "Project Archive: digits.tar",
            icon=ARCHIVE,
            link=Link(f"/files/{number + 3}/true/?teamId=1", "Download"),
            at=at(turn, 14),
        ),
        Card(
            f"app_session:{number + 5}",
            "app_session",
            number + 5,
            "Serve digits",
            "Serve digits",
            link=Link(f"/apps/sessions/{number + 5}", "Show Results"),
            at=at(turn, 15),
        ),
    ]


def runs(turn: int) -> list[Card]:
    states = ["finished"] * 4 + ["running"] if turn == 2 else ["finished", "finished", "failed", "finished", "lost"]
    return [
        Card(
            f"task:{10 * turn + n}",
            "task",
            10 * turn + n,
            name,
            name,
            state=state,
            at=at(turn, 8 + n),
            link=Link(f"/apps/sessions/{10 * turn + n}", "Show Logs"),
        )
        for n, (name, state) in enumerate(zip(APPS, states, strict=True), 1)
    ]


def arrows(turn: int) -> list[Arrow]:
    task = [f"task:{10 * turn + n}" for n in range(6)]
    version, weights, report, archive, session = (card.key for card in data(turn))
    return [
        Arrow(task[1], "project:1", "output"),
        Arrow("project:1", version, "version"),
        Arrow(version, task[2], "input"),
        Arrow(task[2], weights, "output"),
        Arrow(weights, task[3], "input"),
        Arrow("project:1", task[3], "input"),
        Arrow(task[3], report, "output"),
        Arrow("project:1", task[4], "input"),
        Arrow(task[4], archive, "output"),
        Arrow(weights, task[5], "input"),
        Arrow(task[5], session, "output"),
    ]


def make_demo() -> Graph:
    project = Card(
        "project:1",
        "project",
        1,
        "Handwritten digits",
        "Handwritten digits",
        preview="/previews/1.png",
        at=at(1, 9),
        link=Link("/projects/1", "Open Project"),
    )
    cards = [project] + [card for turn in (1, 2) for card in data(turn) + runs(turn)]
    made = [arrow for turn in (1, 2) for arrow in arrows(turn)]
    return Graph(tuple(cards), tuple(made), "project:1", 'Workflow for project "Handwritten digits"')


@pytest.fixture
def demo() -> Graph:
    return make_demo()
