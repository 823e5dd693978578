"""Type and size of images, read from their headers, and thumbnails.

Headers of common formats are read in this process, from a bounded number of bytes, plain ones without Pillow
(`image_headers`); where Pillow needs a decoder to read a header (WebP, AVIF), a worker of `media.decoder` does it. Only
those workers decode pixels.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import stat
import tempfile
import warnings
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

from autoflow.server.media import image_headers
from autoflow.server.media.decoder import Undecodable, decoder
from autoflow.server.media.image_headers import ImageSize
from autoflow.server.media.worker import describe, open_image

RESIZE_MODES = ("fit", "fill", "fill-down", "force", "auto")
HEADER_BYTES = 4 * 1024 * 1024  # bytes that are read of a file for its header
HEADER_READS = 50_000  # in as many pieces: some readers take a byte at a time
_READ_HERE = ("PNG", "JPEG", "MPO", "GIF", "BMP", "PPM", "TIFF", "JPEG2000")


class ThumbnailSpec(NamedTuple):
    """Size and encoding of a thumbnail.

    Args:
        width, height: largest size in pixels; 0 to derive it from the other one. An image is never enlarged.
        resize: ``fit`` within both, ``fill`` both and cut what is over, ``force`` both, ``auto``: fill if image and
            thumbnail are both portrait or both landscape, else fit.
        quality: of a JPEG, 1 to 100.
        ext: ``jpeg`` or ``png``; None: a PNG where there is transparency, else a JPEG.
    """

    width: int
    height: int
    resize: str = "fit"
    quality: int = 80
    ext: str | None = None


class _Header:
    """A file of which at most `HEADER_BYTES` bytes can be read, at any positions."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._bytes, self._reads = HEADER_BYTES, HEADER_READS
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        if not (self._bytes and self._reads):
            raise OSError("the header is too long")
        data = self._file.read(self._bytes if size < 0 else min(size, self._bytes))
        self._bytes -= len(data)
        self._reads -= 1
        return data


def read_image_info(file: BinaryIO | str) -> ImageSize | None:
    """Read an image's header, whatever the image's size; None if it is not an image of a known format.

    Raises:
        Busy: no worker is free to read the header.
    """
    if not isinstance(file, str):
        return _read_header(file)
    try:
        opened = open(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
    except OSError:
        return None
    with opened:
        return _read_header(opened) if stat.S_ISREG(os.fstat(opened.fileno()).st_mode) else None


def _read_header(file: BinaryIO) -> ImageSize | None:
    start = file.read(image_headers.START_BYTES)
    file.seek(0)
    if (size := image_headers.read_size(start)) is not None:
        return size
    if start[8:12] == b"WEBP" or start[4:8] == b"ftyp":
        return _read_in_worker(file)
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with open_image(_Header(file), _READ_HERE) as image:
                return ImageSize(**describe(image))
    except Image.DecompressionBombError:  # this process keeps Pillow's limit, which others may rely on
        return _read_in_worker(file)
    except Exception:  # noqa: BLE001 - Pillow's readers raise anything on hostile bytes
        return None


def _read_in_worker(file: BinaryIO) -> ImageSize | None:
    with contextlib.suppress(Undecodable), file_descriptor(file) as descriptor:
        return ImageSize(**decoder.run({}, descriptor)[0])
    return None


def thumbnail(file: BinaryIO, spec: ThumbnailSpec) -> tuple[str, bytes]:
    """Return a thumbnail's type and its bytes.

    Raises:
        Undecodable: the file is not an image, or takes too much memory or time.
        Busy: no worker is free.
    """
    with file_descriptor(file) as descriptor:
        head, data = decoder.run(spec._asdict(), descriptor)
    return str(head["mime"]), data


@contextlib.contextmanager
def file_descriptor(file: BinaryIO) -> Iterator[int]:
    """The file's descriptor; of bytes in memory, that of a temporary file."""
    try:
        descriptor = file.fileno()
    except (AttributeError, io.UnsupportedOperation):
        with tempfile.TemporaryFile(prefix="autoflow-") as copy:
            file.seek(0)
            shutil.copyfileobj(file, cast(BinaryIO, copy))
            copy.flush()
            yield copy.fileno()
        return
    yield descriptor
