"""A folder of images and nothing else: each folder is a dataset, in the dataset of the folder it stands in."""

from __future__ import annotations

from collections.abc import Sequence

from autoflow.datasets.formats.base import UNNAMED, Item, Labels, Listing, Meta, is_image
from autoflow.datasets.tree import Tree, join

_NONE = b"none"


class Plain:
    """Images of which the folder says nothing: what the project knows of them stays."""

    word = "images"
    sized = False

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def meta(self) -> Meta:
        """There are no classes and tags here."""
        return {"classes": [], "tags": []}

    def context(self) -> str:
        """Nothing."""
        return ""

    def listing(self) -> Listing:
        """All images; those that stand in the folder itself are in a dataset of a free name."""
        top = UNNAMED
        taken = set(self._tree.folders[""])
        for number in range(1, len(taken) + 1):
            if top not in taken:
                break
            top = f"{UNNAMED}_{number:03d}"
        found: Listing = {}
        for folder, files in self._tree.files.items():
            named = {name: Item(join(folder, name), _NONE) for name in files if is_image(name)}
            if named:
                found[folder or top] = named
        return found

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """Nothing is known."""
        return Labels()
