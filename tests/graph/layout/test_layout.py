"""Properties of the layout of any graph."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.graph import layout
from autoflow.graph.graph import Arrow, Card, Graph
from autoflow.graph.layout import Box, Layout, Route, compute_layout
from autoflow.process.lru_cache import LruCache

pytestmark = [pytest.mark.core, pytest.mark.slow]


def cards(prefix: str, pictures: list[bool]) -> tuple[Card, ...]:
    return tuple(
        Card(
            f"{prefix}:{number}",
            "project" if picture else "task",
            number,
            "name",
            "title",
            preview="/p" if picture else None,
        )
        for number, picture in enumerate(pictures)
    )


@st.composite
def graphs(draw: st.DrawFn, prefix: str = "card", most: int = 14) -> Graph:
    made = cards(prefix, draw(st.lists(st.booleans(), min_size=1, max_size=most)))
    ends = st.integers(0, len(made) - 1)
    pairs = draw(st.lists(st.tuples(ends, ends), max_size=2 * len(made)))
    entry = draw(st.none() | st.sampled_from([card.key for card in made]))
    return Graph(made, tuple(Arrow(made[a].key, made[b].key, "input") for a, b in pairs), entry)


def dense(seed: int, size: int) -> Graph:
    dice = random.Random(seed)
    made = cards("card", [dice.random() < 0.3 for _ in range(size)])
    pairs = [(dice.randrange(size), dice.randrange(size)) for _ in range(2 * size)]
    return Graph(made, tuple(Arrow(made[a].key, made[b].key, "input") for a, b in pairs))


def overlap(first: Box, second: Box) -> bool:
    return (
        first.x < second.x + second.width
        and second.x < first.x + first.width
        and first.y < second.y + second.height
        and second.y < first.y + first.height
    )


def crosses(box: Box, route: Route) -> bool:
    """Whether a stretch of the route runs through the inside of the box (stretches are flat or between columns)."""
    for (x1, y1), (x2, y2) in pairwise(route.points):
        left, right = min(x1, x2), max(x1, x2)
        upper, lower = min(y1, y2), max(y1, y2)
        beside = right <= box.x or left >= box.x + box.width
        if not beside and upper < box.y + box.height and lower > box.y:
            return True
    return False


def parts(graph: Graph) -> list[set[str]]:
    components = [{card.key} for card in graph.cards]
    for arrow in graph.arrows:
        touched = [part for part in components if arrow.source in part or arrow.target in part]
        components = [part for part in components if part not in touched] + [set().union(*touched)]
    return components


def check(graph: Graph, layout: Layout) -> None:
    boxes = list(layout.boxes.values())
    assert not any(overlap(first, second) for n, first in enumerate(boxes) for second in boxes[:n])
    assert not any(crosses(box, route) for route in layout.routes for box in boxes)
    assert all(box.x >= 0 and box.y >= 0 for box in boxes)
    assert all(box.x + box.width <= layout.width and box.y + box.height <= layout.height for box in boxes)


@given(graphs())
def test_cards_do_not_overlap_and_routes_avoid_them(graph: Graph) -> None:
    """Boxes and routes lie within the stated size."""
    check(graph, compute_layout(graph))


@pytest.mark.parametrize("seed", range(8))
def test_larger_graphs_do_not_overlap_either(seed: int) -> None:
    """Eighty cards with twice as many arrows, among them cycles and tall cards."""
    graph = dense(seed, 80)
    check(graph, compute_layout(graph))


@given(graphs(), st.integers(1, 6))
def test_a_layout_around_cards_that_stand_is_as_sound(graph: Graph, new: int) -> None:
    """Nothing overlaps however many cards are new, and if none is, none moves."""
    older = Graph(graph.cards[:-new], tuple(arrow for arrow in graph.arrows), graph.entry)
    positions = {key: box[:2] for key, box in compute_layout(older).boxes.items()}
    check(graph, compute_layout(graph, positions))
    before = compute_layout(graph)
    assert compute_layout(graph, {key: box[:2] for key, box in before.boxes.items()}) == before


@pytest.mark.parametrize("seed", range(3))
def test_cards_stay_when_others_are_added(seed: int) -> None:
    """Run after run on a project and its outputs, each with a version: every card that stands stays where it is, and
    the versions ascend downward.
    """
    dice = random.Random(seed)
    made = [Card("project:1", "project", 1, "p", "p", preview="/p")]
    arrows: list[Arrow] = []
    positions: dict[str, tuple[int, int]] = {}
    for number in range(1, 24):
        version, run, file = f"project_version:{number}", f"task:{number}", f"file:{number}"
        made += [
            Card(version, "project_version", number, "v", "v", badge=f"V{number}", parent="project:1"),
            Card(run, "task", number, "t", "t"),
            Card(file, "file", number, "f", "f"),
        ]
        arrows += [
            Arrow("project:1", version, "version"),
            Arrow(version, run, "input"),
            Arrow(run, file, "output"),
        ]
        if number > 2 and dice.random() < 0.5:
            arrows.append(Arrow(f"file:{dice.randrange(1, number)}", run, "input"))
        graph = Graph(tuple(made), tuple(arrows))
        result = compute_layout(graph, positions)
        check(graph, result)
        moved = [
            key
            for key, (_, y) in positions.items()
            if result.boxes[key].y - y != result.boxes["project:1"].y - positions["project:1"][1]
        ]
        assert moved == []
        heights = [result.boxes[f"project_version:{n}"].y for n in range(1, number + 1)]
        columns = {result.boxes[f"project_version:{n}"].x for n in range(1, number + 1)}
        assert len(columns) > 1 or heights == sorted(heights)
        positions = {key: box[:2] for key, box in result.boxes.items()}


@given(graphs())
def test_arrows_point_right_unless_marked(graph: Graph) -> None:
    """A route that is not marked as back runs left to right all the way; a marked one right to left."""
    for route in compute_layout(graph).routes:
        steps = [after[0] - before[0] for before, after in pairwise(route.points)]
        if route.arrow.source == route.arrow.target:
            assert route.back
        elif route.back:
            assert all(step < 0 for step in steps)
        else:
            assert all(step > 0 for step in steps)


@given(graphs())
def test_no_arrow_of_an_acyclic_graph_points_back(graph: Graph) -> None:
    """Arrows from earlier to later cards form no cycle."""
    index = {card.key: number for number, card in enumerate(graph.cards)}
    ahead = tuple(arrow for arrow in graph.arrows if index[arrow.source] < index[arrow.target])
    assert not any(route.back for route in compute_layout(replace(graph, arrows=ahead)).routes)


@given(graphs())
def test_routes_join_the_sides_of_their_cards(graph: Graph) -> None:
    """Every arrow has a route, in the arrows' order, from its source's side to its target's side."""
    layout = compute_layout(graph)
    assert [route.arrow for route in layout.routes] == list(graph.arrows)
    for route in layout.routes:
        for key, (x, y) in ((route.arrow.source, route.points[0]), (route.arrow.target, route.points[-1])):
            box = layout.boxes[key]
            assert x in (box.x, box.x + box.width)
            assert box.y < y < box.y + box.height


@given(graphs())
def test_the_layout_is_deterministic(graph: Graph) -> None:
    """The same graph has the same layout each time."""
    assert compute_layout(graph) == compute_layout(Graph.from_json(graph.to_json()))


@given(graphs())
def test_components_do_not_share_columns_and_rows(graph: Graph) -> None:
    """The area of one component holds no card of another."""
    boxes = compute_layout(graph).boxes
    frames = []
    for part in parts(graph):
        inside = [boxes[key] for key in part]
        x, y = min(box.x for box in inside), min(box.y for box in inside)
        right, bottom = max(box.x + box.width for box in inside), max(box.y + box.height for box in inside)
        frames.append(Box(x, y, right - x, bottom - y))
    assert not any(overlap(first, second) for n, first in enumerate(frames) for second in frames[:n])


@given(graphs("old"), graphs("new", most=6))
def test_a_new_component_moves_others_only_as_a_whole(old: Graph, new: Graph) -> None:
    """Inside a component nothing moves."""
    before = compute_layout(old).boxes
    after = compute_layout(Graph(old.cards + new.cards, old.arrows + new.arrows, old.entry)).boxes
    for part in parts(old):
        moves = {(after[key].x - before[key].x, after[key].y - before[key].y) for key in part}
        heights = {key: after[key].height == before[key].height for key in part}
        assert len(moves) == 1
        assert all(heights.values())


def test_a_component_that_fits_moves_nothing() -> None:
    """Earlier components keep their positions while the sheet keeps its width."""
    some = cards("old", [False] * 20)
    before = compute_layout(Graph(some)).boxes
    after = compute_layout(Graph(some + cards("new", [False]))).boxes
    assert {key: after[key] for key in before} == before


def test_writing_into_an_input_points_back() -> None:
    """A run that writes into the project it read stands right of it, and the output arrow is marked."""
    made = (
        Card("task:1", "task", 1, "Label", "Label", at="2026-11-02"),
        Card("project:1", "project", 1, "Digits", "Digits", at="2026-11-01"),
    )
    layout = compute_layout(
        Graph(made, (Arrow("project:1", "task:1", "input"), Arrow("task:1", "project:1", "output")))
    )
    assert [route.back for route in layout.routes] == [False, True]
    assert layout.boxes["project:1"].x < layout.boxes["task:1"].x
    forth, back = layout.routes
    assert not set(forth.points) & set(back.points)


def test_a_self_loop_is_drawn_beside_its_card() -> None:
    """It is marked as back and stays in the strip right of the card."""
    layout = compute_layout(Graph(cards("card", [False]), (Arrow("card:0", "card:0", "output"),)))
    (loop,) = layout.routes
    assert loop.back
    assert all(x >= layout.boxes["card:0"].width for x, _ in loop.points)


def test_an_arrow_to_an_absent_card_has_no_route() -> None:
    """A part of a graph may have arrows to cards outside it."""
    assert compute_layout(Graph(cards("card", [False]), (Arrow("card:0", "absent:1", "input"),))).routes == ()


def test_an_empty_graph_has_an_empty_layout() -> None:
    """Its size is 0."""
    assert compute_layout(Graph()) == Layout({}, (), 0, 0)


def test_the_entrys_component_comes_first() -> None:
    """It stands at the top left."""
    made = cards("card", [False, False, False])
    boxes = compute_layout(Graph(made, entry="card:2")).boxes
    assert boxes["card:2"][:2] == (0, 0)


def test_cards_with_pictures_are_tall() -> None:
    """Projects with a preview are 312 x 284 pixels, versions 312 x 56; all else, also a previewed weight, 312 x 82."""
    made = (*cards("card", [True, False]), Card("file:1", "model_weight", 1, "w", "w", preview="/p"))
    sizes = [box[2:] for box in compute_layout(Graph(made)).boxes.values()]
    assert sizes == [(312, 284), (312, 82), (312, 82)]


def test_a_long_edge_runs_straight_past_the_cards_between() -> None:
    """A project read by each run of a chain is one level trunk, which each branch leaves with few corners."""
    made = [Card("project:1", "project", 1, "p", "p")]
    arrows = []
    for number in range(40):
        made += [Card(f"task:{number}", "task", number, "t", "t"), Card(f"file:{number}", "file", number, "f", "f")]
        arrows.append(Arrow("project:1", f"task:{number}", "input"))
        arrows.append(Arrow(f"task:{number}", f"file:{number}", "output"))
        if number:
            arrows.append(Arrow(f"file:{number - 1}", f"task:{number}", "input"))
    graph = Graph(tuple(made), tuple(arrows))
    layout = compute_layout(graph)
    check(graph, layout)
    assert max(len(route.points) for route in layout.routes) <= 6
    assert layout.height < 400


def test_the_json_form_has_lists_of_numbers() -> None:
    """The page gets numbers and keys only."""
    made = cards("card", [False, False])
    form = compute_layout(Graph(made, (Arrow("card:0", "card:1", "input"),))).to_json()
    assert form["boxes"] == {"card:0": [0, 0, 312, 82], "card:1": [376, 0, 312, 82]}
    assert form["routes"] == [
        {"source": "card:0", "target": "card:1", "kind": "input", "points": [[312, 41], [376, 41]], "back": False}
    ]


def chain(name: str, length: int) -> tuple[list[Card], list[Arrow]]:
    """Return the cards and arrows of one component."""
    cards = [Card(f"file:{name}{n}", "file", n, "f", "f", at=f"2026-11-01T10:{n:02d}:00Z") for n in range(length)]
    return cards, [Arrow(source.key, target.key, "input") for source, target in pairwise(cards)]


def test_an_unchanged_component_is_not_laid_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """New components are; the layout equals one without a cache."""
    sizes: list[int] = []
    compute = layout._lay_out
    monkeypatch.setattr(
        layout, "_lay_out", lambda component: sizes.append(len(component.heights)) or compute(component)
    )
    monkeypatch.setattr(layout, "_cache", LruCache(1000))
    first, second, third = chain("a", 3), chain("b", 5), chain("c", 7)
    compute_layout(Graph((*first[0], *second[0]), (*first[1], *second[1])))
    assert sizes == [3, 5]
    graph = Graph((*first[0], *second[0], *third[0]), (*first[1], *second[1], *third[1]))
    cached = compute_layout(graph)
    assert sizes == [3, 5, 7]
    monkeypatch.setattr(layout, "_cache", LruCache(0, lambda component: 1))
    assert compute_layout(graph) == cached
