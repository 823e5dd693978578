"""Bytes to and from files on this machine: nothing is read into memory whole, a download appears only when whole."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

_CHUNK = 1024 * 1024


def hash_of(stream: BinaryIO) -> str:
    """base64(sha256) of a stream, as the wire names contents; the stream is read to its end."""
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return base64.b64encode(digest.digest()).decode()


def save(chunks: Iterable[bytes], path: str) -> None:
    """Write chunks to a path, its folders made when missing; another file there is replaced at the end."""
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
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
def opened(paths: Sequence[str]) -> Iterator[list[BinaryIO]]:
    """All of these files, open for reading."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(open(path, "rb")) for path in paths]


def grouped(paths: Sequence[str], size: int, count: int) -> Iterator[range]:
    """Positions of files to be sent together: at most `count`, and `size` bytes but for one file alone."""
    start = total = 0
    for position, path in enumerate(paths):
        weight = os.path.getsize(path)
        if position > start and (total + weight > size or position - start >= count):
            yield range(start, position)
            start, total = position, 0
        total += weight
    if start < len(paths):
        yield range(start, len(paths))
