"""The layered picture of a graph, left to right: the same graph always gives the same picture.

Each part of the graph goes through the same steps: circles are opened, cards ranked into columns, columns
ordered, heights settled, arrows routed. Then the parts are packed on one grid of columns, so that the strips
between columns hold arrows and never a card.
"""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.graph.graph import Graph
from autoflow.graph.layout.columns import Columns, Link
from autoflow.graph.layout.cycles import back_links
from autoflow.graph.layout.heights import middles
from autoflow.graph.layout.ordering import order
from autoflow.graph.layout.packing import pack, parts
from autoflow.graph.layout.ranks import ranks
from autoflow.graph.layout.routes import Corners, corners
from autoflow.graph.layout.shape import CARD_WIDTH, PITCH, Box, Layout, Route, height_of

__all__ = ["Box", "Layout", "Route", "lay_out"]

Pair = tuple[int, int]


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
    pairs = [(local[tail], local[head]) for tail, head in links]
    following: list[list[int]] = [[] for _ in piece]
    sources = [True] * len(piece)
    for tail, head in pairs:
        following[tail].append(head)
        sources[head] = sources[head] and tail == head
    # What existed first stands left in a circle: the run that came later is the one to write back.
    starts = sorted(range(len(piece)), key=lambda vertex: (not sources[vertex], times[piece[vertex]], vertex))
    back = back_links(following, starts)
    loose: list[Link] = [
        (head, tail, True) if (tail, head) in back else (tail, head, False) for tail, head in pairs if tail != head
    ]
    forward: list[dict[int, None]] = [{} for _ in piece]
    for tail, head, _ in loose:
        forward[tail][head] = None
    columns = Columns.of(ranks([list(heads) for heads in forward]), loose)
    order(columns)
    y = middles(columns, [heights[vertex] for vertex in piece])
    spots = {vertex: (columns.rank[n] * PITCH, y[n] - heights[vertex] // 2) for n, vertex in enumerate(piece)}
    ways = {
        (piece[tail], piece[head]): (corners(columns, y, tail, head, back=(tail, head) in back), (tail, head) in back)
        for tail, head in pairs
    }
    tall = max((spots[vertex][1] + heights[vertex] for vertex in piece), default=0)
    return spots, ways, (len(columns.layers), max(tall, max(y, default=0)))
