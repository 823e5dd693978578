"""A multipart form that is streamed, has a known length, and can be sent more than once."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence

from autoflow.wire.parts import Part

CHUNK_BYTES = 1 << 18


class Multipart:
    """A form as the body of a request: it has a length and yields chunks.

    Args:
        parts: files among them are read from their current position to the end.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._boundary = os.urandom(16).hex()
        self._parts = [(self._head(part), part.value) for part in parts]
        self._starts = [0 if isinstance(part.value, str) else part.value.tell() for part in parts]
        self._tail = f"--{self._boundary}--\r\n".encode()
        self.content_type = f"multipart/form-data; boundary={self._boundary}"

    def _head(self, part: Part) -> bytes:
        lines = [f"--{self._boundary}", f'Content-Disposition: form-data; name="{_quoted(part.field)}"']
        if part.filename is not None:
            lines[1] += f'; filename="{_quoted(part.filename)}"'
        if part.content_type is not None:
            lines.append(f"Content-Type: {part.content_type}")
        return "\r\n".join([*lines, "", ""]).encode()

    def __len__(self) -> int:
        size = len(self._tail)
        for (head, value), start in zip(self._parts, self._starts, strict=True):
            size += len(head) + 2
            size += len(value.encode()) if isinstance(value, str) else value.seek(0, io.SEEK_END) - start
        return size

    def __iter__(self) -> Iterator[bytes]:
        pieces: list[bytes] = []  # of many small files, which are sent at once
        size = 0
        for piece in self._pieces():
            pieces.append(piece)
            size += len(piece)
            if size >= CHUNK_BYTES:
                yield b"".join(pieces)
                pieces, size = [], 0
        yield b"".join(pieces)

    def _pieces(self) -> Iterator[bytes]:
        for (head, value), start in zip(self._parts, self._starts, strict=True):
            yield head
            if isinstance(value, str):
                yield value.encode()
            else:
                value.seek(start)  # a redirect sends the form again
                while chunk := value.read(CHUNK_BYTES):
                    yield chunk
            yield b"\r\n"
        yield self._tail


def _quoted(text: str) -> str:
    """Escape a name as browsers do: quotes and line ends become percent codes."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
