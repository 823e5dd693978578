"""Detection of a folder's format: Supervisely, YOLO, COCO, VOC, images only, any files, or one of a package.

Formats of other packages are registered by the entry point group ``autoflow.formats``, see docs/extending.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata

from autoflow.datasets.formats.base import DatasetFormat, FormatType, is_image, metadata_files
from autoflow.datasets.formats.coco import Coco
from autoflow.datasets.formats.files import Files
from autoflow.datasets.formats.plain import Plain
from autoflow.datasets.formats.supervisely import Supervisely
from autoflow.datasets.formats.voc import Voc
from autoflow.datasets.formats.yolo import Yolo
from autoflow.datasets.tree import Tree, is_settled
from autoflow.errors import FolderError

ENTRY_POINTS = "autoflow.formats"
IMAGES = "images"  # the type of projects that all formats but `Files` are read into
BUILT_IN: tuple[FormatType, ...] = (Supervisely, Yolo, Coco, Voc, Plain)


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


def detect_format(
    tree: Tree, types: Iterable[FormatType], unchanged: str | None = None, project_type: str | None = None
) -> DatasetFormat:
    """Return the folder, read in the first format that recognizes it.

    Args:
        tree: the folder.
        types: the formats to try.
        unchanged: name of the format it was read in before, if its fingerprint is the same as then.
        project_type: ``images`` or ``files``; None for images if it has some, and if they are not just a few of its
            files.

    Raises:
        FolderError: it has no images or files, or a file that belongs to a format is not valid.
    """
    candidates = _candidates(tree, types, project_type)
    for format_type in candidates:
        if format_type.name == unchanged and (folder := format_type.detect(tree, unchanged=True)) is not None:
            return folder
    for format_type in candidates:
        folder = format_type.detect(tree, unchanged=False)
        if folder is not None and (project_type is not None or not isinstance(folder, Plain) or folder.is_typical):
            return folder
    if project_type == IMAGES:
        raise FolderError(
            f"there are no images in {tree.root!r}: choose a folder of images, or one in the format of Supervisely "
            "(meta.json), YOLO (data.yaml, images, labels), COCO (annotations/*.json, images) or Pascal VOC (*.xml); a "
            "project of type files takes any folder (--type files)"
        )
    raise FolderError(f"there are no files in {tree.root!r}, except hidden ones and those of caches: choose another")


def _candidates(tree: Tree, types: Iterable[FormatType], project_type: str | None) -> list[FormatType]:
    """Return the formats to try for a project of a type, Files at last."""
    if project_type == Files.name:
        return [Files]
    formats = list(types)
    if project_type is None:
        formats.append(Files)
        if not any(is_image(name) for names in tree.files.values() for name in names):
            # JSON and YAML files of other data are not to be read as labels, nor refused as invalid ones.
            of_images = {Yolo.name, Coco.name, Voc.name, Plain.name}
            return [format_type for format_type in formats if format_type.name not in of_images]
    return formats


def project_type_of(folder: DatasetFormat) -> str:
    """Return the type of the projects that a folder is imported to."""
    return Files.name if folder.name == Files.name else IMAGES


def label_sources(tree: Tree, folder: DatasetFormat, types: Iterable[FormatType]) -> list[str]:
    """Return the files that label several items of a folder; of a format that does not say, those of its patterns."""
    sources: Callable[[], Sequence[str]] | None = getattr(folder, "sources", None)
    if sources is not None:
        return list(sources())
    return metadata_files(
        tree, [pattern for kind in types if kind.name == folder.name for pattern in kind.metadata_patterns]
    )
