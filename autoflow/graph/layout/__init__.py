"""The layered picture of a graph, left to right: the same graph always gives the same picture.

Each part of the graph goes through the same steps: circles are opened, cards ranked into columns, columns
ordered, heights settled, arrows routed. Then the parts are packed on one grid of columns, so that the strips
between columns hold arrows and never a card.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from autoflow.graph.graph import Graph
from autoflow.graph.layout.columns import Columns, Link
from autoflow.graph.layout.cycles import back_links
from autoflow.graph.layout.geometry import CARD_WIDTH, PITCH, Box, Layout, Route, height_of
from autoflow.graph.layout.lru_cache import Kept
from autoflow.graph.layout.ordering import order
from autoflow.graph.layout.packing import pack, parts
from autoflow.graph.layout.ranks import ranks
from autoflow.graph.layout.routes import Corners, corners
from autoflow.graph.layout.y_assignment import middles

__all__ = ["Box", "Layout", "Route", "lay_out"]

Pair = tuple[int, int]

KEPT = 100_000  # cards and arrows of parts that are kept as they were drawn


def lay_out(graph: Graph) -> Layout:
    """Compute where every card stands and where every arrow runs.

    The part that holds the entry card comes first, the others follow in the order of their first cards.
    """
    index = {card.key: number for number, card in enumerate(graph.cards)}
    pairs = [(index.get(arrow.source, -1), index.get(arrow.target, -1)) for arrow in graph.arrows]
    links = list(dict.fromkeys(pair for pair in pairs if min(pair) >= 0))
    heights = [height_of(card) for card in graph.cards]
    times = [(card.at is None, card.at or "") for card in graph.cards]
    entry = index.get(graph.entry or "", -1)
    pieces = sorted(parts(len(graph.cards), links), key=lambda piece: entry not in piece)
    owner = [0] * len(graph.cards)
    for number, piece in enumerate(pieces):
        for vertex in piece:
            owner[vertex] = number
    inner: list[list[Pair]] = [[] for _ in pieces]
    for pair in links:
        inner[owner[pair[0]]].append(pair)
    drawn = [_draw(piece, linked, heights, times) for piece, linked in zip(pieces, inner, strict=True)]
    places = pack([size for _, _, size in drawn])
    boxes = [Box(0, 0, 0, 0)] * len(graph.cards)
    ways: dict[Pair, tuple[Corners, bool]] = {}
    for (spots, routes, _), (column, down) in zip(drawn, places, strict=True):
        along = column * PITCH
        for vertex, (x, y) in spots.items():
            boxes[vertex] = Box(x + along, y + down, CARD_WIDTH, heights[vertex])
        for pair, (points, back) in routes.items():
            ways[pair] = tuple((x + along, y + down) for x, y in points), back
    return Layout(
        {card.key: box for card, box in zip(graph.cards, boxes, strict=True)},
        tuple(Route(arrow, *ways[pair]) for arrow, pair in zip(graph.arrows, pairs, strict=True) if pair in ways),
        max((box.x + box.width for box in boxes), default=0),
        max((down + size[1] for (_, down), (_, _, size) in zip(places, drawn, strict=True)), default=0),
    )


def _draw(
    piece: list[int], links: list[Pair], heights: Sequence[int], times: Sequence[tuple[bool, str]]
) -> tuple[dict[int, Pair], dict[Pair, tuple[Corners, bool]], Pair]:
    """Lay out one connected part at the origin: top left corners, ways with their `back` mark, (columns, height)."""
    local = {vertex: number for number, vertex in enumerate(piece)}
    pairs = tuple((local[tail], local[head]) for tail, head in links)
    within = _Piece(pairs, tuple(heights[vertex] for vertex in piece), _places([times[vertex] for vertex in piece]))
    drawn = _kept(within)
    return (
        dict(zip(piece, drawn.spots, strict=True)),
        {(piece[tail], piece[head]): way for (tail, head), way in zip(pairs, drawn.ways, strict=True)},
        drawn.size,
    )


class _Piece(NamedTuple):
    """All that the picture of a connected part depends on, its cards numbered from 0."""

    pairs: tuple[Pair, ...]
    heights: tuple[int, ...]
    times: tuple[int, ...]


class _Drawn(NamedTuple):
    """A part's top left corners in the order of its cards, its ways in that of its pairs; (columns, height)."""

    spots: tuple[Pair, ...]
    ways: tuple[tuple[Corners, bool], ...]
    size: Pair


def _places(times: list[tuple[bool, str]]) -> tuple[int, ...]:
    """The place of each time among them all."""
    place = {time: number for number, time in enumerate(sorted(set(times)))}
    return tuple(place[time] for time in times)


def _drawn(piece: _Piece) -> _Drawn:
    pairs, heights, times = piece
    following: list[list[int]] = [[] for _ in heights]
    sources = [True] * len(heights)
    for tail, head in pairs:
        following[tail].append(head)
        sources[head] = sources[head] and tail == head
    # What existed first stands left in a circle: the run that came later is the one to write back.
    starts = sorted(range(len(heights)), key=lambda vertex: (not sources[vertex], times[vertex], vertex))
    back = back_links(following, starts)
    loose: list[Link] = [
        (head, tail, True) if (tail, head) in back else (tail, head, False) for tail, head in pairs if tail != head
    ]
    forward: list[dict[int, None]] = [{} for _ in heights]
    for tail, head, _ in loose:
        forward[tail][head] = None
    columns = Columns.of(ranks([list(heads) for heads in forward]), loose)
    order(columns)
    y = middles(columns, list(heights))
    spots = tuple((columns.rank[n] * PITCH, y[n] - height // 2) for n, height in enumerate(heights))
    ways = tuple(
        (corners(columns, y, tail, head, back=(tail, head) in back), (tail, head) in back) for tail, head in pairs
    )
    tall = max((top + height for (_, top), height in zip(spots, heights, strict=True)), default=0)
    return _Drawn(spots, ways, (len(columns.layers), max(tall, max(y, default=0))))


# most parts of a graph are as they were when it was last looked at
_kept = Kept(_drawn, lambda piece: len(piece.heights) + len(piece.pairs), KEPT)
