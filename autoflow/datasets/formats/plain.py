"""Images without labels: each folder is a dataset, nested as the folders are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from autoflow.datasets.formats.base import DEFAULT_DATASET, Item, Labels, Listing, is_image
from autoflow.datasets.formats.unlabeled import NO_LABELS, Unlabeled
from autoflow.datasets.tree import Tree, is_ignored, join


class Plain(Unlabeled):
    """A folder of images without labels; those that the project has are left unchanged."""

    name: ClassVar[str] = "images"

    @classmethod
    def detect(cls, tree: Tree, *, unchanged: bool) -> Plain | None:
        """Return the folder if it has images."""
        del unchanged  # there are no metadata files
        return cls(tree) if any(is_image(name) for files in tree.files.values() for name in files) else None

    @property
    def is_typical(self) -> bool:
        """True if at least a third of the files are images: there may be labels of an unknown format beside each."""
        names = [name for files in self._tree.files.values() for name in files if not is_ignored(name)]
        return 3 * sum(map(is_image, names)) >= len(names)

    def listing(self) -> Listing:
        """Return all images; those in the top folder are in a dataset whose name no other folder has."""
        top = DEFAULT_DATASET
        folders = set(self._tree.folders[""])
        for number in range(1, len(folders) + 1):
            if top not in folders:
                break
            top = f"{DEFAULT_DATASET}_{number:03d}"
        listing: Listing = {}
        for folder, files in self._tree.files.items():
            items = {name: Item(join(folder, name), NO_LABELS) for name in files if is_image(name)}
            if items:
                listing[folder or top] = items
        return listing

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """Return no labels."""
        return Labels()
