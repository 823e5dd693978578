"""The key points of a class, in an order, as COCO and YOLO number them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class PointNames:
    """Names of the key points of a class, by the keys that its labels use for them.

    Args:
        definition: the class, whose ``geometry_config`` is the template of its key points.
    """

    def __init__(self, definition: Mapping[str, Any]) -> None:
        template = definition.get("geometry_config") or {}
        nodes = template.get("nodes") or {}
        self._names = {key: str(node.get("label") or key) for key, node in nodes.items()}
        self._edges = [(edge.get("src"), edge.get("dst")) for edge in template.get("edges") or ()]

    def __len__(self) -> int:
        return len(self._names)

    @property
    def names(self) -> list[str]:
        """The names in their order."""
        return list(self._names.values())

    @property
    def edges(self) -> list[tuple[int, int]]:
        """The pairs of connected key points, by their positions."""
        positions = {key: position for position, key in enumerate(self._names)}
        return [(positions[start], positions[end]) for start, end in self._edges if {start, end} <= positions.keys()]

    def add(self, nodes: Mapping[str, Any]) -> None:
        """Append the key points of a label that the template lacks."""
        for key in nodes:
            self._names.setdefault(key, key)

    def triples(self, nodes: Mapping[str, Any]) -> list[tuple[float, float, int]]:
        """Return x, y and visibility of all key points of a label: 0 without, 1 if it is hidden, 2 if it is visible."""
        return [_triple(nodes[key]) if key in nodes else (0, 0, 0) for key in self._names]


def _triple(node: Mapping[str, Any]) -> tuple[float, float, int]:
    x, y = node["loc"]
    return x, y, 1 if node.get("disabled") else 2
