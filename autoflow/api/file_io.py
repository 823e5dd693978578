"""Streaming file input and output: nothing is read into memory completely, and downloads are written atomically."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from autoflow.wire.content_hash import encode_hash

_CHUNK = 1024 * 1024


def hash_of(stream: BinaryIO) -> str:
    """Return the content hash of a stream, which is read to its end."""
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return encode_hash(digest)


def save(chunks: Iterable[bytes], path: str) -> None:
    """Write chunks to a file atomically; missing folders are created."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    write_atomically(path, chunks)


def write_atomically(path: str, chunks: Iterable[bytes]) -> None:
    """Write chunks to a temporary file beside the path and rename it to the path; a file that exists is replaced."""
    folder = os.path.dirname(os.path.abspath(path))
    partial = os.path.join(folder, f".{os.path.basename(path)}.{secrets.token_hex(4)}")
    try:
        with open(partial, "xb") as file:
            for chunk in chunks:
                file.write(chunk)
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(partial)
        raise


@contextlib.contextmanager
def open_files(paths: Sequence[str]) -> Iterator[list[BinaryIO]]:
    """Open files for reading and close them afterwards."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(open(path, "rb")) for path in paths]


def group_files(paths: Sequence[str], size: int, count: int) -> Iterator[range]:
    """Return ranges of files to send in one request: at most `count` files and `size` bytes, or one larger file."""
    start = total = 0
    for index, path in enumerate(paths):
        file_size = os.path.getsize(path)
        if index > start and (total + file_size > size or index - start >= count):
            yield range(start, index)
            start, total = index, 0
        total += file_size
    if start < len(paths):
        yield range(start, len(paths))
