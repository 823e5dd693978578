"""Type and preview of point clouds; the preview is drawn in the bounded processes of `media.decoder`."""

from __future__ import annotations

import functools
import importlib.util
from typing import BinaryIO

from autoflow.server.media.decoder import Undecodable, decoder
from autoflow.server.media.thumbnails import ThumbnailSpec, file_descriptor

HEAD = 512  # bytes that a type is recognized by


def recognize(head: bytes) -> str | None:
    """Return the media type of a file by its first bytes, None if it is not a point cloud."""
    if head.startswith(b"LASF"):
        return "application/vnd.las"
    if head.startswith((b"ply\n", b"ply\r\n")):
        return "application/x-ply"
    lines = [line for line in head.splitlines() if line and not line.startswith(b"#")]
    is_pcd = head.startswith(b"# .PCD") or bool(lines and lines[0].split()[:1] in ([b"VERSION"], [b"FIELDS"]))
    return "image/pcd" if is_pcd else None


@functools.cache
def can_draw() -> bool:
    """Return whether NumPy is installed."""
    return importlib.util.find_spec("numpy") is not None


def draw(file: BinaryIO, spec: ThumbnailSpec) -> tuple[str, bytes]:
    """Return the type and the bytes of a picture of a cloud from above.

    Raises:
        Undecodable: the file is not a PCD, takes too much to read, or NumPy is not installed.
        Busy: no process is free.
    """
    if not can_draw():
        raise Undecodable("drawing point clouds needs NumPy: install autoflow-lineage[media] where the server runs")
    with file_descriptor(file) as descriptor:
        job = {"reader": "point_cloud_reader", "read": "top_view", "arguments": {}, "spec": spec}
        head, data = decoder.run(job, descriptor)
    return str(head["mime"]), data
