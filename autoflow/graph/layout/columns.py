"""Columns of cards, with lanes through the columns that a link only passes.

Links of one card that pass through the same columns share a lane there, as wires share a trunk: a project
read by three hundred runs is one line with branches, and the picture stays small however long the chain is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

# Two vertices whose link passes columns, and whether the arrow runs against the link (a circle, opened).
LayerEdge = tuple[int, int, bool]


@dataclass(slots=True)
class Layering:
    """Vertices by column; the first `cards` are cards, the others places of lanes.

    Args:
        cards: number of cards.
        rank: the column of each vertex.
        layers: the vertices of each column, top to bottom.
        left: for each vertex its neighbours one column to the left.
        right: for each vertex its neighbours one column to the right.
        lanes: the vertices a link passes through, for links over more than one column.
        trunks: every shared lane as a whole, its vertices left to right.
    """

    cards: int
    rank: list[int]
    layers: list[list[int]]
    left: list[list[int]]
    right: list[list[int]]
    lanes: dict[LayerEdge, list[int]] = field(default_factory=dict)
    trunks: list[list[int]] = field(default_factory=list)

    @classmethod
    def of(cls, rank: Sequence[int], links: Iterable[LayerEdge]) -> Layering:
        """Make columns from the cards' ranks and their links (tail left of head, each once)."""
        size = len(rank)
        layers: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
        for vertex in range(size):
            layers[rank[vertex]].append(vertex)
        columns = cls(size, list(rank), layers, [[] for _ in range(size)], [[] for _ in range(size)])
        columns._connect(list(links))
        return columns

    def _connect(self, links: list[LayerEdge]) -> None:
        rank = self.rank
        passing = [link for link in links if rank[link[1]] - rank[link[0]] > 1]
        leaving = Counter((tail, back) for tail, _, back in passing)
        arriving = Counter((head, back) for _, head, back in passing)
        trunks: dict[tuple[int, bool, bool], dict[int, int]] = {}
        joined: set[tuple[int, int]] = set()
        for link in links:
            tail, head, back = link
            lane = []
            if rank[head] - rank[tail] > 1:
                outward = leaving[tail, back] >= arriving[head, back]
                trunk = trunks.setdefault((tail if outward else head, outward, back), {})
                lane = [self._place(trunk, column) for column in range(rank[tail] + 1, rank[head])]
                self.lanes[link] = lane
            for pair in zip((tail, *lane), (*lane, head), strict=True):
                if pair not in joined:
                    joined.add(pair)
                    self.right[pair[0]].append(pair[1])
                    self.left[pair[1]].append(pair[0])
        self.trunks += [[trunk[column] for column in sorted(trunk)] for trunk in trunks.values()]

    def _place(self, trunk: dict[int, int], column: int) -> int:
        if column not in trunk:
            trunk[column] = len(self.rank)
            self.rank.append(column)
            self.layers[column].append(trunk[column])
            self.left.append([])
            self.right.append([])
        return trunk[column]
