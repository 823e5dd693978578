"""The part that formats without labels share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from autoflow.datasets.formats.base import Meta
from autoflow.datasets.tree import Tree

NO_LABELS = b"none"  # the stamp of an item


class Unlabeled:
    """A folder that has no metadata files, so that its items have no labels."""

    metadata_patterns: ClassVar[Sequence[str]] = ()
    needs_image_size = False

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def meta(self) -> Meta:
        """Return no classes and tags."""
        return {"classes": [], "tags": []}

    def context(self) -> str:
        """Return an empty text, as there are no labels."""
        return ""

    def sources(self) -> list[str]:
        """Return no files, as none labels others."""
        return []
