"""The files of blobs in a folder, without the store's mark and the trash."""

from __future__ import annotations

from pathlib import Path

MARK, TRASH = "store.json", "trash"


def blob_files(folder: str | Path) -> list[Path]:
    """Return the files of blobs, in the order of their paths."""
    top = Path(folder)
    files = (path for path in top.rglob("*") if path.is_file())
    return sorted(path for path in files if path.name != MARK and TRASH not in path.relative_to(top).parts)
