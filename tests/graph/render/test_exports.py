"""Mermaid and Graphviz: texts for other programs, which hostile names must not break out of."""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.graph.graph import Arrow, Card, Graph
from autoflow.graph.render.dot import render_dot
from autoflow.graph.render.mermaid import render_mermaid

pytestmark = pytest.mark.core

HOSTILE = (
    '"] --> x["',
    '%%{init: {"theme":"dark"}}%%',
    "a\n%% b\r\nend",
    "<img src=x onerror=alert(1)>",
    'click n0 "javascript:alert(1)"',
    "`**md**`",
    "#quot; &amp; &#34;",
    "\\n \\N \\",
    "ünïcödé 日本",
    "\x1b[31m\x00",
    "1. list",
)


def graph(*titles: str) -> Graph:
    cards = tuple(Card(f"file:{n}", "file", n, title, title) for n, title in enumerate(titles))
    return Graph(cards, tuple(Arrow("file:0", card.key, "input") for card in cards[1:]), title=titles[0])


def test_mermaid_of_the_demo(demo: Graph) -> None:
    """Runs are boxes with their state, projects cylinders, weights hexagons; versions hang on dotted lines."""
    shown = render_mermaid(demo)
    assert shown.startswith('flowchart LR\n  n0[("Handwritten digits<br/>project 1")]\n')
    assert 'n2{{"Checkpoints #40;digits.pkl#41;<br/>model weight 11"}}' in shown
    assert 'n8["Evaluate digits<br/>run 13, failed"]' in shown
    assert "  n0 -.-> n1\n" in shown
    assert "  n1 --> n7\n" in shown


NODE = re.compile(r'  n\d+\("([^"]*)"\)')
OTHER = re.compile(r"  (?:n\d+ (?:-->|-\.->) n\d+|classDef \w+ [\w#:,-]+|class [n\d,]+ \w+)")


def ours(line: str) -> bool:
    """Whether a line is a link or a style, or a node whose label holds nothing but words and entity codes."""
    node = NODE.fullmatch(line)
    label = re.sub(r"#\d+;|<br/>", "", node[1]) if node else ""
    return not set(label) & set('"`<>{}()[]%|;\\$&#') if node else OTHER.fullmatch(line) is not None


@pytest.mark.parametrize("title", HOSTILE)
def test_mermaid_keeps_hostile_titles_inside_their_labels(title: str) -> None:
    """Every line is a node, a link or a style of ours, and a label holds nothing that Mermaid would read."""
    first, *lines = render_mermaid(graph("one", title)).splitlines()
    assert first == "flowchart LR"
    assert all(ours(line) for line in lines)


@given(st.text())
def test_mermaid_keeps_any_title_inside_its_label(title: str) -> None:
    """The same for any text."""
    lines = render_mermaid(graph(title)).splitlines()
    assert all(ours(line) for line in lines[1:])
    assert len(lines) == 4


def test_dot_of_the_demo(demo: Graph) -> None:
    """Left to right, titled, with the entry outlined and failures coloured."""
    shown = render_dot(demo)
    assert shown.startswith("digraph workflow {\n  graph [rankdir=LR, label=")
    assert 'n0 [label="Handwritten digits\\nproject 1", shape=cylinder, color="#2f6fd6", penwidth=2]' in shown
    assert "  n0 -> n1 [style=dashed]\n" in shown


@given(st.text())
def test_dot_keeps_any_title_inside_its_quotes(title: str) -> None:
    """A line has an even number of unescaped quotes and no control character, whatever the title."""
    for line in render_dot(graph(title)).split("\n"):
        assert len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) % 2 == 0
        assert not [sign for sign in line if unicodedata.category(sign)[0] == "C"]


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_shows_hostile_titles_literally() -> None:
    """The program has as many nodes as there are cards, and shows backslashes and entities literally."""
    done = subprocess.run(
        ["dot", "-Tplain"], input=render_dot(graph(*HOSTILE)), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert sum(line.startswith("node ") for line in done.stdout.splitlines()) == len(HOSTILE)


@pytest.mark.parametrize("form", [render_mermaid, render_dot])
def test_arrows_to_absent_cards_and_empty_graphs(form) -> None:  # type: ignore[no-untyped-def]
    """Absent cards are not named."""
    assert "absent" not in form(Graph(graph("x").cards, (Arrow("file:0", "absent", "input"),)))
    assert form(Graph()).endswith("\n")
