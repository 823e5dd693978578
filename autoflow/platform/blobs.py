"""Bytes by their sha256, in a folder: written once, read-only, never overwritten.

A file's name is ``ab/<sha256>.<generation>``: a generation is random and used once, so that whoever removes one file
can never meet a newer upload of the same bytes. A file is whole and on the disk before the database names it;
a process killed in between leaves a file that nothing names, which is harmless.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from autoflow.errors import ServerBusy

CHUNK = 1024 * 1024


class Received(NamedTuple):
    """A file in the folder that no row names yet; `hash` is base64(sha256), as the wire has it."""

    hash: str
    size: int
    generation: str


@dataclass(frozen=True)
class Content:
    """A kept file as it is given out: its bytes in chunks, whole or a part of them.

    Args:
        blobs: where it is.
        hash, generation: its name there.
        size: in bytes.
        name: what whoever saves it may call it.
        mime: its type, as was told or guessed when it came; None when nobody knows.
    """

    blobs: BlobFolder
    hash: str
    generation: str
    size: int
    name: str
    mime: str | None

    def __iter__(self) -> Iterator[bytes]:
        return self.part(0, self.size)

    def part(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from position `start` on, up to `stop`."""
        return self.blobs.read(self.hash, self.generation, start, stop)


class BlobFolder:
    """The files of one platform, in `folder`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._new = os.path.join(folder, "new")

    def path(self, content: str, generation: str) -> str:
        """Where the file of a hash and generation is."""
        name = base64.b64decode(content).hex()
        return os.path.join(self._folder, name[:2], f"{name}.{generation}")

    def receive(self, stream: BinaryIO) -> Received:
        """Write a stream to its place, durably.

        Raises:
            ServerBusy: the disk does not take it; nothing is left behind.
        """
        generation = secrets.token_hex(8)
        written = os.path.join(self._new, generation)
        try:
            os.makedirs(self._new, mode=0o700, exist_ok=True)
            received = Received(*self._write(stream, written), generation)
            target = self.path(received.hash, generation)
            os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
            os.rename(written, target)
            _sync(os.path.dirname(target))
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.unlink(written)
            if not isinstance(error, OSError):  # the stream's own: whoever sent it is gone, or sent no form
                raise
            raise ServerBusy(f"the platform cannot keep the file: {error}", status=507) from error
        return received

    def _write(self, stream: BinaryIO, path: str) -> tuple[str, int]:
        digest = hashlib.sha256()
        size = 0
        with open(path, "xb", buffering=0) as file:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                view = memoryview(chunk)
                while view:
                    view = view[file.write(view) :]
            os.fchmod(file.fileno(), 0o444)
            os.fsync(file.fileno())
        return base64.b64encode(digest.digest()).decode(), size

    def discard(self, received: Received) -> None:
        """Remove a file that no row came to name."""
        with contextlib.suppress(OSError):
            os.unlink(self.path(received.hash, received.generation))

    def content(self, content: str, generation: str, size: int, name: str, mime: str | None) -> Content:
        """A file as it is given out; nothing is opened yet."""
        return Content(self, content, generation, size, name, mime)

    def read(self, content: str, generation: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to `stop`, in chunks; the file is open from the first one on.

        Raises:
            ServerBusy: the file cannot be read.
        """
        try:
            with open(self.path(content, generation), "rb", buffering=0) as file:
                file.seek(start)
                while start < stop and (chunk := file.read(min(CHUNK, stop - start))):
                    start += len(chunk)
                    yield chunk
        except OSError as error:
            raise ServerBusy(f"the platform cannot read the file: {error}", status=500) from error


def _sync(folder: str) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
