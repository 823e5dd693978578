"""Which format a folder is in, told by looking at it: Supervisely's, YOLO's, COCO's, or images and nothing else."""

from __future__ import annotations

import hashlib

from autoflow.datasets import tree as trees
from autoflow.datasets.formats import supervisely, yolo
from autoflow.datasets.formats.base import Format, is_image
from autoflow.datasets.formats.coco import Coco
from autoflow.datasets.formats.plain import Plain
from autoflow.datasets.formats.supervisely import Supervisely
from autoflow.datasets.formats.yolo import Yolo
from autoflow.datasets.tree import Tree, join
from autoflow.errors import FolderError

_YAML = (".yaml", ".yml")
_KEYS = (".json", *_YAML)
_BESIDE_IMAGES = {supervisely.ANNOTATIONS, supervisely.METAS, "img_info"}


def key_files(tree: Tree) -> list[str]:
    """Files that may tell the format, or what is labelled in more than one image; those nearest to the top first."""
    found = []
    for folder, files in tree.files.items():
        if folder.rpartition("/")[2] not in _BESIDE_IMAGES:
            found += [join(folder, name) for name in files if name in yolo.LISTS or name.lower().endswith(_KEYS)]
    return sorted(found, key=lambda path: (path.count("/"), path))


def seal(tree: Tree) -> str | None:
    """What stays the same while no such file changes and no image comes or goes; None when that cannot be told yet."""
    digest = hashlib.sha256()
    for path in key_files(tree):
        stamp = tree.stamp(path)
        if stamp is None or not trees.settled(stamp, tree.looked):
            return None
        digest.update(f"{path}\0".encode("utf-8", "surrogateescape") + stamp)
    for folder, files in sorted(tree.files.items()):
        names = "\0".join(sorted(filter(is_image, files)))
        digest.update(f"{folder}\0\0{names}\0\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def read(tree: Tree, sealed: str | None = None) -> Format:
    """The folder as a project.

    Args:
        tree: what is in it.
        sealed: the format's name, when the folder's seal is that of the last time.

    Raises:
        FolderError: it holds no images, or a file that tells the format cannot be read.
    """
    keys = key_files(tree)
    if supervisely.is_here(tree):
        return Supervisely(tree)
    lists = [path for path in keys if path.endswith(_YAML) or path.rpartition("/")[2] in yolo.LISTS]
    names = Yolo(tree, lists)
    if sealed == Yolo.word or (sealed is None and names.is_here()):
        return names
    coco = Coco(tree, [path for path in keys if path.lower().endswith(".json")], sealed=sealed == Coco.word)
    if sealed == Coco.word or (sealed is None and coco.is_here()):
        return coco
    if not any(is_image(name) for files in tree.files.values() for name in files):
        raise FolderError(
            f"there are no images in {tree.root!r}: give a folder of images, or one in the format of Supervisely "
            "(meta.json), YOLO (data.yaml, images, labels) or COCO (annotations/*.json, images)"
        )
    return Plain(tree)
