"""A folder in Supervisely's format made equal to a version: only what differs is written.

A file is changed or removed only if it is known to be on the server: it has the stamp with which it was restored or
imported, or the content that it gets. What belongs to no image is left alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from autoflow.datasets import formats
from autoflow.datasets.cache_store import Cache, CachedImage, locked_store
from autoflow.datasets.files_layout import RECORD, restored_origin, shown
from autoflow.datasets.formats.base import Item
from autoflow.datasets.formats.supervisely import ANNOTATIONS, IMAGES, META, METAS, NESTED, Supervisely
from autoflow.datasets.reading import read
from autoflow.datasets.supervisely_export import Key, SuperviselyExport
from autoflow.datasets.tree import Tree, walk
from autoflow.errors import FolderError
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.contract import versions as contract
from autoflow.wire.contract.folders import FOLDER_STATE, FolderStateRequest


@dataclass
class Source:
    """A cache of what was restored to a folder or imported from it.

    Args:
        images: the images as they were then.
        labels_as_now: whether classes and tags were the version's: then equal fingerprints mean equal labels.
        meta: the sha256 of ``meta.json``, or the folder's fingerprint, as it was then.
    """

    images: dict[Key, CachedImage]
    labels_as_now: bool
    meta: str | None


@dataclass
class Difference:
    """The difference between a folder and a version.

    Args:
        tree: the folder.
        changed: images whose labels, at least, are written.
        present: those of them whose image file is right already.
        replaced: the files of these images as they are now, and of those that the version lacks.
        untouched: images of the folder that stay as they are, with what is known of them.
        unknown: files that may be nowhere else.
        extra: folders of datasets that the version lacks.
        writes_meta: whether ``meta.json`` is written.
    """

    tree: Tree
    changed: list[Key] = field(default_factory=list)
    present: set[Key] = field(default_factory=set)
    replaced: list[str] = field(default_factory=list)
    untouched: dict[Key, CachedImage] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    writes_meta: bool = False


def compare(
    transport: Transport, target: str, export: SuperviselyExport, meta: contract.VersionMetaResponse, *, prune: bool
) -> Difference:
    """Compare a folder with a version; without `prune`, images that the version lacks are left alone.

    Raises:
        FolderError: it has files that may be nowhere else, or links in the way; it names them.
    """
    sources = list(_sources(transport, os.path.realpath(target), export, meta))
    if not sources:
        raise FolderError(f"{target!r} exists and is not an empty folder: choose another path, or empty it")
    tree = walk(target)
    listing = Supervisely(tree).listing()
    extra = [f"/{NESTED}/".join(dataset.split("/")) for dataset in listing if dataset not in export.folders]
    difference = Difference(tree, extra=extra if prune else [])
    _compare_meta(difference, export, sources)
    items = {(dataset, name): item for dataset, named in listing.items() for name, item in named.items()}
    doubtful: list[Key] = []
    for key, item in items.items():
        known = next((source for source in sources if _is_intact(tree, item, source.images.get(key))), None)
        if known is None and (key in export.entries or prune):
            doubtful.append(key)
        elif known is not None:
            _compare_known(difference, export, key, item, known, prune=prune)
    _compare_doubtful(difference, export, items, doubtful, sources)
    difference.changed += [key for key in export.entries if key not in items]
    _check_way(difference, export, target)
    return difference


def _is_intact(tree: Tree, item: Item, cached: CachedImage | None) -> bool:
    return cached is not None and cached.image == tree.stamp(item.image) and cached.labels == item.stamp


def _files(item: Item) -> list[str]:
    return [item.image, *(path for path in item.labels if path is not None)]


def _compare_known(
    difference: Difference, export: SuperviselyExport, key: Key, item: Item, known: Source, *, prune: bool
) -> None:
    """Compare an image whose files are as they were restored or imported."""
    cached = known.images[key]
    entry = export.entries.get(key)
    if entry is None:
        if prune:
            difference.replaced += _files(item)
        else:
            difference.untouched[key] = cached
    elif known.labels_as_now and entry.fingerprint == cached.etag and entry.fingerprint:
        difference.untouched[key] = cached
    else:
        difference.changed.append(key)
        difference.replaced += _files(item)[1:]
        if entry.hash == cached.hash:
            difference.present.add(key)
        else:
            difference.replaced.append(item.image)


def _compare_doubtful(
    difference: Difference,
    export: SuperviselyExport,
    items: Mapping[Key, Item],
    doubtful: Iterable[Key],
    sources: Iterable[Source],
) -> None:
    """Compare images by the bytes of their files, as stamps do not tell."""
    tree = difference.tree
    pending = {key for key in doubtful if key in export.entries}
    for key in set(doubtful) - pending:
        difference.unknown.append(items[key].image)
    for key, labeled in export.labeled(pending):
        item = items[key]
        files = export.label_files(key, labeled)
        own = {path for path in item.labels if path is not None}
        difference.unknown += [path for path in own if _content(tree, path) != files.get(path)]
        actual = read(tree.path(item.image), max_kept=-1).hash
        if actual == export.entries[key].hash:
            difference.present.add(key)
        elif actual in {source.images[key].hash for source in sources if key in source.images}:
            difference.replaced.append(item.image)
        else:
            difference.unknown.append(item.image)
        if own != files.keys() or key not in difference.present:
            difference.changed.append(key)
            difference.replaced += own


def _content(tree: Tree, path: str) -> bytes | None:
    return read(tree.path(path), max_kept=None).data


def _compare_meta(difference: Difference, export: SuperviselyExport, sources: Iterable[Source]) -> None:
    tree = difference.tree
    if tree.stamp(META) is None:
        difference.writes_meta = True
        return
    content = _content(tree, META)
    if content == export.meta():
        return
    fingerprint = formats.fingerprint(tree, formats.format_types())
    known = {_hash(content or b""), fingerprint}
    source = next((source for source in sources if source.meta is not None and source.meta in known), None)
    if source is None:
        difference.unknown.append(META)
    difference.writes_meta = source is None or not source.labels_as_now


def _check_way(difference: Difference, export: SuperviselyExport, target: str) -> None:
    """Check that what is written replaces nothing that is unknown."""
    tree = difference.tree
    replaced = set(difference.replaced)
    for key in difference.changed:
        dataset, name = key
        folder = export.folders[dataset]
        paths = [f"{folder}/{part}/{name}.json" for part in (ANNOTATIONS, METAS)]
        paths += [] if key in difference.present else [export.image_path(key)]
        difference.unknown += [path for path in paths if tree.stamp(path) is not None and path not in replaced]
    folders = set(export.folders.values())
    within = [path for path in tree.links if any(f"{folder}/".startswith(f"{path}/") for folder in folders)]
    parts = {f"{folder}/{part}" for folder in folders for part in (IMAGES, ANNOTATIONS, METAS, NESTED)}
    within += [path for path in tree.links if path in parts or path.rpartition("/")[0] in parts]
    if within or tree.special:
        raise FolderError(f"{target!r} has links or special files in the way: {shown([*within, *tree.special])}")
    if difference.unknown:
        raise FolderError(
            f"{target!r} has files that were neither restored there nor imported from there, or have changed since: "
            f"{shown(sorted(set(difference.unknown)))}. Move them away, import the folder first, or choose another "
            "folder"
        )


def _sources(
    transport: Transport, target: str, export: SuperviselyExport, meta: contract.VersionMetaResponse
) -> Iterator[Source]:
    """Yield what is known of a folder: what was restored to it last, and what the project was imported from."""
    with locked_store(restored_origin(transport), target) as caches:
        if RECORD in caches.projects():
            with contextlib.closing(caches.open(RECORD)) as cache:
                state = cache.state()
                if state.get("format") == Supervisely.name:
                    yield Source(_images(cache), state["definitions"] == _hash(export.meta()), state["meta"])
    project_id = meta["project"]["id"]
    with locked_store(transport.origin, target) as caches:
        if project_id in caches.projects():
            with contextlib.closing(caches.open(project_id)) as cache:
                state = cache.state()
                if state.get("format") == Supervisely.name:
                    as_now = _is_unchanged(transport, project_id, state, meta)
                    yield Source(_images(cache), as_now, state.get("fingerprint"))


def _images(cache: Cache) -> dict[Key, CachedImage]:
    return {(dataset, name): image for dataset in cache.datasets() for name, image in cache.images(dataset).items()}


def _is_unchanged(
    transport: Transport, project_id: int, state: Mapping[str, Any], meta: contract.VersionMetaResponse
) -> bool:
    """Return whether a project's classes and tags are those of its last import, and of a version."""
    if meta["project"]["removed"]:
        return False
    digest = call(transport, FOLDER_STATE, FolderStateRequest(project_id=project_id))["digest"]
    if digest != state.get("digest"):
        return False
    current: Any = transport.call("projects.meta", {"id": project_id})
    return all(current[part] == meta["meta"][part] for part in ("classes", "tags"))


def replace(difference: Difference, export: SuperviselyExport, staged: str) -> None:
    """Put the files that were written in their places, and remove those that the version lacks."""
    root = difference.tree.root
    new = {
        os.path.relpath(os.path.join(folder, name), staged) for folder, _, names in os.walk(staged) for name in names
    }
    for path in set(difference.replaced) - new:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(root, path))
    export.make_folders(root)
    for path in new:
        target = os.path.join(root, path)
        try:
            os.replace(os.path.join(staged, path), target)
        except FileNotFoundError:  # the first metadata of its dataset
            os.makedirs(os.path.dirname(target))
            os.replace(os.path.join(staged, path), target)
    emptied = {path.rpartition("/")[0] for path in difference.replaced}
    emptied |= {f"{folder}/{IMAGES}" for folder in difference.extra}
    untouched = {f"{folder}/{part}" for folder in export.folders.values() for part in (IMAGES, ANNOTATIONS)}
    remove_empty(root, _with_parents(emptied) - untouched)


def _with_parents(folders: Iterable[str]) -> set[str]:
    """Return folders of images and labels, with the others of their datasets, and the datasets around them."""
    around: set[str] = set()
    for folder in folders:
        dataset = folder.rpartition("/")[0]
        while dataset:
            around.add(dataset)
            dataset = dataset.rpartition("/")[0]
    return around | {f"{dataset}/{part}" for dataset in around for part in (IMAGES, ANNOTATIONS, METAS, NESTED)}


def remove_empty(root: str, folders: Iterable[str]) -> None:
    """Remove those of some folders that are empty, the inner ones first."""
    for folder in sorted(folders, key=len, reverse=True):
        with contextlib.suppress(OSError):
            os.rmdir(os.path.join(root, folder))


def record(
    transport: Transport, target: str, export: SuperviselyExport, untouched: Mapping[Key, CachedImage] = {}
) -> None:
    """Remember the files of a folder with their stamps, so that a later restore knows them without reading them."""
    tree = walk(target)
    with locked_store(restored_origin(transport), target) as caches:
        caches.remove(RECORD)
        with contextlib.closing(caches.open(RECORD)) as cache:
            on_disk = _content(tree, META) if tree.stamp(META) is not None else None
            cache.update_state(
                format=Supervisely.name,
                definitions=_hash(export.meta()),
                meta=_hash(on_disk) if on_disk is not None else None,
            )
            for dataset, items in Supervisely(tree).listing().items():
                rows = []
                for name, item in items.items():
                    entry, known = export.entries.get((dataset, name)), untouched.get((dataset, name))
                    if entry is not None:
                        stamps = tree.stamp(item.image) or b"", item.stamp or b""
                        rows.append((name, CachedImage(*stamps, entry.hash, entry.id, entry.fingerprint)))
                    elif known is not None:
                        rows.append((name, known))
                cache.store(dataset, rows)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
