"""The graph printed in a terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.graph.graph import Arrow, Card, Graph
from autoflow.graph.render.text import render_text

pytestmark = pytest.mark.core

CHAIN = """\
Import digits \u00d72  finished
└─▶ Handwritten digits ◆  project
    ├─▶ Handwritten digits V1, V2  version
    │   └─▶ Train digits \u00d72  finished
    │       └─▶ Checkpoints (digits.pkl) \u00d72  model weight
    │           ├─▶ Evaluate digits \u00d72  1 failed, 1 finished
    │           │   └─▶ Model Benchmark (report.md) \u00d72  file
    │           └─▶ Serve digits \u00d72  1 lost, 1 running
    │               └─▶ Serve digits \u00d72  app session
    ├─▶ Evaluate digits \u00d72  ↑ above
    └─▶ Export to COCO \u00d72  finished
        └─▶ Project Archive: digits.tar \u00d72  file
"""


def test_the_summary_has_a_branch_for_each_app(demo: Graph) -> None:
    """Ten runs of five apps are five branches of one tree, from the import on."""
    assert CHAIN in render_text(demo)


def test_each_run_shows_its_inputs_and_outputs(demo: Graph) -> None:
    """Each with its state, the origin of its inputs and the use of its outputs."""
    block = render_text(demo).split("11:10  ✓ Train digits")[1].split("11:11")[0]
    assert block.splitlines() == [
        "  task:12  finished",
        "         ← (V1) Handwritten digits   version       version:1  ⇐ Handwritten digits project:1",
        "         → Checkpoints (digits.pkl)  model weight  file:11    ⇒ Evaluate digits task:13, Serve digits task:15",
        "  ",
    ]


def test_runs_are_listed_by_day_and_time(demo: Graph) -> None:
    """Days and times are in the reader's zone, which is named."""
    shown = render_text(replace(demo, cards=demo.cards[::-1]), zone=timezone(timedelta(hours=3), "MSK"))
    assert shown.index("22 Nov 2026  MSK") < shown.index("14:09") < shown.index("23 Nov 2026  MSK")


def test_ascii_terminals_get_ascii(demo: Graph) -> None:
    """Without Unicode every symbol has an ASCII form, names are escaped, and columns stay aligned."""
    named = replace(demo.cards[0], name="Größe 数", title="Größe 数")
    shown = render_text(replace(demo, cards=(named, *demo.cards[1:])), unicode=False)
    assert shown.isascii()
    assert "`-> Gr\\xf6\\xdfe \\u6570 *  project" in shown
    assert "Import digits x2" in shown


def test_colors_are_optional(demo: Graph) -> None:
    """Without the escape codes the text is the plain one."""
    plain, colored = render_text(demo), render_text(demo, color=True)
    assert "\x1b" not in plain
    assert "\x1b[31m✗\x1b[0m" in colored


def test_a_hub_names_a_few_and_counts_the_rest() -> None:
    """A project read by a thousand runs takes a line for each run, not a thousand names in each line."""
    project = Card("project:1", "project", 1, "p", "p")
    maker = Card("task:0", "task", 0, "make", "make", at="2026-01-01T00:00:00Z")
    runs = tuple(Card(f"task:{n}", "task", n, "run", "run", at="2026-01-02T00:00:00Z") for n in range(1, 1001))
    arrows = tuple(Arrow("project:1", run.key, "input") for run in runs)
    shown = render_text(Graph((project, maker, *runs), (Arrow("task:0", "project:1", "output"), *arrows)))
    assert "⇒ run task:1 task:2 task:3 task:4, 996 more" in shown
    assert max(map(len, shown.splitlines())) < 120


def test_omitted_neighbours_and_unused_data_are_shown() -> None:
    """Data without a run has a section of its own."""
    graph = Graph(
        (Card("task:1", "task", 1, "Train", "Train", state="lost", more=3), Card("folder:/a", "folder", "/a", "a", "a"))
    )
    shown = render_text(graph)
    assert "? Train  task:1  lost  +3 more" in shown
    assert "No run here read or wrote\n         · a  folder  folder:/a" in shown


def test_a_cycle_is_unfolded_once() -> None:
    """A run that writes into the project it read does not make the tree endless."""
    cards = (Card("project:1", "project", 1, "p", "p"), Card("task:1", "task", 1, "Label", "Label"))
    arrows = (Arrow("project:1", "task:1", "input"), Arrow("task:1", "project:1", "output"))
    assert "p  project\n└─▶ Label\n    └─▶ p  ↑ above\n" in render_text(Graph(cards, arrows))


def test_a_card_of_another_server_names_it() -> None:
    """The reference has the server's host."""
    cards = (Card("project:7@https://app.example", "project", 7, "p", "p", origin="https://app.example"),)
    assert "project:7@app.example" in render_text(Graph(cards))


def test_an_empty_graph_is_two_lines() -> None:
    """Title and counts."""
    assert render_text(Graph()) == "Workflow\n0 runs, 0 data cards\n"


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_name_moves_the_cursor(name: str, title: str) -> None:
    """Control, format and direction characters are escaped."""
    shown = render_text(
        Graph((Card("task:1", "task", 1, name, title, state=name), Card("f", "folder", title, name, title)), title=name)
    )
    assert not [sign for sign in shown if (ord(sign) < 32 or 127 <= ord(sign) < 160) and sign != "\n"]
    assert not set(shown) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u200f\u2028\u2029\ufeff")
    shown.encode()


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_every_card_is_in_the_tree(pairs: list[tuple[int, int]]) -> None:
    """Whatever the arrows, cycles among them."""
    cards = tuple(Card(str(n), "project", n, f"name-{chr(65 + n)}", f"name-{chr(65 + n)}") for n in range(8))
    tree = render_text(Graph(cards, tuple(Arrow(str(a), str(b), "input") for a, b in pairs))).split("No run here")[0]
    assert all(card.name in tree for card in cards)
