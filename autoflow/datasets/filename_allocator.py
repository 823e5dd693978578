"""Unique file names for names of images and datasets, which may be any text."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

MAX_BYTES = 240  # the file systems' 255, without what is appended to a name


class FilenameAllocator:
    """The file names in one folder.

    Args:
        taken: names that are in use.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def allocate(self, name: str) -> str:
        """Return the name itself if it is a valid and unused file name, else a similar one."""
        safe = name.replace("/", "_").replace("\0", "_")
        if safe.strip(".") == "":
            safe = f"_{safe}"
        stem, extension = os.path.splitext(safe)
        if len(safe.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            extension = extension if len(extension.encode()) <= 16 else ""
            prefix = stem.encode("utf-8", "surrogatepass")[: MAX_BYTES - 40].decode("utf-8", "ignore")
            stem = f"{prefix}_{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
            safe = stem + extension
        number = 0
        candidate = safe
        while candidate in self._taken:
            number += 1
            candidate = f"{stem}_{number:03d}{extension}"
        self._taken.add(candidate)
        return candidate
