"""Public apps, written with autoflow, post what the SDK posted for them; where they erred, what they meant."""

from __future__ import annotations

import pytest

from tests.apps.case import NAMES, by_value, read
from tests.apps.intended_edges import INTENDED_EDGES
from tests.apps.written.every import APPS

pytestmark = [pytest.mark.core, pytest.mark.slow]


def expected(name, case):
    """The posts in order: those the SDK made, or those meant."""
    if name not in INTENDED_EDGES:
        return [by_value(entry["endpoint"], entry["body"]) for entry in case["calls"]]
    task, team = int(case["inputs"]["task_id"]), case["inputs"]["team_id"]
    edges = []
    for direction, entity, number, meta in INTENDED_EDGES[name].edges:
        body = {"teamId": team, "node": {"type": "task", "id": task}, "type": entity, "id": number}
        edges.append(by_value(f"workflow.node.add-{direction}", {**body, "meta": meta} if meta else body))
    return edges


def test_every_case_has_an_app():
    """Each case in the folder is played, and no app is without its case."""
    assert set(NAMES) == set(APPS)
    assert set(INTENDED_EDGES) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_app(name, open_case):
    """The app's posts equal the SDK's in order: endpoint, node, type, id, meta."""
    case = read(name)
    with open_case(case["inputs"]) as opened:
        assert opened.play(APPS[name](opened)) == expected(name, case)
