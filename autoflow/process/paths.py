"""Containment of paths."""

from __future__ import annotations

import os


def path_below(path: str, root: str) -> str | None:
    """Return an absolute path relative to a folder that contains it (``.`` for the folder itself), else None.

    Neither path is resolved: pass real paths where symbolic links must not lead outside.
    """
    if not os.path.isabs(path):
        return None
    relative = os.path.relpath(path, root)
    return None if relative == os.pardir or relative.startswith(os.pardir + os.sep) else relative
