"""Cards taken together, in each form a graph is given in: told as many, drawn as a stack, counted whole."""

from __future__ import annotations

import pytest

from autoflow.graph.clusters import cluster_cards
from autoflow.graph.graph import Arrow, Card, Graph
from autoflow.graph.render.formats import PICTURE_FORMATS, render

pytestmark = pytest.mark.core

RUNS = 12


@pytest.fixture
def exports() -> Graph:
    """Twelve exports of one project, each with an archive."""
    cards = [Card("project:1", "project", 1, "Lemons", "Lemons")]
    arrows = []
    for n in range(RUNS):
        at = f"2026-11-{n + 1:02d}T10:00:00Z"
        cards.append(Card(f"task:{n}", "task", n, "Export", "Export", state="finished", at=at))
        cards.append(Card(f"file:{n}", "file", n, f"lemons_{n}.tar", f"Archive: lemons_{n}.tar", at=at))
        arrows += [Arrow("project:1", f"task:{n}", "input"), Arrow(f"task:{n}", f"file:{n}", "output")]
    return Graph(tuple(cards), tuple(arrows), "project:1")


@pytest.mark.parametrize("form", sorted(PICTURE_FORMATS | {"text"}))
def test_a_cluster_shows_its_count(exports: Graph, form: str) -> None:
    """Its title has the count, and no run's number is shown."""
    shown = render(cluster_cards(exports), form)
    assert "12 runs of Export" in shown
    assert "12 cards" in shown
    assert "run 12" not in shown
    assert "run:12" not in shown


@pytest.mark.parametrize("form", ["text", "html"])
def test_runs_in_clusters_are_counted(exports: Graph, form: str) -> None:
    """Counts of runs and data cards include the members of clusters."""
    for graph in (exports, cluster_cards(exports)):
        assert "12 runs, 13 data cards" in render(graph, form)


def test_a_cluster_is_drawn_as_a_stack(exports: Graph) -> None:
    """Two edges are below the card's own; a plain card has none."""
    shown = render(cluster_cards(exports), "svg")
    assert shown.count('class="card') == 3
    assert shown.count('class="box"') == 3 + 2 * 2


def test_a_cluster_of_data_shows_the_common_title(exports: Graph) -> None:
    """The title they share but for its numbers is the description."""
    files = next(card for card in cluster_cards(exports).cards if card.type == "file")
    assert (files.title, files.description) == ("12 files", "Archive: lemons_….tar")
