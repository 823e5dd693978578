"""Files of this machine as references: named by a path that begins with ``./``, ``../`` or ``~/``, known by content."""

from __future__ import annotations

import os

from autoflow.api.file_io import hash_of
from autoflow.wire.content_hash import hex_of


def is_local_path(ref: str) -> bool:
    """Return whether a reference names a file of this machine; one that begins with a slash is a team file's path."""
    return ref.startswith(("./", "../", "~/"))


def sha256_of_file(path: str) -> str:
    """Return the sha256 of a file in hexadecimal digits.

    Raises:
        OSError: it cannot be read.
    """
    with open(os.path.expanduser(path), "rb") as file:
        return hex_of(hash_of(file))
