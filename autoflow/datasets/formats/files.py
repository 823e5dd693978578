"""Files of any kind: each folder is a dataset, nested as the folders are, with all of its files.

Of a file's mode, as in git, only whether it is executable is part of a version.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from autoflow.datasets.formats.base import Item, Labels, Listing
from autoflow.datasets.formats.unlabeled import NO_LABELS, Unlabeled
from autoflow.datasets.tree import Tree, is_ignored, join
from autoflow.errors import FolderError

TOP = "."  # the dataset of the files in no subfolder: no folder has this name
_EXECUTABLE = "executable"  # member of an item's meta


class Files(Unlabeled):
    """A folder of any files, for a project of type ``files``."""

    name: ClassVar[str] = "files"

    @classmethod
    def detect(cls, tree: Tree, *, unchanged: bool) -> Files | None:
        """Return the folder if it has files."""
        del unchanged  # there are no metadata files
        folder = cls(tree)
        return folder if any(folder.listing().values()) else None

    def listing(self) -> Listing:
        """Return all files but hidden ones and those of caches; an empty folder is an empty dataset."""
        listing: Listing = {}
        for folder, files in self._tree.files.items():
            items = {name: Item(join(folder, name), NO_LABELS) for name in files if not is_ignored(name)}
            if items or folder:
                listing[folder or TOP] = items
        return listing

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """Return no labels, and whether the file is executable."""
        try:
            mode = os.stat(self._tree.path(item.image)).st_mode
        except OSError as error:  # removed since it was read
            raise FolderError(f"{self._tree.path(item.image)!r} cannot be read ({error.strerror})") from error
        return Labels(meta={_EXECUTABLE: True} if mode & stat.S_IXUSR else {})


def is_executable(meta: Mapping[str, Any]) -> bool:
    """Return whether an item with this meta is an executable file."""
    return meta.get(_EXECUTABLE) is True


def set_executable(path: str, executable: bool) -> None:
    """Make a file executable by those who may read it, or by no one; a link becomes a file of its own first."""
    status = os.stat(path)
    if _mode(status, executable) == stat.S_IMODE(status.st_mode):
        return
    if status.st_nlink > 1:
        copy = f"{path}.{secrets.token_hex(4)}"
        shutil.copyfile(path, copy)
        os.replace(copy, path)
    os.chmod(path, _mode(os.stat(path), executable))


def _mode(status: os.stat_result, executable: bool) -> int:
    mode = stat.S_IMODE(status.st_mode)
    return mode | (mode & 0o444) >> 2 if executable else mode & ~0o111
