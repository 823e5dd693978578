"""Files of any kind: each folder is a dataset, nested as the folders are, with all of its files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from autoflow.datasets.formats.base import Item, Labels, Listing, Meta
from autoflow.datasets.tree import Tree, is_ignored, join

TOP = "."  # the dataset of the files in no subfolder: no folder has this name
_NO_LABELS = b"none"  # the stamp


class Files:
    """A folder of any files, for a project of type ``files``."""

    name: ClassVar[str] = "files"
    metadata_patterns: ClassVar[Sequence[str]] = ()
    needs_image_size = False

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    @classmethod
    def detect(cls, tree: Tree, *, unchanged: bool) -> Files | None:
        """Return the folder if it has files."""
        del unchanged  # there are no metadata files
        folder = cls(tree)
        return folder if any(folder.listing().values()) else None

    def meta(self) -> Meta:
        """Return no classes and tags."""
        return {"classes": [], "tags": []}

    def context(self) -> str:
        """Return an empty text, as there are no labels."""
        return ""

    def sources(self) -> list[str]:
        """Return no files, as none labels others."""
        return []

    def listing(self) -> Listing:
        """Return all files but hidden ones and those of caches; an empty folder is an empty dataset."""
        listing: Listing = {}
        for folder, files in self._tree.files.items():
            items = {name: Item(join(folder, name), _NO_LABELS) for name in files if not is_ignored(name)}
            if items or folder:
                listing[folder or TOP] = items
        return listing

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """Return no labels."""
        return Labels()
