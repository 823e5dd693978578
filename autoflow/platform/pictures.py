"""What an image file says of itself, read from its header; Pillow is imported at the first one."""

from __future__ import annotations

import warnings
from typing import NamedTuple


class Picture(NamedTuple):
    """Type and size in pixels."""

    mime: str
    width: int
    height: int


def look(path: str) -> Picture | None:
    """Read an image's header; None for what is no image, or one larger than Pillow opens."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # no pixel is decoded here
            with Image.open(path) as image:
                mime = Image.MIME.get(image.format or "", "application/octet-stream")
                return Picture(mime, image.width, image.height)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
