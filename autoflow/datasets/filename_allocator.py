"""Names of files for names of images and datasets, which may be any text."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

LONGEST = 240  # bytes: the file systems' 255, less what is put behind a name


class Names:
    """The names in one folder.

    Args:
        taken: those that are not to be had.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def free(self, name: str) -> str:
        """The name itself, when a file can be called that and none is; else one like it."""
        safe = name.replace("/", "_").replace("\0", "_")
        if safe.strip(".") == "":
            safe = f"_{safe}"
        stem, ending = os.path.splitext(safe)
        if len(safe.encode("utf-8", "surrogatepass")) > LONGEST:
            ending = ending if len(ending.encode()) <= 16 else ""
            short = stem.encode("utf-8", "surrogatepass")[: LONGEST - 40].decode("utf-8", "ignore")
            stem = f"{short}_{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
            safe = stem + ending
        number = 0
        found = safe
        while found in self._taken:
            number += 1
            found = f"{stem}_{number:03d}{ending}"
        self._taken.add(found)
        return found
