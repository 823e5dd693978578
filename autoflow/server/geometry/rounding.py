"""Geometries in whole pixels, for clients that request integer coordinates (``integerCoords``).

A client with fractional coordinates places a point in the middle of its pixel, so rounding down gives the pixel.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from autoflow.model.json_object import JsonObject

_COORDINATES = ("points", "nodes", "parts")


def _floor(value: Any) -> Any:
    if isinstance(value, float):
        return math.floor(value) if math.isfinite(value) else value
    if isinstance(value, Mapping):
        return {key: _floor(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_floor(part) for part in value]
    return value


def round_to_pixels(geometry: JsonObject) -> JsonObject:
    """Return a geometry, or a figure with one, with its coordinates rounded down; the rest is unchanged."""
    rounded = {key: _floor(value) if key in _COORDINATES else value for key, value in geometry.items()}
    bitmap = rounded.get("bitmap")
    if isinstance(bitmap, Mapping) and "origin" in bitmap:
        rounded["bitmap"] = {**bitmap, "origin": _floor(bitmap["origin"])}
    return rounded
