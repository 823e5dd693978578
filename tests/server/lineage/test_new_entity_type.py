"""The example of docs/extending.md: an entity type that is added to the registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import autoflow
from autoflow.graph.graph import Graph
from autoflow.graph.render.formats import RENDERERS, render
from autoflow.graph.render.labels import card_reference
from autoflow.graph.trace import Trace
from autoflow.model import entity_types
from autoflow.model.reference import Reference, parse
from autoflow.testing import capture

GUIDE = Path(__file__).parents[3] / "docs" / "extending.md"


@pytest.fixture
def report(monkeypatch):
    """The documented row, registered for one test."""
    section = GUIDE.read_text(encoding="utf-8").partition("## A new entity type")[2]
    (example,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    namespace = dict(vars(entity_types))
    exec(example, namespace)
    row = namespace["report"]
    monkeypatch.setitem(entity_types.ENTITY_TYPES, row.name, row)
    return row


@pytest.fixture
def graph(filled, report):
    """The graph of a run that wrote report 4."""
    filled.send(filled.record("run", name="Evaluate"))
    filled.edge("output", "report", 4)
    return Graph.from_json(filled.call("autoflow.graph", task=1))


def test_its_card_is_in_the_graph(graph):
    """The card has the type's default name, and an arrow leads to it."""
    (card,) = [card for card in graph.cards if card.type == "report"]
    assert (card.key, card.name, card_reference(card)) == ("report:4", "report 4", "report:4")
    assert [(arrow.source, arrow.target, arrow.kind) for arrow in graph.arrows] == [("task:1", "report:4", "output")]


@pytest.mark.parametrize("form", [form for form in RENDERERS if form != "json"])
def test_every_format_renders_it(graph, form):
    """Texts carry its label."""
    assert "report" in render(graph, form)


def test_pictures_have_its_drawing_and_colors(graph, report):
    """The SVG draws the row's icon on the row's background."""
    picture = render(graph, "svg")
    assert all(text in picture for text in (report.drawing, report.color, report.background))


def test_people_refer_to_it_by_its_word(filled, graph):
    """A reference is parsed, and the trace of it is the run that wrote it."""
    assert parse("report:4") == Reference("report", 4)
    assert Trace.from_json(filled.call("autoflow.trace", ref="report:4")).producer() == "task:1"


def test_the_page_has_its_row(filled, graph, report):
    """The view's types are indices of the registry, which the page has as data."""
    rows = entity_types.as_data()
    view = filled.call("autoflow.scene", task=1)
    assert {rows[index]["name"] for index in view["types"]} == {"task", "report"}
    assert rows[-1]["drawing"] == report.drawing


def test_a_decorator_records_it(report):
    """The kind is known, and a parameter that the row names is the default value."""

    @autoflow.workflow_input("report")
    def publish(summary):
        return None

    with capture() as recorded, autoflow.workflow("Publish"):
        publish({"id": 4})
    assert [(edge.direction, edge.type, edge.id) for edge in recorded.edges] == [("input", "report", 4)]
