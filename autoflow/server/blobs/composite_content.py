"""Contents that are no kept file: put together of texts and kept files when they are asked for, never held whole."""

from __future__ import annotations

import base64
import hashlib
import secrets
import tarfile
from collections.abc import Iterable, Iterator, Sequence

from autoflow.server.blobs import Content


class CompositeContent:
    """Pieces one after the other; given out like `Content`.

    Args:
        pieces: bytes, and kept files.
        name: what whoever saves it may call it.
        mime: its type.
        hash: base64(sha256) of the whole, None when it is not known: nobody reads the files to learn it.
    """

    def __init__(self, pieces: Sequence[bytes | Content], name: str, mime: str, hash: str | None = None) -> None:  # noqa: A002 - as `Content` calls it
        self._pieces = pieces
        self.size = sum(_size(piece) for piece in pieces)
        self.name = name
        self.mime = mime
        self.hash = hash

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_range(0, self.size)

    def iter_range(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from position `start` on, up to `stop`."""
        for piece in self._pieces:
            size = _size(piece)
            first, last = max(start, 0), min(stop, size)
            if first < last:
                if isinstance(piece, bytes):
                    yield piece[first:last]
                else:
                    yield from piece.iter_range(first, last)
            start, stop = start - size, stop - size


def _size(piece: bytes | Content) -> int:
    return len(piece) if isinstance(piece, bytes) else piece.size


def text_content(content: bytes, name: str, mime: str) -> CompositeContent:
    """A content that is in memory."""
    return CompositeContent([content], name, mime, base64.b64encode(hashlib.sha256(content).digest()).decode())


def multipart_content(parts: Iterable[tuple[str, bytes | Content]], name: str) -> CompositeContent:
    """A multipart form of named parts, in order. Their heads are as the SDK reads them: with the name alone."""
    boundary = secrets.token_hex(16)
    pieces: list[bytes | Content] = []
    for field, value in parts:
        pieces += [f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n'.encode(), value, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return CompositeContent(pieces, name, f"multipart/form-data; boundary={boundary}")


def tar_content(files: Iterable[tuple[str, Content]], name: str) -> CompositeContent:
    """A tar of kept files, each by its path in it, in order."""
    pieces: list[bytes | Content] = []
    for path, content in files:
        head = tarfile.TarInfo(path)
        head.size = content.size
        padding = -content.size % tarfile.BLOCKSIZE
        pieces += [head.tobuf(tarfile.PAX_FORMAT), content, bytes(padding)]
    pieces.append(bytes(2 * tarfile.BLOCKSIZE))
    return CompositeContent(pieces, name, "application/x-tar")
