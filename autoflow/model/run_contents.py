"""Contents that belong to the facts of a run: stored once by sha256, in pieces that fit into a record."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Mapping
from typing import TypedDict

PIECE = 40_000  # bytes of a piece, less than a record holds in base64
MAX_PIECES = 32  # of one content


class StoredContent(TypedDict):
    """A content by its hash.

    Args:
        sha256: of the bytes, in hexadecimal digits.
        size: bytes.
        pieces: names of the pieces of its compressed bytes, in order.
    """

    sha256: str
    size: int
    pieces: list[str]


def sha256_of(data: bytes) -> str:
    """Return the sha256 of bytes in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def split(data: bytes) -> tuple[StoredContent, dict[str, str]] | None:
    """Compress bytes and split them into pieces; return their description, and the pieces in base64 by their sha256.

    None if there would be more than `MAX_PIECES`.
    """
    compressed = zlib.compress(data)
    if len(compressed) > PIECE * MAX_PIECES:
        return None
    parts = [compressed[start : start + PIECE] for start in range(0, len(compressed), PIECE)]
    pieces = {sha256_of(part): base64.b64encode(part).decode() for part in parts}
    return {"sha256": sha256_of(data), "size": len(data), "pieces": [sha256_of(part) for part in parts]}, pieces


def decode_piece(name: str, text: str) -> bytes:
    """Return a piece from its base64.

    Raises:
        ValueError: it is not the piece of this name, or longer than a piece may be.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    if len(data) > PIECE or sha256_of(data) != name:
        raise ValueError(f"the bytes are not the content {name!r}")
    return data


def join(content: StoredContent, pieces: Mapping[str, str]) -> bytes:
    """Return a content's bytes from its pieces, after checking them.

    Raises:
        ValueError: a piece is missing or damaged.
    """
    if len(content["pieces"]) > MAX_PIECES:
        raise ValueError("the content has too many pieces")
    missing = [name for name in content["pieces"] if name not in pieces]
    if missing:
        raise ValueError(f"the server lacks {len(missing)} of its {len(content['pieces'])} pieces")
    compressed = b"".join(decode_piece(name, pieces[name]) for name in content["pieces"])
    decompressor = zlib.decompressobj()
    try:
        data = decompressor.decompress(compressed, content["size"] + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if sha256_of(data) != content["sha256"]:
        raise ValueError("its bytes are not those that were recorded")
    return data
