"""The address of a small picture as the SDK's `preview_url` writes it, read as the body of ``autoflow.previews``.

``/previews/q/ext:jpeg/resize:fill:300:0:0/q:70/plain/<the image's own address>``: what is not known of it is passed
over.
"""

from __future__ import annotations

import contextlib
from typing import Any

PATH = "/previews/q/{wish:path}/plain/storage/images/{id:int}"


def _number(text: str) -> int:
    """A number as it stands in an address; the SDK writes None there for one that was not given."""
    with contextlib.suppress(ValueError):
        return min(max(int(text[:9]), 0), 10**6)
    return 0


def body(wish: str, image_id: int) -> dict[str, Any]:
    """What is asked for of an image."""
    found: dict[str, Any] = {"id": image_id, "width": 0, "height": 0}
    for part in wish.split("/"):
        name, *values = part.split(":")
        if name == "resize":
            way, width, height = (*values, "", "", "")[:3]
            found |= {"resize": way or "fit", "width": _number(width), "height": _number(height)}
        elif name == "ext" and values:
            found["ext"] = values[0]
        elif name == "q" and values:
            found["quality"] = _number(values[0])
    return found
