"""Lineages to look at: chains of apps over shared projects, as large as wanted, the same every time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

BATCH = 500
APPS = ("Train YOLO", "Evaluate", "Export to ONNX", "Apply model to images", "Serve model")


def fill(server: Any, cards: int, *, seed: int = 7) -> None:
    """Record a lineage of about `cards` cards in the first workspace."""
    batch: list[dict[str, Any]] = []
    for record in _records(server, cards, random.Random(seed)):
        batch.append(record)
        if len(batch) == BATCH:
            server.call("autoflow.records.add", {"records": batch})
            batch = []
    if batch:
        server.call("autoflow.records.add", {"records": batch})


def _records(server: Any, cards: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    made = 0
    number = 0
    known: set[str] = set()

    def record(kind: str, run: str, **more: Any) -> dict[str, Any]:
        nonlocal number
        number += 1
        at = 1_750_000_000_000_000_000 + number * 60_000_000_000
        return {"key": f"lineage.{number}", "type": kind, "run": run, "at": at, **more}

    def edge(run: str, direction: str, path: str, **settings: Any) -> Iterator[dict[str, Any]]:
        nonlocal made
        made += path not in known
        known.add(path)
        yield record("edge", run, direction=direction, entity={"type": "folder", "id": path}, **settings)

    projects: list[int] = []
    while made < cards:
        project = len(projects) + 1
        made_now = server.call("projects.add", {"workspaceId": 1, "name": f"Lemons, part {project}"})
        projects.append(made_now["id"])
        made += 1
        size = chance.choice((3, 6, 12, 40, 120))
        outputs: list[str] = []
        for turn in range(size):
            if made >= cards:
                return
            app = APPS[turn % len(APPS)]
            run = f"run-{project}-{turn}"
            made += 1
            yield record("run", run, name=app)
            if turn % len(APPS) == 0 or not outputs:
                entity = {"type": "project", "id": projects[-1]}
                yield record("edge", run, direction="input", entity=entity)
            else:
                yield from edge(run, "input", chance.choice(outputs[-6:]))
            for part in range(chance.choice((1, 1, 2))):
                path = f"/experiments/{project}/{turn}/{('weights', 'report')[part]}"
                outputs.append(path)
                yield from edge(run, "output", path)
            if chance.random() < 0.02:
                yield from edge(run, "output", outputs[0])
            yield record("finish", run, state=chance.choice(("finished",) * 8 + ("failed",)))
