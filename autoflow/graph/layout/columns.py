"""Layers of the layout (columns of cards), with dummy vertices where an edge passes through a layer.

Edges of one card that pass through the same layers share dummy vertices there, like wires in a trunk: a project read by
three hundred runs is one line with branches, and the layout stays small however long the chain is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

# Two vertices, and whether the arrow runs against the edge because a cycle was broken there.
LayerEdge = tuple[int, int, bool]


@dataclass(slots=True)
class Layering:
    """Vertices by layer; the first `cards` vertices are cards, the others are dummy vertices.

    Args:
        cards: number of cards.
        rank: the layer of each vertex.
        layers: the vertices of each layer, top to bottom.
        left: for each vertex its neighbours one layer to the left.
        right: for each vertex its neighbours one layer to the right.
        lanes: the dummy vertices of each edge that spans more than one layer.
        trunks: the dummy vertices of each trunk, left to right.
    """

    cards: int
    rank: list[int]
    layers: list[list[int]]
    left: list[list[int]]
    right: list[list[int]]
    lanes: dict[LayerEdge, list[int]] = field(default_factory=dict)
    trunks: list[list[int]] = field(default_factory=list)

    @classmethod
    def of(cls, rank: Sequence[int], edges: Iterable[LayerEdge]) -> Layering:
        """Build layers from the cards' ranks and the edges between them (tail left of head, each once)."""
        size = len(rank)
        layers: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
        for vertex in range(size):
            layers[rank[vertex]].append(vertex)
        layering = cls(size, list(rank), layers, [[] for _ in range(size)], [[] for _ in range(size)])
        layering._connect(list(edges))
        return layering

    def _connect(self, edges: list[LayerEdge]) -> None:
        rank = self.rank
        long_edges = [edge for edge in edges if rank[edge[1]] - rank[edge[0]] > 1]
        leaving = Counter((tail, back) for tail, _, back in long_edges)
        arriving = Counter((head, back) for _, head, back in long_edges)
        trunks: dict[tuple[int, bool, bool], dict[int, int]] = {}
        joined: set[tuple[int, int]] = set()
        for edge in edges:
            tail, head, back = edge
            lane = []
            if rank[head] - rank[tail] > 1:
                is_outward = leaving[tail, back] >= arriving[head, back]
                trunk = trunks.setdefault((tail if is_outward else head, is_outward, back), {})
                lane = [self._dummy_vertex(trunk, layer) for layer in range(rank[tail] + 1, rank[head])]
                self.lanes[edge] = lane
            for pair in zip((tail, *lane), (*lane, head), strict=True):
                if pair not in joined:
                    joined.add(pair)
                    self.right[pair[0]].append(pair[1])
                    self.left[pair[1]].append(pair[0])
        self.trunks += [[trunk[layer] for layer in sorted(trunk)] for trunk in trunks.values()]

    def _dummy_vertex(self, trunk: dict[int, int], layer: int) -> int:
        """Return the trunk's vertex in a layer, adding it at the bottom if it is new."""
        if layer not in trunk:
            trunk[layer] = len(self.rank)
            self.rank.append(layer)
            self.layers[layer].append(trunk[layer])
            self.left.append([])
            self.right.append([])
        return trunk[layer]
