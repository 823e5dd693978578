"""Small pictures of images, made when they are asked for: what a grid of many shows instead of the images."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Mapping

from sqlalchemy import RowMapping

from autoflow.platform import composed
from autoflow.platform.blobs import Content
from autoflow.platform.body import Body
from autoflow.platform.composed import Composed
from autoflow.platform.operations import Download, Place
from autoflow.platform.pictures import WAYS, Wish, shrunk
from autoflow.platform.refusals import bad, unknown
from autoflow.platform.store import blobs, items

SIDE = 320  # pixels of the longer side
LONGEST = 2000  # pixels of a side, whatever is asked for
LARGEST = 256 * 1024 * 1024  # bytes of a file that is looked at
KEPT = 2000  # pictures a process remembers, of some ten kilobytes each
LARGEST_KEPT = 64 * 1024  # bytes of one that is remembered

Name = tuple[str, Wish]
Made = tuple[str, bytes]

_made: OrderedDict[Name, Made] = OrderedDict()
_lock = threading.Lock()


def _remembered(name: Name) -> Made | None:
    with _lock:
        if name in _made:
            _made.move_to_end(name)
        return _made.get(name)


def _remember(name: Name, picture: Made) -> None:
    with _lock:
        _made[name] = picture
        while len(_made) > KEPT:
            _made.popitem(last=False)


def _wish(body: Body) -> Wish:
    """What is asked for; unasked, what a grid shows."""
    way, ext = body.text("resize", "fit"), body.maybe_text("ext")
    if way not in WAYS or ext not in {None, "jpeg", "png"}:
        raise bad(f'"resize" must be one of {", ".join(WAYS)}, "ext" jpeg or png')
    sides = [body.maybe_number(name) for name in ("width", "height")]
    width, height = (SIDE, SIDE) if sides == [None, None] else (min(max(side or 0, 0), LONGEST) for side in sides)
    if not width and not height:  # only its type and quality are another
        width = height = LONGEST
    quality = body.maybe_number("quality")
    return Wish(width, height, way, 80 if quality is None else min(max(quality, 1), 100), ext)


def preview(place: Place, body: Body) -> Composed:
    """``autoflow.previews`` of an image by ``id``: ``GET /storage/previews/<id>``, or as ``preview_url`` of the SDK has
    it, with ``width``, ``height``, ``resize``, ``quality`` and ``ext``.

    Raises:
        ServerRefused: 404, there is no such image, or no picture can be made of it.
    """
    number, wish = body.number("id"), _wish(body)
    with place.store.read() as rows:
        row = items.find(rows, [number])[number]
        kept = blobs.find(rows, [row["hash"]]).get(row["hash"]) if row["hash"] is not None else None
    made = _made_of(place, kept, wish)
    if made is None:
        raise unknown("preview of image", number)
    return made


def picture_of(place: Place, kept: RowMapping | None, side: int) -> Composed | None:
    """A picture of at most `side` pixels a side of a blob's row; None when there is none to be made."""
    return _made_of(place, kept, Wish(side, side))


def _made_of(place: Place, kept: RowMapping | None, wish: Wish) -> Composed | None:
    if kept is None or kept["size"] > LARGEST:
        return None
    name = (kept["hash"], wish)
    picture = _remembered(name)
    if picture is None:
        content = Content(place.blobs, kept["hash"], kept["generation"], kept["size"], "", None)
        picture = shrunk(io.BytesIO(b"".join(content)), wish)
        if picture is None:
            return None
        if len(picture[1]) <= LARGEST_KEPT:
            _remember(name, picture)
    mime, data = picture
    return composed.text(data, f"picture.{mime.rpartition('/')[2]}", mime)


DOWNLOADS: Mapping[str, Download] = {"autoflow.previews": preview}
