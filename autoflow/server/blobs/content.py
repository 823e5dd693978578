"""The protocol of blob stores, and the values that they take and return."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, Protocol

CHUNK_BYTES = 1024 * 1024
QUARANTINE = "quarantine/"
MARK = "store.json"
TRIAL = "trial"  # the object that `BlobStore.check_writable` writes to a bucket
TRASH = "trash/"
_HEX_DIGITS = 64

# Reads an upload while its bytes are at hand, and returns what it found.
Probe = Callable[[BinaryIO], Any]


class ReceivedBlob(NamedTuple):
    """An uploaded file that no row names yet.

    Args:
        hash: base64(sha256), as on the wire.
        size: in bytes.
        generation: the part of the file's name that makes it unique.
        probed: what the probe returned, None without a probe.
    """

    hash: str
    size: int
    generation: str
    probed: Any = None


class BlobFile(NamedTuple):
    """A file in a blob store.

    Args:
        path: relative to the folder or prefix.
        hash: of the content, None while the file is being written.
        generation: see `ReceivedBlob`.
    """

    path: str
    hash: str | None
    generation: str


def blob_path(blob_hash: str, generation: str) -> str:
    """Return the path of a blob's file, relative to the folder or prefix."""
    name = base64.b64decode(blob_hash).hex()
    return f"{name[:2]}/{name}.{generation}"


def is_erased(path: str, blob_hash: str, keeps: Callable[[str], bool]) -> bool:
    """Return whether a path, in any folder, is that of a file that `BlobStore.erase` deletes."""
    name = path.rpartition("/")[2]
    return hash_from_name(name) == blob_hash and not keeps(name.partition(".")[2])


def hash_from_name(name: str) -> str | None:
    """Return the hash in a file name ``<sha256>.<generation>`` as the wire writes it, None for any other name."""
    try:
        digest = bytes.fromhex(name[:_HEX_DIGITS])
    except ValueError:
        return None
    return base64.b64encode(digest).decode() if name[_HEX_DIGITS : _HEX_DIGITS + 1] == "." else None


@dataclass(frozen=True)
class Content:
    """A blob as a response body: all of it or a range, in chunks.

    Args:
        blobs: the store that has it.
        hash, generation: its name there.
        size: in bytes.
        name: the file name for a client that saves it.
        mime: its media type, None if unknown.
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
        """Return the bytes from `start` to before `stop`, in chunks."""
        return self.blobs.read(self.hash, self.generation, start, stop)


class BlobStore(Protocol):
    """Content-addressed storage; safe from any thread, and beside other processes."""

    @property
    def address(self) -> str:
        """Location of the blobs, for messages."""
        ...

    def receive(self, stream: BinaryIO, generation: str, probe: Probe | None = None) -> ReceivedBlob:
        """Write a stream to a file with a generation never used before, in constant memory.

        Args:
            stream: the content.
            generation: see `ReceivedBlob`.
            probe: is called with the content, which it may read from any position.

        Raises:
            StorageFull: the file cannot be written; nothing is left behind.
        """
        ...

    def sync(self, received: Sequence[ReceivedBlob]) -> None:
        """Make received files durable, so that rows may name them.

        Raises:
            StorageFull: at least one could not be made durable; none may be named.
        """
        ...

    def discard(self, received: ReceivedBlob) -> None:
        """Delete a file that no row names, ignoring a missing one."""
        ...

    def read(self, blob_hash: str, generation: str, start: int, stop: int) -> Iterator[bytes]:
        """Return the bytes from `start` to before `stop`, in chunks.

        Raises:
            StorageFailed: the file cannot be read.
        """
        ...

    def size(self, blob_hash: str, generation: str) -> int | None:
        """Return a file's size in bytes, None if it is missing.

        Raises:
            StorageFailed: that cannot be determined now.
        """
        ...

    def remove(self, path: str) -> None:
        """Delete a file by the path of a `BlobFile`, ignoring a missing one.

        Raises:
            StorageFailed: the file cannot be deleted.
        """
        ...

    def quarantine(self, blob_hash: str, generation: str) -> None:
        """Move a damaged file to ``quarantine/``, where it is neither read nor deleted; ignore a missing one.

        Raises:
            StorageFailed: the file cannot be moved.
        """
        ...

    def trash(self, path: str, day: str) -> None:
        """Move a file by the path of a `BlobFile` to ``trash/<day>/``, ignoring a missing one.

        `read` and `size` move a file back out of the trash.

        Raises:
            StorageFailed: the file cannot be moved.
        """
        ...

    def empty_trash(self, before: str, limit: int) -> int:
        """Delete at most `limit` files that were moved to the trash before a day; return how many.

        Raises:
            StorageFailed: a file cannot be deleted.
        """
        ...

    def erase(self, blob_hash: str, keeps: Callable[[str], bool]) -> int:
        """Delete every file with some content, in the trash and in quarantine, too, with the older versions that a
        bucket keeps of it; return how many files were deleted.

        Args:
            blob_hash: the content.
            keeps: returns whether the file with a generation stays.

        Raises:
            StorageFailed: not all could be deleted; it can be called again.
        """
        ...

    def read_mark(self) -> bytes | None:
        """Return the mark of the store that these blobs belong to (`db.identity`), None if there is none.

        Raises:
            StorageFailed: it cannot be read.
        """
        ...

    def write_mark(self, mark: bytes) -> None:
        """Replace the mark durably.

        Raises:
            StorageFull: it cannot be written.
        """
        ...

    def check_writable(self) -> None:
        """Write a few bytes, as a trial.

        Raises:
            ServerBusy: they cannot be written.
        """
        ...

    def files(self, after: str = "") -> Iterator[BlobFile]:
        """List all files outside of quarantine and trash in the order of their paths, beginning after a path.

        Raises:
            StorageFailed: they cannot be listed.
        """
        ...
