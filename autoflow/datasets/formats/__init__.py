"""Detection of a folder's format: Supervisely, YOLO, COCO, images only, or a format of an installed package.

Formats of other packages are registered by the entry point group ``autoflow.formats``, see docs/extending.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib import metadata

from autoflow.datasets.formats.base import DatasetFormat, FormatType, is_image, metadata_files
from autoflow.datasets.formats.coco import Coco
from autoflow.datasets.formats.plain import Plain
from autoflow.datasets.formats.supervisely import Supervisely
from autoflow.datasets.formats.yolo import Yolo
from autoflow.datasets.tree import Tree, is_settled
from autoflow.errors import FolderError

ENTRY_POINTS = "autoflow.formats"
BUILT_IN: tuple[FormatType, ...] = (Supervisely, Yolo, Coco, Plain)


def format_types() -> list[FormatType]:
    """Return all formats in the order in which they are tried: those of other packages first.

    Raises:
        FolderError: a package's format cannot be imported. It is not skipped, because the folder could then be read
            in another format, without its labels.
    """
    external: list[FormatType] = []
    for entry_point in sorted(metadata.entry_points(group=ENTRY_POINTS), key=lambda entry_point: entry_point.name):
        try:
            external.append(entry_point.load())
        except Exception as error:  # a package of others may raise anything
            package = entry_point.dist.name if entry_point.dist is not None else entry_point.value
            raise FolderError(
                f"the dataset format {entry_point.name!r} of {package} cannot be imported ({error}): "
                "upgrade or uninstall that package"
            ) from error
    return [*external, *BUILT_IN]


def fingerprint(tree: Tree, types: Iterable[FormatType]) -> str | None:
    """Return a hash that changes when a metadata file changes or an image is added or removed.

    None if a metadata file was modified too recently for its stamp to be trusted.
    """
    patterns = {pattern for format_type in types for pattern in format_type.metadata_patterns}
    digest = hashlib.sha256()
    for path in metadata_files(tree, patterns):
        stamp = tree.stamp(path)
        if stamp is None or not is_settled(stamp, tree.walked_at):
            return None
        digest.update(f"{path}\0".encode("utf-8", "surrogateescape") + stamp)
    for folder, files in sorted(tree.files.items()):
        names = "\0".join(sorted(filter(is_image, files)))
        digest.update(f"{folder}\0\0{names}\0\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def detect_format(tree: Tree, types: Iterable[FormatType], unchanged: str | None = None) -> DatasetFormat:
    """Return the folder, read in the first format that recognizes it.

    Args:
        tree: the folder.
        types: the formats to try.
        unchanged: name of the format it was read in before, if its fingerprint is the same as then.

    Raises:
        FolderError: it has no images, or a file that belongs to a format is not valid.
    """
    types = list(types)
    for format_type in types:
        if format_type.name == unchanged and (folder := format_type.detect(tree, unchanged=True)) is not None:
            return folder
    for format_type in types:
        if (folder := format_type.detect(tree, unchanged=False)) is not None:
            return folder
    raise FolderError(
        f"there are no images in {tree.root!r}: choose a folder of images, or one in the format of Supervisely "
        "(meta.json), YOLO (data.yaml, images, labels) or COCO (annotations/*.json, images)"
    )
