"""Response bodies composed of bytes and blobs while they are sent, never held in memory as a whole."""

from __future__ import annotations

import hashlib
import secrets
import tarfile
from collections.abc import Iterable, Iterator, Sequence

from autoflow.server.blobs import Content
from autoflow.wire.content_hash import encode_hash


class CompositeContent:
    """A concatenation of pieces, served like `Content`.

    Args:
        pieces: bytes, blobs, and others of this class.
        name: the file name for a client that saves it.
        mime: its media type.
        hash: base64(sha256) of all of it, None if unknown: the blobs are not read to compute it.
    """

    def __init__(
        self,
        pieces: Sequence[bytes | Content | CompositeContent],
        name: str,
        mime: str,
        hash: str | None = None,  # noqa: A002 - as `Content` calls it
    ) -> None:
        self._pieces = pieces
        self.size = sum(_size(piece) for piece in pieces)
        self.name = name
        self.mime = mime
        self.hash = hash

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_range(0, self.size)

    def iter_range(self, start: int, stop: int) -> Iterator[bytes]:
        """Return the bytes from `start` to before `stop`, in chunks."""
        for piece in self._pieces:
            size = _size(piece)
            first, last = max(start, 0), min(stop, size)
            if first < last:
                if isinstance(piece, bytes):
                    yield piece[first:last]
                else:
                    yield from piece.iter_range(first, last)
            start, stop = start - size, stop - size


def _size(piece: bytes | Content | CompositeContent) -> int:
    return len(piece) if isinstance(piece, bytes) else piece.size


def text_content(content: bytes, name: str, mime: str) -> CompositeContent:
    """Return bytes in memory as a response body."""
    return CompositeContent([content], name, mime, encode_hash(hashlib.sha256(content)))


def multipart_content(parts: Iterable[tuple[str, bytes | Content]], name: str) -> CompositeContent:
    """Return a multipart form of named parts, in order; their headers have the name alone, as the SDK parses them."""
    boundary = secrets.token_hex(16)
    pieces: list[bytes | Content] = []
    for field, value in parts:
        pieces += [f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n'.encode(), value, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return CompositeContent(pieces, name, f"multipart/form-data; boundary={boundary}")


def tar_content(files: Iterable[tuple[str, Content | CompositeContent]], name: str) -> CompositeContent:
    """Return a tar archive of files, each at its path, in order."""
    pieces: list[bytes | Content | CompositeContent] = []
    for path, content in files:
        header = tarfile.TarInfo(path)
        header.size = content.size
        padding = -content.size % tarfile.BLOCKSIZE
        pieces += [header.tobuf(tarfile.PAX_FORMAT), content, bytes(padding)]
    pieces.append(bytes(2 * tarfile.BLOCKSIZE))
    return CompositeContent(pieces, name, "application/x-tar")
