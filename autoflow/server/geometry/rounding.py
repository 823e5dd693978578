"""Coordinates in whole pixels, for a client that asks for no parts of them (``integerCoords``).

A client that counts in parts of pixels puts a point of a pixel into its middle; the pixel it is in is the one below.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_COUNTED = ("points", "nodes", "parts")


def _floored(value: Any) -> Any:
    if isinstance(value, float):
        return math.floor(value) if math.isfinite(value) else value
    if isinstance(value, Mapping):
        return {key: _floored(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_floored(part) for part in value]
    return value


def round_to_pixels(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """A geometry, or an object with one in it, whose coordinates are whole; what else it says is as it was."""
    found = {key: _floored(value) if key in _COUNTED else value for key, value in geometry.items()}
    bitmap = found.get("bitmap")
    if isinstance(bitmap, Mapping) and "origin" in bitmap:
        found["bitmap"] = {**bitmap, "origin": _floored(bitmap["origin"])}
    return found
