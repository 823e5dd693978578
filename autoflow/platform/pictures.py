"""What an image file says of itself, read from its header, and small pictures of it; Pillow is imported when used."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image as Opened

WAYS = ("fit", "fill", "fill-down", "force", "auto")


class Picture(NamedTuple):
    """Type and size in pixels."""

    mime: str
    width: int
    height: int


def look(file: BinaryIO | str) -> Picture | None:
    """Read an image's header; None for what is no image, or one larger than Pillow opens."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # no pixel is decoded here
            with Image.open(file) as image:
                mime = Image.MIME.get(image.format or "", "application/octet-stream")
                return Picture(mime, image.width, image.height)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


class Wish(NamedTuple):
    """What a small picture is to be like.

    Args:
        width, height: in pixels at the most, 0 for what follows from the other; an image is never made larger.
        way: ``fit`` within both, ``fill`` both and cut what is over, ``force`` both, ``auto``: fill where image and
            picture are both upright or both not, else fit.
        quality: of a JPEG, 1 to 100.
        ext: ``jpeg`` or ``png``; None: a PNG where there is transparency, else a JPEG.
    """

    width: int
    height: int
    way: str = "fit"
    quality: int = 80
    ext: str | None = None


def shrunk(stream: BinaryIO, wish: Wish) -> tuple[str, bytes] | None:
    """A small picture, its type and its bytes; None for what is no image, or one larger than Pillow opens.

    Turned as its pixels are stored, whatever its camera said: labels are drawn in those.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(stream) as image:
                small = _sized(image, wish)
                clear = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
                ext = wish.ext or ("png" if clear else "jpeg")
                written = io.BytesIO()
                small.convert("RGBA" if clear and ext == "png" else "RGB").save(written, ext, quality=wish.quality)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return f"image/{ext}", written.getvalue()


def _sized(image: Opened, wish: Wish) -> Opened:
    wide, high = image.size
    width = min(wish.width or (round(wide * wish.height / high) if wish.height else wide), wide) or 1
    height = min(wish.height or (round(high * wish.width / wide) if wish.width else high), high) or 1
    if wish.way == "force":
        return image.resize((width, height))
    image.draft("RGB", (width, height))  # a JPEG is decoded no larger than it has to be
    way = wish.way
    if way == "auto":
        way = "fill" if (wide >= high) == (width >= height) else "fit"
    if way == "fit" or not (wish.width and wish.height):
        image.thumbnail((width, height))
        return image
    scale = max(width / image.width, height / image.height)
    across, down = width / scale, height / scale
    left, top = (image.width - across) / 2, (image.height - down) / 2
    return image.resize((width, height), box=(left, top, left + across, top + down))
