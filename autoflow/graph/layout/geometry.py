"""A layout as a value: boxes of cards and routes of arrows, in whole pixels with the origin at the top left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from autoflow.graph.graph import Arrow, Card
from autoflow.model.entity_types import ENTITY_TYPES

CARD_WIDTH = 312
CARD_HEIGHT = 82
ROW_HEIGHT = 56
PICTURE_HEIGHT = 284
COLUMN_GAP = 64
COLUMN_WIDTH = CARD_WIDTH + COLUMN_GAP

Corner = tuple[int, int]


def card_height(card: Card) -> int:
    """Return the height of a card in pixels; cards with a preview picture are taller, versions are rows."""
    if ENTITY_TYPES[card.type].compact and not card.members:
        return ROW_HEIGHT
    return PICTURE_HEIGHT if card.preview and ENTITY_TYPES[card.type].previews else CARD_HEIGHT


class Box(NamedTuple):
    """The position and size of a card."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Route:
    """The route of one arrow from its source's side to its target's side.

    Args:
        arrow: the arrow.
        points: the corners; across a column of cards the route is level.
        back: whether it points right to left, which happens only where the lineage has a cycle.
    """

    arrow: Arrow
    points: tuple[Corner, ...]
    back: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes by the cards' keys in the graph's order, routes in the order of the arrows, and the total size.

    An arrow to a card that is not in the graph has no route.
    """

    boxes: dict[str, Box]
    routes: tuple[Route, ...]
    width: int
    height: int

    def to_json(self) -> dict[str, Any]:
        """Return JSON values: ``boxes`` as ``[x, y, width, height]``, ``routes`` as ends, corners and ``back``."""
        return {
            "width": self.width,
            "height": self.height,
            "boxes": {key: list(box) for key, box in self.boxes.items()},
            "routes": [
                {
                    "source": route.arrow.source,
                    "target": route.arrow.target,
                    "kind": route.arrow.kind,
                    "points": [list(point) for point in route.points],
                    "back": route.back,
                }
                for route in self.routes
            ],
        }
