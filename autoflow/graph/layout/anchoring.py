"""Positions of a component some of whose cards stand on a page already: those stay, new cards go where there is room.

A new card goes as close to its neighbours as the cards of its column leave room, and a version below the one before it.
The lines that pass through a column are placed last. The result crosses more arrows than a layout from nothing; a page
that is loaded again gets that.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence

from autoflow.graph.layout.columns import Layering
from autoflow.graph.layout.ordering import Series
from autoflow.graph.layout.y_assignment import CARD_GAP, LANE_GAP

Interval = tuple[int, int, bool]  # top, bottom, and whether a card is there


class _Columns:
    """The middles of the placed vertices, and the intervals that they take in each layer."""

    def __init__(self, layering: Layering, heights: Sequence[int]) -> None:
        self._layering = layering
        self._heights = heights
        self._taken: list[list[Interval]] = [[] for _ in layering.layers]
        self.y: dict[int, int] = {}

    def add(self, vertex: int, target: float, above: float = float("-inf")) -> None:
        """Place a vertex at the free position closest to `target`, below `above` if it is given."""
        is_card = vertex < self._layering.cards
        half = self._heights[vertex] // 2 if is_card else 0
        taken = self._taken[self._layering.rank[vertex]]
        y = round(max(target, above))
        candidates = [y]
        for top, bottom, holds_card in taken:
            gap = CARD_GAP if is_card and holds_card else LANE_GAP
            candidates += [top - gap - half, bottom + gap + half]
        y = min(  # below all that is taken there is always room
            (
                candidate
                for candidate in candidates
                if candidate >= above and self._is_free(taken, candidate, half, is_card)
            ),
            key=lambda candidate: abs(candidate - target),
        )
        insort(taken, (y - half, y + half, is_card))
        self.y[vertex] = y

    @staticmethod
    def _is_free(taken: list[Interval], y: int, half: int, is_card: bool) -> bool:
        """Return whether a vertex at `y` keeps its distance to all that is taken."""
        return all(
            y + half + gap <= top or y - half - gap >= bottom
            for top, bottom, holds_card in taken
            for gap in (CARD_GAP if is_card and holds_card else LANE_GAP,)
        )

    def bottom(self, layer: int) -> int:
        """Return the lowest position that is taken in a layer."""
        return max((bottom for _, bottom, _ in self._taken[layer]), default=0)

    def center(self, vertex: int) -> float | None:
        """Return the mean position of the placed neighbours on the left, else of those on the right."""
        for side in (self._layering.left, self._layering.right):
            placed = [self.y[other] for other in side[vertex] if other in self.y]
            if placed:
                return sum(placed) / len(placed)
        return None


def anchor(layering: Layering, heights: Sequence[int], middles: Mapping[int, int], series: Series) -> list[int]:
    """Return the y of every vertex's middle, and sort the layers by it; the topmost edge is at 0.

    Args:
        layering: the layers.
        heights: even heights of the cards, in pixels.
        middles: of the cards that stand already.
        series: see `ordering.order_layers`.
    """
    columns = _Columns(layering, heights)
    for vertex in sorted(middles, key=middles.__getitem__):
        columns.add(vertex, middles[vertex])
    new = [vertex for vertex in range(layering.cards) if vertex not in middles]
    for vertex in sorted(new, key=lambda vertex: (layering.rank[vertex], series.get(vertex, (0, 0)), vertex)):
        before = [
            columns.y[other]
            for other in layering.layers[layering.rank[vertex]]
            if vertex in series and other in series and other in columns.y and series[other] < series[vertex]
            if series[other][0] == series[vertex][0]
        ]
        target = columns.center(vertex)
        above = max(before) + 1 if before else float("-inf")
        columns.add(vertex, columns.bottom(layering.rank[vertex]) + CARD_GAP if target is None else target, above)
    for trunk in layering.trunks:
        for vertex in trunk:
            columns.add(vertex, columns.center(vertex) or 0)
    for layer in layering.layers:
        layer.sort(key=columns.y.__getitem__)
    top = min(
        (y - (heights[vertex] // 2 if vertex < layering.cards else 0) for vertex, y in columns.y.items()), default=0
    )
    return [columns.y[vertex] - top for vertex in range(len(layering.rank))]
