"""Type and slices of volumes in NRRD, which are read in the bounded processes of `media.decoder`."""

from __future__ import annotations

import functools
import importlib.util
from typing import Any, BinaryIO

from autoflow.server.media.decoder import Undecodable, decoder
from autoflow.server.media.thumbnails import ThumbnailSpec, file_descriptor

HEAD = 8  # bytes that a type is recognized by
MIME = "application/x-nrrd"


def recognize(head: bytes) -> str | None:
    """Return the media type of a file by its first bytes, None if it is not a volume."""
    return MIME if head.startswith(b"NRRD000") else None


@functools.cache
def can_read() -> bool:
    """Return whether pynrrd is installed."""
    return importlib.util.find_spec("nrrd") is not None


def _read(file: BinaryIO, read: str, spec: ThumbnailSpec | None, **arguments: Any) -> tuple[Any, bytes]:
    if not can_read():
        raise Undecodable("reading volumes needs pynrrd: install autoflow-lineage[media] where the server runs")
    with file_descriptor(file) as descriptor:
        return decoder.run({"reader": "volume_reader", "read": read, "arguments": arguments, "spec": spec}, descriptor)


def describe(file: BinaryIO) -> dict[str, Any]:
    """Return the sizes of a volume's axes and the type of its values.

    Raises:
        Undecodable: the file is not a volume, or pynrrd is not installed.
        Busy: no process is free.
    """
    described: dict[str, Any] = _read(file, "describe", None)[0]
    return described


def draw(
    file: BinaryIO, spec: ThumbnailSpec, axis: int = 2, index: int | None = None, window: list[float] | None = None
) -> tuple[str, bytes]:
    """Return the type and the bytes of a picture of a slice; see `volume_reader.slice_picture`.

    Raises:
        Undecodable, Busy: as `describe`; or there is no such slice.
    """
    head, data = _read(file, "slice_picture", spec, axis=axis, index=index, window=window)
    return str(head["mime"]), data
