"""A version as the files of a folder: each at the path of its datasets and its name, without labels.

The files are written to a temporary folder beside the target. A target that does not exist is that folder, renamed. Of
one that holds what was restored before, or what the project was imported from, only the differences are replaced: a
file is changed or removed only if its content is known to be on the server.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from autoflow.datasets.cache_store import CachedImage, locked_store
from autoflow.datasets.content_writer import ContentWriter
from autoflow.datasets.filename_allocator import FilenameAllocator
from autoflow.datasets.formats.files import TOP, Files, is_executable, set_executable
from autoflow.datasets.reading import read
from autoflow.datasets.tree import Tree, is_ignored, join, walk
from autoflow.datasets.version_reader import VersionReader
from autoflow.errors import FolderError
from autoflow.transport.base import Transport
from autoflow.wire.contract.versions import VersionItem

PAGE = 500  # files that are written at once
SHOWN = 10  # paths that a message names
RECORD = 0  # in the place of a project's id: what was restored to a folder, of any project


class Layout(NamedTuple):
    """The content of a folder.

    Args:
        folders: the relative paths of all subfolders.
        hashes: content hashes by the relative paths of files.
        executable: the paths of those that are executable.
        lost: what belongs to the files and is not written, as numbers by what it is.
    """

    folders: list[str]
    hashes: dict[str, str]
    executable: set[str]
    lost: Counter[str]


def plan(reader: VersionReader) -> Layout:
    """Return the files of a version with valid and unique names.

    Raises:
        FolderError: the content of an item is not on the server.
    """
    allocators: dict[str, FilenameAllocator] = {}

    def allocate(folder: str, name: str) -> str:
        return join(folder, allocators.setdefault(folder, FilenameAllocator()).allocate(name))

    folders: dict[int, str] = {}
    for dataset in reader.datasets:  # parents come before their children
        if dataset["path"] == [TOP]:
            folders[dataset["id"]] = ""
        else:
            folders[dataset["id"]] = allocate(folders.get(dataset["parentId"] or 0, ""), dataset["name"])
    layout = Layout([], {}, set(), Counter())
    for page in reader.pages():
        for item in page:
            path = allocate(folders[item["datasetId"]], item["name"])
            layout.hashes[path] = content_hash(item)
            for name, count in (("labels", item["labelsCount"]), ("tags", len(item["tags"]))):
                if count:
                    layout.lost[name] += count
            if is_executable(item["meta"]):
                layout.executable.add(path)
    layout.folders.extend(folder for folder in folders.values() if folder)
    return layout


def content_hash(item: VersionItem) -> str:
    """Return the hash of an item's content.

    Raises:
        FolderError: the item is a link.
    """
    if item["hash"] is None:
        raise FolderError(
            f"{item['name']!r} of dataset {'/'.join(item['dataset'])!r} is a link to {item['link']}, whose "
            "content is not stored on the server: download it from there"
        )
    return item["hash"]


def write(root: str, layout: Layout, paths: Sequence[str], writer: ContentWriter) -> Iterator[int]:
    """Write some files of a layout, and its folders, below a folder; yield their number after each page."""
    for folder in layout.folders:
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    for start in range(0, len(paths), PAGE):
        page = paths[start : start + PAGE]
        writer.write([(os.path.join(root, path), layout.hashes[path]) for path in page])
        for path in layout.executable.intersection(page):
            set_executable(os.path.join(root, path), True)
        yield start + len(page)


class Known(NamedTuple):
    """A folder that was restored to, or imported, before.

    Args:
        tree: its entries.
        hashes: the content hashes of its files that are the version's, or known to be on the server, by path.
    """

    tree: Tree
    hashes: dict[str, str]


def examine(transport: Transport, target: str, layout: Layout, project_id: int, *, prune: bool) -> Known:
    """Compare a folder with a layout; without `prune`, its files that the layout lacks are left alone.

    Raises:
        FolderError: it has files that may be nowhere else, or links in the way; it names them.
    """
    tree = walk(target)
    unwalked = (*tree.links, *tree.ignored)
    in_the_way = [path for path in unwalked if path in layout.hashes or _is_within(path, layout)]
    if in_the_way or tree.special:
        raise FolderError(f"{target!r} has links or special files in the way: {shown([*in_the_way, *tree.special])}")
    recorded = _recorded(transport, target, project_id)
    hashes: dict[str, str] = {}
    unknown: list[str] = []
    for folder, files in tree.files.items():
        for name, stamp in files.items():
            path = join(folder, name)
            if path not in layout.hashes and (is_ignored(name) or not prune):
                continue
            stored = recorded.get(path)
            if stored is not None and stored.image == stamp:
                hashes[path] = stored.hash
                continue
            actual = read(tree.path(path), max_kept=-1).hash
            if actual in {layout.hashes.get(path), stored and stored.hash}:
                hashes[path] = actual
            else:
                unknown.append(path)
    if unknown:
        raise FolderError(
            f"{target!r} has files that were neither restored there nor imported from there, or have changed since: "
            f"{shown(unknown)}. Move them away, import the folder first, or choose another folder"
        )
    return Known(tree, hashes)


def _is_within(path: str, layout: Layout) -> bool:
    return any(folder == path or folder.startswith(f"{path}/") for folder in layout.folders)


def _recorded(transport: Transport, target: str, project_id: int) -> dict[str, CachedImage]:
    """Return the files that were restored to a folder, or imported from it, by path."""
    recorded: dict[str, CachedImage] = {}
    for origin, number in ((transport.origin, project_id), (restored_origin(transport), RECORD)):
        with locked_store(origin, target) as caches:
            if number not in caches.projects():
                continue
            with contextlib.closing(caches.open(number)) as cache:
                if cache.state().get("format", Files.name) != Files.name:
                    continue
                for dataset in cache.datasets():
                    folder = "" if dataset == TOP else dataset
                    recorded.update((join(folder, name), image) for name, image in cache.images(dataset).items())
    return recorded


def restored_origin(transport: Transport) -> str:
    """Return the key of the records of restored files, which no import uses."""
    return f"{transport.origin} restored"


def record(transport: Transport, target: str, layout: Layout) -> None:
    """Remember the files of a folder with their stamps, so that a later restore knows them without reading them."""
    tree = walk(target)
    with locked_store(restored_origin(transport), target) as caches:
        caches.remove(RECORD)
        with contextlib.closing(caches.open(RECORD)) as cache:
            for folder, files in tree.files.items():
                rows = [
                    (name, CachedImage(stamp, b"", layout.hashes[join(folder, name)], 0, ""))
                    for name, stamp in files.items()
                    if join(folder, name) in layout.hashes
                ]
                cache.store(folder or TOP, rows)


def replace(known: Known, layout: Layout, staged: str, changed: Iterable[str], *, prune: bool) -> None:
    """Put the changed files of a layout in their places; with `prune`, remove the files that it lacks first."""
    root = known.tree.root
    emptied = set()
    for path in known.hashes.keys() - layout.hashes.keys() if prune else ():
        os.unlink(os.path.join(root, path))
        emptied.add(path.rpartition("/")[0])
    _remove_empty(root, emptied - {"", *layout.folders})
    for folder in layout.folders:
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    for path in changed:
        os.replace(os.path.join(staged, path), os.path.join(root, path))
    for path in layout.hashes:  # unchanged ones may have been made executable
        set_executable(os.path.join(root, path), path in layout.executable)


def _remove_empty(root: str, folders: Iterable[str]) -> None:
    """Remove folders, and those around them, as far as they are empty."""
    for folder in sorted(folders, key=len, reverse=True):
        with contextlib.suppress(OSError):
            while folder:
                os.rmdir(os.path.join(root, folder))
                folder = folder.rpartition("/")[0]


def changed_paths(known: Mapping[str, str], layout: Layout) -> list[str]:
    """Return the files of a layout that a folder lacks, or has with another content."""
    return [path for path, value in layout.hashes.items() if known.get(path) != value]


def shown(paths: Sequence[str]) -> str:
    """Return paths for a message: some of many."""
    names = ", ".join(repr(path) for path in sorted(paths)[:SHOWN])
    return f"{names} and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else names
