"""The entries of a folder that an import leaves out, and which of them have changed since the last one."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from autoflow.datasets.formats.base import Listing
from autoflow.datasets.reading import read
from autoflow.datasets.tree import Tree, is_ignored, join, stamp_size
from autoflow.errors import FolderError

MAX_TRACKED = 1000  # files whose changes are noticed
MAX_HASHED = 32 * 1024 * 1024  # bytes; a larger file counts as changed when its stamp is another one
SHOWN = 5  # paths that a message names

logger = logging.getLogger("autoflow")


class LeftOut(NamedTuple):
    """Entries that are left out for the same reason.

    Args:
        reason: what they are, in the plural.
        paths: relative to the folder, sorted.
    """

    reason: str
    paths: list[str]

    def __str__(self) -> str:
        return f"{len(self.paths)} {self.reason}: {shown(self.paths)}"


def shown(paths: Collection[str]) -> str:
    """Return the first of some paths, and the number of the others."""
    names = ", ".join(repr(path) for path in list(paths)[:SHOWN])
    return f"{names} and {len(paths) - SHOWN} more" if len(paths) > SHOWN else names


def listed(counts: Mapping[str, int]) -> str:
    """Return numbers by what they count as a text."""
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))


def left_out(tree: Tree, listing: Listing, sources: Iterable[str]) -> list[LeftOut]:
    """Return what is in a folder and not in its listing.

    Args:
        tree: the folder.
        listing: its items with their label files.
        sources: the files that label several items.
    """
    used = {path for items in listing.values() for item in items.values() for path in (item.image, *item.labels)}
    used.update(sources)
    unused = [
        path for folder, names in tree.files.items() for name in names if (path := join(folder, name)) not in used
    ]
    hidden = [path for path in unused if is_ignored(path.rpartition("/")[2])]
    groups = (
        ("files that are no images and label none", sorted(set(unused) - set(hidden))),
        ("hidden entries and caches", sorted([*tree.ignored, *hidden])),
        ("symbolic links, which are not followed", sorted(tree.links)),
        ("entries that are not regular files", sorted(tree.special)),
    )
    return [LeftOut(reason, paths) for reason, paths in groups if paths]


def report(tree: Tree, groups: Iterable[LeftOut], changed: Collection[str]) -> None:
    """Log what was left out, and what of it has changed since the last import."""
    for group in groups:
        logger.warning("%s: left out %s", tree.root, group)
    if changed:
        logger.warning(
            "%s: changed since the last import, and in no version, as it was left out: %s", tree.root, shown(changed)
        )


def refuse(tree: Tree, groups: Collection[LeftOut]) -> None:
    """Fail if anything was left out.

    Raises:
        FolderError: naming it.
    """
    if groups:
        raise FolderError(
            f"{tree.root!r}: left out would be {'; '.join(map(str, groups))}. Move it out of the folder, import "
            "without strict, or import the folder as a project of type files, which has all files but hidden ones"
        )


def track(
    tree: Tree, groups: Iterable[LeftOut], previous: Mapping[str, list[str]] | None
) -> tuple[dict[str, list[str]], list[str]]:
    """Return stamp and hash of the files that are left out, and those that differ from the last import's.

    Args:
        tree: the folder.
        groups: what is left out.
        previous: what this returned in the last import, None if there was none.
    """
    paths = [path for group in groups for path in group.paths if tree.stamp(path) is not None][:MAX_TRACKED]
    state = {path: _entry(tree, path, (previous or {}).get(path)) for path in paths}
    if previous is None:
        return state, []
    changed = {path for path in {*state, *previous} if _hash(state, path) != _hash(previous, path)}
    return state, sorted(changed)


def _hash(state: Mapping[str, Any], path: str) -> str | None:
    return state[path][1] if path in state else None


def _entry(tree: Tree, path: str, previous: list[str] | None) -> list[str]:
    """Return stamp and hash of a file, which is only read if its stamp is another one."""
    stamp = tree.stamp(path) or b""
    if previous is not None and previous[0] == stamp.hex():
        return previous
    if stamp_size(stamp) > MAX_HASHED:
        return [stamp.hex(), stamp.hex()]
    try:
        content = read(tree.path(path), follow=True, max_kept=-1)
    except FolderError:  # it changes, or is not readable: its stamp says as much
        return [stamp.hex(), stamp.hex()]
    return [content.stamp.hex(), content.hash]
