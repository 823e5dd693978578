"""A walk of a folder: its regular files, each with a stamp that changes when the file does.

A stamp is made of what the file system reports without opening the file, as in git's index. A stamp that is too young
is not trusted: a file may be written twice within one tick of the file system's clock.
"""

from __future__ import annotations

import os
import stat
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from autoflow.errors import FolderError

# Longer than the tick of any file system's clock (2 s on FAT) with some clock skew of a file server.
TICK = 3_000_000_000  # nanoseconds

# What tools and systems leave in folders; like hidden files and folders, it is no data.
_CACHES = frozenset({"__pycache__", "__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"})
_SYSTEM_FILES = frozenset({"Thumbs.db", "desktop.ini"})

_STAMP = struct.Struct("<qqqQ")

clock: Callable[[], int] = time.time_ns


def make_stamp(status: os.stat_result) -> bytes:
    """Return size, mtime, ctime and inode of a file as 32 bytes."""
    return _STAMP.pack(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def is_settled(stamp: bytes, observed_at: int) -> bool:
    """Return whether a file that changes after a time (nanoseconds) is certain to get another stamp."""
    _, modified, changed, _ = _STAMP.unpack(stamp)
    return bool(max(modified, changed) < observed_at - TICK)


def stamp_size(stamp: bytes) -> int:
    """Return the size of the file in bytes."""
    return int(_STAMP.unpack(stamp)[0])


@dataclass
class Tree:
    """The content of a folder.

    Args:
        root: its absolute path.
        walked_at: start of the walk, in nanoseconds.
        files: stamps of regular files by folder (relative, the root is empty) and name.
        folders: names of subfolders by folder.
        links: symbolic links that were not followed, or lead to a folder that was walked already.
        special: entries that are neither files nor folders.
        ignored: hidden folders and caches, which are not walked.
    """

    root: str
    walked_at: int
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    folders: dict[str, list[str]] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def path(self, relative: str) -> str:
        """Return the absolute path of an entry."""
        return os.path.join(self.root, relative)

    def stamp(self, relative: str) -> bytes | None:
        """Return the stamp of a file, None if there is no such file."""
        folder, _, name = relative.rpartition("/")
        return self.files.get(folder, {}).get(name)


def is_text(name: str) -> bool:
    """Return whether a file name, which the file system stores as bytes, is valid text that is not blank."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return bool(name.strip())


def is_ignored(name: str) -> bool:
    """Return whether a file or folder of this name is hidden, or one that a tool or a system keeps for itself."""
    return name.startswith(".") or name in _CACHES or name in _SYSTEM_FILES or name.endswith(".pyc")


def join(folder: str, name: str) -> str:
    """Join a folder (empty for the root) and a name to a relative path."""
    return f"{folder}/{name}" if folder else name


def walk(root: str, *, follow: bool = False) -> Tree:
    """List all of a folder without opening files.

    Args:
        root: its path.
        follow: whether symbolic links are followed; each folder is walked once, whichever links lead to it.

    Raises:
        FolderError: a folder in it cannot be read.
    """
    tree = Tree(os.path.abspath(root), clock())
    visited: set[tuple[int, int]] = set()
    pending = [""]
    while pending:
        folder = pending.pop()
        if follow and not _is_first_visit(tree, folder, visited):
            continue
        pending.extend(join(folder, name) for name in _scan(tree, folder, follow))
    return tree


def _is_first_visit(tree: Tree, folder: str, visited: set[tuple[int, int]]) -> bool:
    try:
        status = os.stat(tree.path(folder))
    except OSError:  # removed in the meantime
        return True
    key = (status.st_dev, status.st_ino)
    if key in visited:
        tree.links.append(folder)
        return False
    visited.add(key)
    return True


def _scan(tree: Tree, folder: str, follow: bool) -> list[str]:
    """Add the entries of one folder to the tree; return the names of its subfolders."""
    files: dict[str, bytes] = {}
    folders: list[str] = []
    pack = _STAMP.pack
    try:
        with os.scandir(tree.path(folder)) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    files[entry.name] = pack(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
                elif entry.is_dir(follow_symlinks=False):
                    if is_ignored(entry.name):
                        tree.ignored.append(join(folder, entry.name))
                    else:
                        folders.append(entry.name)
                elif entry.is_symlink():
                    _add_link(tree, folder, entry, files, folders, follow)
                else:
                    tree.special.append(join(folder, entry.name))
    except OSError as error:
        raise FolderError(
            f"the folder {tree.path(folder)!r} cannot be read ({error.strerror}): make it readable, or move it away"
        ) from error
    tree.files[folder], tree.folders[folder] = files, sorted(folders)
    return folders


def _add_link(
    tree: Tree, folder: str, entry: os.DirEntry[str], files: dict[str, bytes], folders: list[str], follow: bool
) -> None:
    """Add the target of a symbolic link, if links are followed and it exists."""
    try:
        status = entry.stat() if follow else None
    except OSError:  # broken, or a link to itself
        status = None
    if status is not None and stat.S_ISREG(status.st_mode):
        files[entry.name] = make_stamp(status)
    elif status is not None and stat.S_ISDIR(status.st_mode):
        folders.append(entry.name)
    else:
        tree.links.append(join(folder, entry.name))
