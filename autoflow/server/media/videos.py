"""Type, streams and frames of videos.

The type is recognized by the first bytes. Everything else is read by PyAV in the bounded processes of `media.decoder`;
without PyAV, which the extra [media] installs, a video has neither.
"""

from __future__ import annotations

import functools
import importlib.util
from typing import Any, BinaryIO, NamedTuple

from autoflow.server.media.decoder import Undecodable, decoder
from autoflow.server.media.thumbnails import ThumbnailSpec, file_descriptor

HEAD = 12  # bytes that a type is recognized by


class Container(NamedTuple):
    """A format of video files.

    Args:
        mime: its media type.
        demuxer: FFmpeg's name of it.
    """

    mime: str
    demuxer: str


_BY_BRAND = {b"qt  ": "video/quicktime", b"3gp4": "video/3gpp", b"3gp5": "video/3gpp", b"3gp6": "video/3gpp"}
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")  # images in the same container
_MATROSKA = Container("video/x-matroska", "matroska")
_BY_START = (
    (b"\x1a\x45\xdf\xa3", _MATROSKA),
    (b"FLV", Container("video/x-flv", "flv")),
    (b"OggS", Container("video/ogg", "ogg")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Container("video/x-ms-wmv", "asf")),
    (b"\x00\x00\x01\xba", Container("video/mpeg", "mpeg")),
)


def recognize(head: bytes) -> Container | None:
    """Return the format that the first bytes of a file are of, None if it is not one of videos."""
    if head[4:8] == b"ftyp" and head[8:12] not in _STILL_BRANDS:
        return Container(_BY_BRAND.get(head[8:12], "video/mp4"), "mov")
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return Container("video/x-msvideo", "avi")
    return next((container for start, container in _BY_START if head.startswith(start)), None)


@functools.cache
def can_decode() -> bool:
    """Return whether PyAV is installed."""
    return importlib.util.find_spec("av") is not None


def _read(file: BinaryIO, read: str, spec: ThumbnailSpec | None = None, **arguments: Any) -> tuple[Any, bytes]:
    file.seek(0)
    container = recognize(file.read(HEAD))
    if container is None:
        raise Undecodable("it is not a video of a known format")
    if not can_decode():
        raise Undecodable("decoding videos needs PyAV: install autoflow-lineage[media] where the server runs")
    with file_descriptor(file) as descriptor:
        arguments["demuxer"] = container.demuxer
        return decoder.run({"reader": "video_reader", "read": read, "arguments": arguments, "spec": spec}, descriptor)


def read_streams(file: BinaryIO, *, counted: bool) -> dict[str, Any]:
    """Return the streams of a video; `counted`: with the number and the times of their frames.

    Raises:
        Undecodable: the file is not a video, takes too much to read, or PyAV is not installed.
        Busy: no process is free.
    """
    info: dict[str, Any] = _read(file, "count" if counted else "probe")[0]
    return info


def read_frame(file: BinaryIO, index: int, stream: int | None, spec: ThumbnailSpec) -> tuple[str, bytes]:
    """Return the type and the bytes of a picture of a frame.

    Raises:
        Undecodable, Busy: as `read_streams`; or there is no such frame.
    """
    head, data = _read(file, "frame", spec, index=index, stream_index=stream)
    return str(head["mime"]), data
