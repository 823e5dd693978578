"""The picture as a value: boxes of cards, routes of arrows, in whole pixels with the origin at the top left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from autoflow.graph.graph import Arrow, Card
from autoflow.model.entity_types import ENTITY_TYPES

CARD_WIDTH = 312
CARD_HEIGHT = 82
PICTURE_HEIGHT = 284
COLUMN_GAP = 120
COLUMN_WIDTH = CARD_WIDTH + COLUMN_GAP

Point = tuple[int, int]


def card_height(card: Card) -> int:
    """Return the height of a card in pixels; cards with a preview picture are taller."""
    return PICTURE_HEIGHT if card.preview and ENTITY_TYPES[card.type].previews else CARD_HEIGHT


class Box(NamedTuple):
    """Where a card stands."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Route:
    """The way of one arrow from its source's side to its target's side.

    Args:
        arrow: the arrow drawn.
        points: corners of the way; across a column of cards it always runs flat.
        back: whether it runs against the reading direction, right to left; so only where the data goes in a circle.
    """

    arrow: Arrow
    points: tuple[Point, ...]
    back: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Boxes by the cards' keys in the graph's order, routes in the order of the arrows, and the size of it all.

    An arrow that names a card the graph has not has no route.
    """

    boxes: dict[str, Box]
    routes: tuple[Route, ...]
    width: int
    height: int

    def to_json(self) -> dict[str, Any]:
        """Give plain lists: ``boxes`` as ``[x, y, width, height]``, ``routes`` as ends, corners and ``back``."""
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
