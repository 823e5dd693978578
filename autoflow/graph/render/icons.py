"""Drawn icons: one for each entity type, and one for each icon name that apps use most.

A name without a drawing falls back to the entity type's. Drawings are lines, two wide, on a field of 24 x 24, made for
this package. Colors reach the picture only if they are hexadecimal.
"""

from __future__ import annotations

import re

from autoflow.graph.graph import Card, Icon
from autoflow.model.entity_types import ENTITY_TYPES

COLOR = re.compile(r"#[0-9a-fA-F]{3,8}")

# Drawings of the icon names that apps use most, beside the entity types' own.
NAMED_DRAWINGS: dict[str, str] = {
    "archive": "M3 4h18v5H3zM4.5 9v11h15V9M9.5 13h5",
    "assignment": "M5 4.5h14V21H5zM9 2.5h6V6H9zM8.5 11h7M8.5 15.5h5",
    "dashboard": "M3.5 3.5h7v9h-7zM14 3.5h6.5v5H14zM14 12h6.5v8.5H14zM3.5 16h7v4.5h-7z",
    "graduation-cap": "M1.5 9.5L12 4.5l10.5 5L12 14.5zM6 12v5c3 3 9 3 12 0v-5M22 10v6.5",
}


def drawing(name: str) -> str | None:
    """Return the SVG path of an icon, by an entity type's name or an icon's; None without one."""
    if name in ENTITY_TYPES:
        return ENTITY_TYPES[name].drawing
    return NAMED_DRAWINGS.get(name)


def icon_of(card: Card) -> Icon:
    """Return the icon to draw: `drawing` has its name, and its colors are hexadecimal."""
    row = ENTITY_TYPES[card.type]
    if card.icon is None:
        return Icon(card.type, row.color, row.background)
    name = card.icon.name.removeprefix("zmdi-")
    return Icon(
        name if drawing(name) is not None else card.type,
        card.icon.color if COLOR.fullmatch(card.icon.color) else row.color,
        card.icon.background if COLOR.fullmatch(card.icon.background) else row.background,
    )


def icon_path(card: Card) -> str:
    """Return the SVG path of the card's icon."""
    return drawing(icon_of(card).name) or ENTITY_TYPES[card.type].drawing
