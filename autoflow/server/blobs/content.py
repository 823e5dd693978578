"""What a place that keeps blobs offers, and the values that go in and out of it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, Protocol

CHUNK_BYTES = 1024 * 1024
QUARANTINE = "quarantine/"
MARK = "store.json"
TRASH = "trash/"
_DIGITS = 64

Probe = Callable[[BinaryIO], Any]


class ReceivedBlob(NamedTuple):
    """A file that no row names yet.

    Args:
        hash: base64(sha256), as the wire has it.
        size: in bytes.
        generation: what makes its name unique.
        probed: what whoever looked at its bytes, while they were at hand, made of them.
    """

    hash: str
    size: int
    generation: str
    probed: Any = None


class BlobFile(NamedTuple):
    """A file as it lies there.

    Args:
        path: where, below the folder or prefix.
        hash: of the bytes it was written for; None while it is being written.
        generation: see `ReceivedBlob`.
    """

    path: str
    hash: str | None
    generation: str


def blob_path(content: str, generation: str) -> str:
    """Where the file of a hash and generation is, below the folder or prefix."""
    name = base64.b64decode(content).hex()
    return f"{name[:2]}/{name}.{generation}"


def hash_from_name(name: str) -> str | None:
    """The hash, as the wire has it, that a file's name ``<sha256>.<generation>`` begins with."""
    try:
        digest = bytes.fromhex(name[:_DIGITS])
    except ValueError:
        return None
    return base64.b64encode(digest).decode() if name[_DIGITS : _DIGITS + 1] == "." else None


def is_hash(text: str) -> bool:
    """Whether a text has the form of a hash as the wire writes it."""
    try:
        return len(text) == 44 and len(base64.b64decode(text, validate=True)) == 32
    except (binascii.Error, ValueError):
        return False


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

    blobs: BlobStore
    hash: str
    generation: str
    size: int
    name: str
    mime: str | None

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_range(0, self.size)

    def iter_range(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from position `start` on, up to `stop`."""
        return self.blobs.read(self.hash, self.generation, start, stop)


class BlobStore(Protocol):
    """A place that keeps blobs; safe from any thread, and beside other processes."""

    @property
    def address(self) -> str:
        """Where it is, as it may be shown."""
        ...

    def receive(self, stream: BinaryIO, generation: str, probe: Probe | None = None) -> ReceivedBlob:
        """Write a stream under a generation never used before; memory stays flat.

        `probe` is given the bytes, from their first one on, and may read any of them.

        Raises:
            ServerBusy: 507, it does not take it; nothing is left behind.
        """
        ...

    def sync(self, received: Sequence[ReceivedBlob]) -> None:
        """Make received files durable: from then on a row may name them.

        Raises:
            ServerBusy: 507, at least one is not; none may be named.
        """
        ...

    def discard(self, received: ReceivedBlob) -> None:
        """Remove a file that no row came to name; one that is gone is removed already."""
        ...

    def read(self, content: str, generation: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to `stop`, in chunks.

        Raises:
            ServerBusy: 500, the file cannot be read.
        """
        ...

    def size(self, content: str, generation: str) -> int | None:
        """How many bytes a file has, None when it is not there.

        Raises:
            ServerBusy: 500, that cannot be said now.
        """
        ...

    def remove(self, path: str) -> None:
        """Remove what `files` found, or `content.blob_path` names; what is gone is removed already.

        Raises:
            ServerBusy: 500, it cannot be removed.
        """
        ...

    def quarantine(self, content: str, generation: str) -> None:
        """Move a damaged file to ``quarantine/``, where nobody reads or removes it; a missing one is passed over.

        Raises:
            ServerBusy: 500, it cannot be moved.
        """
        ...

    def trash(self, path: str, day: str) -> None:
        """Move what `files` found, or `blob_path` names, to ``trash/<day>/``; what is gone is passed over.

        Whatever reads or looks at a file that is in the trash brings it back.

        Raises:
            ServerBusy: 500, it cannot be moved.
        """
        ...

    def empty_trash(self, before: str, limit: int) -> int:
        """Remove files that were put into the trash before a day, at most so many; gives how many.

        Raises:
            ServerBusy: 500, one cannot be removed.
        """
        ...

    def read_mark(self) -> bytes | None:
        """The mark of the store these blobs belong to (`store.identity`), None when there is none.

        Raises:
            ServerBusy: 500, it cannot be read.
        """
        ...

    def write_mark(self, mark: bytes) -> None:
        """Replace that mark, durably.

        Raises:
            ServerBusy: 507, it cannot be written.
        """
        ...

    def files(self, after: str = "") -> Iterator[BlobFile]:
        """All files but those in quarantine and in the trash, in the order of their paths, beginning after one.

        Raises:
            ServerBusy: 500, they cannot be listed.
        """
        ...
