"""Read the urls that the SDK's `preview_url` makes as arguments of ``autoflow.previews``.

``/previews/q/ext:jpeg/resize:fill:300:0:0/q:70/plain/<path of the image>``; unknown options are ignored.
"""

from __future__ import annotations

import contextlib
from typing import Any

PATH = "/previews/q/{transform:path}/plain/storage/images/{id:int}"


def _number(text: str) -> int:
    """Read a number of a url; the SDK writes None for one that the caller did not pass."""
    with contextlib.suppress(ValueError):
        return min(max(int(text[:9]), 0), 10**6)
    return 0


def preview_arguments(transform: str, image_id: int) -> dict[str, Any]:
    """Return the arguments of ``autoflow.previews`` for the options of a url."""
    arguments: dict[str, Any] = {"id": image_id, "width": 0, "height": 0}
    for part in transform.split("/"):
        name, *values = part.split(":")
        if name == "resize":
            mode, width, height = (*values, "", "", "")[:3]
            arguments |= {"resize": mode or "fit", "width": _number(width), "height": _number(height)}
        elif name == "ext" and values:
            arguments["ext"] = values[0]
        elif name == "q" and values:
            arguments["quality"] = _number(values[0])
    return arguments
