"""The MIME bundles of graphs and traces in a notebook."""

from __future__ import annotations

import pytest

from autoflow.graph.graph import Arrow, Card, Graph
from autoflow.graph.notebook import MAX_CARDS, NotebookGraph, NotebookTrace

pytestmark = pytest.mark.core


def test_a_bundle_has_text_and_a_static_picture(demo: Graph) -> None:
    """The picture comes as HTML and as an image, without scripts."""
    bundle = NotebookGraph.from_json(demo.to_json())._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/svg+xml"}
    assert "<script" not in bundle["text/html"]
    assert bundle["image/svg+xml"].startswith("<svg ")
    assert bundle["image/svg+xml"] in bundle["text/html"]


def test_a_large_graph_is_cut_around_its_entry() -> None:
    """The picture has at most `MAX_CARDS` cards, the entry among them."""
    cards = tuple(Card(f"file:{n}", "file", n, "n", "n") for n in range(500))
    bundle = NotebookGraph(cards, entry="file:450")._repr_mimebundle_()
    assert bundle["text/html"].count('class="card') == MAX_CARDS
    assert 'class="card entered"' in bundle["text/html"]


def test_the_picture_has_clusters_and_the_text_every_run() -> None:
    """Twelve similar exports are one card of the picture."""
    runs = [Card(f"task:{n}", "task", n, "Export", "Export", state="finished") for n in range(12)]
    files = [Card(f"file:{n}", "file", n, f"{n}.tar", f"{n}.tar") for n in range(12)]
    arrows = [Arrow("project:1", run.key, "input") for run in runs]
    arrows += [Arrow(run.key, file.key, "output") for run, file in zip(runs, files, strict=True)]
    cards = (Card("project:1", "project", 1, "Lemons", "Lemons"), *runs, *files)
    bundle = NotebookGraph(cards, tuple(arrows), "project:1")._repr_mimebundle_()
    assert bundle["image/svg+xml"].count('class="card') == 3
    assert all(f"task:{n} " in bundle["text/plain"] for n in range(12))


def test_a_trace_is_shown_as_its_tree_and_picture() -> None:
    """The text is the tree of `render.ancestry`."""
    graph = Graph(
        (Card("file:1", "file", 1, "best.pt", "best.pt"), Card("task:5", "task", 5, "Train", "Train")),
        (Arrow("task:5", "file:1", "output"),),
        "file:1",
    )
    bundle = NotebookTrace("file:1", graph)._repr_mimebundle_()
    assert "Train" in bundle["text/plain"]
    assert bundle["image/svg+xml"].startswith("<svg")
