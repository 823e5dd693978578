"""Content hashes of the wire: the base64 text of a sha256 digest."""

from __future__ import annotations

import base64
from typing import Protocol


class Digest(Protocol):
    """A hash object of `hashlib`."""

    def digest(self) -> bytes:
        """Return the digest of the data so far."""
        ...


def encode_hash(sha256: Digest) -> str:
    """Return the wire's form of a sha256."""
    return base64.b64encode(sha256.digest()).decode()


def hex_of(content_hash: str) -> str:
    """Return the hexadecimal digits of a sha256 in the wire's form."""
    return base64.b64decode(content_hash).hex()
