"""Every format shows all arrows of a graph and no others."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from autoflow.graph.clusters import MIN_CARDS, cluster_cards
from autoflow.graph.filters import FilterOptions, filter_graph
from autoflow.graph.graph import Arrow, Card, Graph
from autoflow.graph.layout import compute_layout
from autoflow.graph.render.ancestry import render_trace
from autoflow.graph.render.dot import render_dot
from autoflow.graph.render.html import render_html
from autoflow.graph.render.mermaid import render_mermaid
from autoflow.graph.render.summary_tree import tree_lines
from autoflow.graph.render.text import render_text
from autoflow.graph.subgraph import upstream
from autoflow.graph.trace import Trace
from tests.graph.lineages import datum, holds_for_all, lineages, task

pytestmark = [pytest.mark.core, pytest.mark.slow]


def pairs(graph):
    return {(arrow.source, arrow.target) for arrow in graph.arrows}


def tree(graph):
    """The printed tree as (depth, words) a line: what a person reads."""
    shown = render_text(graph).split("\n\n")[1]
    lead = re.compile(r"(?:│   |    )*(?:├─▶ |└─▶ )?")
    return [(len(lead.match(line)[0]) // 4, line[len(lead.match(line)[0]) :]) for line in shown.splitlines()]


def claimed(indented):
    """The (above, below) pairs that indentation claims."""
    stack, claims = [], []
    for depth, words in indented:
        del stack[depth:]
        claims += [(stack[-1], words)] if stack else []
        stack.append(words)
    return claims


def test_unconnected_chains_share_no_line():
    """Models whose titles differ by a number are two lines, because only one of them is served."""
    cards = (
        task(1, "Train lemons"),
        task(2, "Train kiwis"),
        datum(1, "file", "model 1.pt"),
        datum(2, "file", "model 2.pt"),
        task(3, "Serve kiwis"),
    )
    arrows = (
        Arrow("task:1", "file:1", "output"),
        Arrow("task:2", "file:2", "output"),
        Arrow("file:2", "task:3", "input"),
    )
    assert [words.split("  ")[0] for _, words in tree(Graph(cards, arrows))] == [
        "Train lemons",
        "model 1.pt",
        "Train kiwis",
        "model 2.pt",
        "Serve kiwis",
    ]


@given(lineages())
def test_a_branch_of_the_tree_holds_for_every_card_of_its_lines(graph):
    """Each card is in one line's group; a line below another stands for an arrow of all cards of both."""
    shown = list(tree_lines(graph))
    groups = {line.group.keys for line in shown}
    assert sorted(key for keys in groups for key in keys) == sorted(card.key for card in graph.cards)
    claims = claimed([(len(line.last), line.group.keys) for line in shown])
    assert all(holds_for_all(graph.arrows, above, below) for above, below in claims)
    group_of = {key: keys for keys in groups for key in keys}
    assert set(claims) == {(group_of[source], group_of[target]) for source, target in pairs(graph)}


@given(lineages())
def test_the_printed_tree_can_be_parsed_back(graph):
    """Lines of different cards have different texts, and indentation alone gives the arrows between them."""
    names, group_of, continued = {}, {}, re.compile(r"  (↑ above|↓ below)$")
    for line, (depth, words) in zip(tree_lines(graph), tree(graph), strict=True):
        assert depth == len(line.last)
        if not line.continued:
            assert names.setdefault(words, line.group.keys) == line.group.keys
        group_of |= dict.fromkeys(line.group.keys, line.group.keys)

    def group_of_text(words):
        if words in names:
            return names[words]
        start = continued.sub("", words)
        (group_keys,) = {keys for own, keys in names.items() if own == start or own.startswith(start + "  ")}
        return group_keys

    read = {(group_of_text(above), group_of_text(below)) for above, below in claimed(tree(graph))}
    assert read == {(group_of[source], group_of[target]) for source, target in pairs(graph)}


@given(lineages())
def test_the_tree_counts_omitted_neighbours(graph):
    """Counts of the cards on a line are added up."""
    counts = {}
    for line, (_, words) in zip(tree_lines(graph), tree(graph), strict=True):
        if count := re.search(r"\+(\d+) more$", words):
            counts[line.group.keys] = int(count[1])
    assert sum(counts.values()) == sum(card.more for card in graph.cards)


@given(lineages(copies=7, most=5))
def test_an_arrow_of_a_cluster_holds_for_every_card_in_it(graph):
    """Clusters never join paths that share no card, and no arrow is lost."""
    clustered = cluster_cards(graph)
    members = {card.key: card.members or (card.key,) for card in clustered.cards}
    stands = {member: key for key, of in members.items() for member in of}
    assert all(len(of) == 1 or len(of) >= MIN_CARDS for of in members.values())
    assert all(holds_for_all(graph.arrows, members[a.source], members[a.target], a.kind) for a in clustered.arrows)
    assert set(clustered.arrows) == {Arrow(stands[a.source], stands[a.target], a.kind) for a in graph.arrows}


@given(lineages())
def test_mermaid_dot_layout_and_table_have_the_arrows_of_the_graph(graph):
    """Each format has each arrow of the graph once."""
    keys = [card.key for card in graph.cards]
    for written, sign in ((render_mermaid(graph), r"-\.?->"), (render_dot(graph), "->")):
        matches = [
            re.fullmatch(rf" +n(\d+) {sign} n(\d+)(?: \[style=dashed\])?", line) for line in written.splitlines()
        ]
        read = [(keys[int(line[1])], keys[int(line[2])]) for line in matches if line]
        assert set(read) == pairs(graph)
    routes = [(route.arrow.source, route.arrow.target) for route in compute_layout(graph).routes]
    assert set(routes) == pairs(graph)
    assert render_html(graph).count('class="way') == len(set(graph.arrows))


@given(lineages())
def test_a_printed_trace_can_be_parsed_back(graph):
    """Indentation gives every arrow upstream of the traced entity, and no other."""
    if graph.entry is None:
        return
    ancestors = upstream(graph, graph.entry)
    shown = render_trace(Trace("x", ancestors)).splitlines()
    lead = re.compile(r"(?:│  |   )*(?:├─ |└─ )?")
    kinds = {"version": "project_version"}
    read = claimed(
        [
            (len(lead.match(line)[0]) // 3, ":".join((kinds.get(kind, kind), number)))
            for line in shown
            for kind, number in re.findall(r"  (\w+):(\d+)", line)
        ]
    )
    assert {(below, above) for above, below in read} == pairs(ancestors)


@given(lineages())
def test_a_filtered_graph_counts_omitted_neighbours(graph):
    """A filter adds no arrow but along paths of hidden cards, and each card counts its hidden neighbours."""
    for options in (
        FilterOptions(apps=frozenset({"Train"})),
        FilterOptions(kinds=frozenset({"task"})),
        FilterOptions(kinds=frozenset({"file"})),
    ):
        filtered = filter_graph(graph, options)
        visible = {card.key for card in filtered.cards}
        indirect = {(arrow.source, arrow.target) for arrow in filtered.arrows if arrow.kind == "indirect"}
        assert pairs(filtered) - indirect == {(a, b) for a, b in pairs(graph) if {a, b} <= visible}
        for source, target in indirect:
            steps = [b for a, b in pairs(graph) if a == source and b not in visible]
            for key in steps:  # the list grows during the loop
                steps += [b for a, b in pairs(graph) if a == key and key not in visible and b not in steps]
            assert target in steps
        plain = {card.key: card for card in graph.cards}
        for card in filtered.cards:
            near = {b if a == card.key else a for a, b in pairs(graph) if card.key in (a, b)}
            assert card.more == plain[card.key].more + len(near - visible - {card.key})


def test_a_filter_does_not_cluster_weights_of_three_runs():
    """One card would state that each run wrote all six weights."""
    runs = [task(n) for n in range(3)]
    weights = [datum(n, "model_weight", f"{n}.pt") for n in range(6)]
    arrows = [Arrow(f"task:{n // 2}", f"model_weight:{n}", "output") for n in range(6)]
    project = datum(9, "project", "Lemons")
    arrows += [Arrow(project.key, run.key, "input") for run in runs]
    graph = Graph((project, *runs, *weights), tuple(arrows))
    assert len(cluster_cards(filter_graph(graph, FilterOptions(apps=frozenset({"Train"})))).cards) == 10


def test_a_group_of_versions_states_its_count():
    """Five versions from V1 to V9 are marked as five."""
    project = datum(1, "project", "Lemons")
    versions = [
        Card(
            f"project_version:{n}", "project_version", n, "Lemons", f"(V{n}) Lemons", badge=f"V{n}", parent=project.key
        )
        for n in (1, 3, 5, 7, 9)
    ]
    arrows = tuple(Arrow(project.key, version.key, "version") for version in versions)
    assert "Lemons V1, …, V9 \u00d75  version" in render_text(Graph((project, *versions), arrows))


def test_a_long_chain_continues_at_the_left():
    """Both trees stay narrow and fast for a chain of thousands, and can be parsed back."""
    size = 3000
    cards = [Card(f"project:{n}", "project", n, f"p{n}", f"p{n}") for n in range(size)]
    arrows = [Arrow(f"project:{n}", f"project:{n + 1}", "version") for n in range(size - 1)]
    graph = Graph(tuple(cards), tuple(arrows), f"project:{size - 1}")
    read = claimed([(depth, words.split(" ")[0]) for depth, words in tree(graph)])
    assert set(read) == {(f"p{n}", f"p{n + 1}") for n in range(size - 1)}
    assert max(map(len, render_text(graph).splitlines())) < 160
    shown = render_trace(Trace("x", graph))
    assert max(map(len, shown.splitlines())) < 160
    assert shown.count("(below)") > 100
    assert all(f"project:{n}  " in shown for n in range(size))
