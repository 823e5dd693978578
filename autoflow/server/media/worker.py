"""The process that decodes images and other files. It imports Pillow, and takes one job after the other from its
standard input.

Standard input is one end of a socket pair: each job is a file descriptor and what to make of it. Memory and processor
time are bounded by the kernel: a file that needs more ends this process, and its parent starts another. Run by its
path, so that it starts without the rest of the package; `decoder` holds the other end.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.machinery
import importlib.util
import io
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import types
import warnings
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from PIL.Image import Image as Opened

# The only formats that are ever opened, with the modules of Pillow that read them. Others are left out on purpose: some
# start programs (EPS: Ghostscript), most have no reader that is tested against hostile files.
PLUGINS = {
    "PNG": "PngImagePlugin",
    "JPEG": "JpegImagePlugin",
    "MPO": "MpoImagePlugin",
    "GIF": "GifImagePlugin",
    "BMP": "BmpImagePlugin",
    "PPM": "PpmImagePlugin",
    "TIFF": "TiffImagePlugin",
    "JPEG2000": "Jpeg2KImagePlugin",
    "WEBP": "WebPImagePlugin",
    "AVIF": "AvifImagePlugin",
}
# The modules beside this one that read other files than images, each with a package that may not be installed.
READERS = ("video_reader", "volume_reader", "point_cloud_reader", "table_reader")
MEMORY = 512 * 1024 * 1024  # bytes beyond what the interpreter and Pillow take
PIXELS = MEMORY * 3 // 4  # bytes of an image's own pixels; the rest is for reading and resizing
CPU_TIME = 8  # seconds of a job
IDLE_CHECK = 2.0  # seconds

_FRAME = struct.Struct("!II")


def open_image(file: Any, formats: tuple[str, ...] = tuple(PLUGINS)) -> Opened:
    """Read the header of an image of one of the formats; raises whatever Pillow raises."""
    from PIL import Image

    for name in formats:
        if name not in Image.OPEN:  # a format that Pillow was built without stays unknown
            with contextlib.suppress(ImportError):
                importlib.import_module(f"PIL.{PLUGINS[name]}")
    return Image.open(file, formats=[name for name in formats if name in Image.OPEN])


def describe(image: Opened) -> dict[str, Any]:
    """Return type and size in pixels."""
    from PIL import Image

    mime = Image.MIME.get(image.format or "", "application/octet-stream")
    return {"mime": mime, "width": image.width, "height": image.height}


def thumbnail(
    file: BinaryIO, width: int, height: int, resize: str, quality: int, ext: str | None
) -> tuple[dict[str, Any], bytes]:
    """Return a smaller image's type and bytes; arguments as of `pictures.ThumbnailSpec`.

    It is not turned as the camera says: labels are drawn in the coordinates of the stored pixels. Of an animation it
    shows the first frame. No metadata is taken over.

    Raises:
        ValueError: the image has too many pixels.
    """
    with open_image(file) as image:
        return _encoded(image, width, height, resize, quality, ext)


def _encoded(
    image: Opened, width: int, height: int, resize: str, quality: int, ext: str | None
) -> tuple[dict[str, Any], bytes]:
    clear = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    small = _resized(image, width, height, resize)
    ext = ext or ("png" if clear else "jpeg")
    small = small.convert("RGBA" if clear and ext == "png" else "RGB")
    small.info = {}
    written = io.BytesIO()
    small.save(written, ext, quality=quality)
    return {"mime": f"image/{ext}"}, written.getvalue()


@functools.cache
def _reader(name: str) -> types.ModuleType:
    """Load one of `READERS`, which are files beside this one."""
    if name not in READERS:
        raise ValueError(f"there is no reader {name}")
    path = os.path.join(os.path.dirname(__file__), f"{name}.py")
    loader = importlib.machinery.SourceFileLoader(name, path)
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def _read(
    file: BinaryIO, reader: str, read: str, arguments: dict[str, Any], spec: list[Any] | None
) -> tuple[dict[str, Any], bytes]:
    """Return what a reader reads of a file; with the values of a `ThumbnailSpec`, the picture that it makes of it."""
    result = getattr(_reader(reader), read)(file, **arguments)
    return (result, b"") if spec is None else _encoded(result, *spec)


def _resized(image: Opened, width: int, height: int, resize: str) -> Opened:
    wide, high = image.size
    width = min(width or (round(wide * height / high) if height else wide), wide) or 1
    height = min(height or (round(high * width / wide) if width else high), high) or 1
    if resize != "force":
        image.draft("RGB", (width, height))  # a JPEG is decoded no larger than it has to be
    bytes_a_pixel = 1 if image.mode in {"1", "L", "P"} else 4
    if image.width * image.height * bytes_a_pixel > PIXELS:
        raise ValueError(f"its {wide} x {high} pixels take more than {PIXELS >> 20} MiB to decode")
    if resize == "force":
        return image.resize((width, height))
    if resize == "auto":
        resize = "fill" if (wide >= high) == (width >= height) else "fit"
    if resize == "fit":
        image.thumbnail((width, height))
        return image
    scale = max(width / image.width, height / image.height)
    across, down = width / scale, height / scale
    left, top = (image.width - across) / 2, (image.height - down) / 2
    return image.resize((width, height), box=(left, top, left + across, top + down))


def send(connection: socket.socket, head: dict[str, Any], body: bytes = b"", descriptor: int | None = None) -> None:
    """Send one message, with a file descriptor if there is one."""
    text = json.dumps(head).encode()
    start = _FRAME.pack(len(text), len(body)) + text
    if descriptor is None:
        connection.sendall(start + body)
    else:
        sent = socket.send_fds(connection, [start], [descriptor])
        connection.sendall(start[sent:] + body)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes, int | None]:
    """Receive one message.

    Raises:
        EOFError: the other end is closed.
    """
    start, descriptors, _flags, _address = socket.recv_fds(connection, _FRAME.size, 1)
    start += _exactly(connection, _FRAME.size - len(start))
    text, body = _FRAME.unpack(start)
    head: dict[str, Any] = json.loads(_exactly(connection, text))
    return head, _exactly(connection, body), descriptors[0] if descriptors else None


def _exactly(connection: socket.socket, size: int) -> bytes:
    chunks = bytearray()
    while len(chunks) < size:
        chunk = connection.recv(min(size - len(chunks), 1024 * 1024))
        if not chunk:
            raise EOFError
        chunks += chunk
    return bytes(chunks)


def _bound() -> None:
    """Limit memory, files, processes and core dumps of this process."""
    with contextlib.suppress(OSError, ValueError):
        with open("/proc/self/statm", encoding="ascii") as pages:
            now = int(pages.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))
    for name, most in (("RLIMIT_NPROC", 0), ("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0), ("RLIMIT_NOFILE", 16)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (most, most))


def _bound_time() -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + CPU_TIME + 1, hard))


def _work(job: dict[str, Any], descriptor: int) -> tuple[dict[str, Any], bytes]:
    with open(descriptor, "rb") as file:
        file.seek(0)
        try:
            if "reader" in job:
                return _read(file, **job)
            if job:
                return thumbnail(file, **job)
            with open_image(file) as image:
                return describe(image), b""
        except MemoryError:
            return {"error": f"it takes more than {MEMORY >> 20} MiB to decode"}, b""
        except Exception as error:  # noqa: BLE001 - Pillow's readers raise anything on hostile bytes
            return {"error": f"it cannot be decoded ({type(error).__name__}: {str(error)[:200]})"}, b""


def main() -> None:
    """Answer jobs until the other end is closed, or the parent is gone."""
    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent, which closes the socket
    warnings.simplefilter("ignore")
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # `PIXELS` and the kernel are the limits here
    with socket.socket(fileno=0) as connection, contextlib.suppress(EOFError, OSError):
        with contextlib.suppress(Exception):
            open_image(io.BytesIO(b"none"))  # loads the plugins
        with contextlib.suppress(ImportError):
            from PIL import AvifImagePlugin

            AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # a thread counts as a process
        _bound()
        send(connection, {"ready": True})
        while True:
            ready, _, _ = select.select([connection], [], [], IDLE_CHECK)
            if ready:
                job, _body, descriptor = receive(connection)
                assert descriptor is not None
                _bound_time()
                send(connection, *_work(job, descriptor))
            elif os.getppid() != parent:  # a forked sibling may hold the other end open
                return


if __name__ == "__main__":
    sys.path.pop(0)  # this folder
    main()
