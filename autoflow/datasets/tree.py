"""What a folder holds, in one walk: the regular files of each folder in it, each with a stamp that changes with it.

A stamp is made of what the file system tells of a file without opening it, as git's index has it. One that is too
young to be trusted is never kept: a file may be written twice within one tick of the file system's clock.
"""

from __future__ import annotations

import os
import stat
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from autoflow.errors import FolderError

# Longer than the tick of any file system's clock (FAT has two seconds), and some error of a file server's.
TICK = 3_000_000_000  # nanoseconds

_PACKED = struct.Struct("<qqqQ")

clock: Callable[[], int] = time.time_ns


def stamp(found: os.stat_result) -> bytes:
    """Size, times of change of content and of the file itself, and inode, as 32 bytes."""
    return _PACKED.pack(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def settled(of: bytes, looked: int) -> bool:
    """Whether a file that is changed after a moment (nanoseconds) is sure to get another stamp."""
    _, changed, touched, _ = _PACKED.unpack(of)
    return bool(max(changed, touched) < looked - TICK)


def size_of(of: bytes) -> int:
    """The size a stamp tells, in bytes."""
    return int(_PACKED.unpack(of)[0])


@dataclass
class Tree:
    """A folder as it was found.

    Args:
        root: its absolute path.
        looked: when the walk began, in nanoseconds.
        files: by folder (its path inside, the root's is empty) the names of regular files with their stamps.
        folders: by folder the names of those in it.
        links: symbolic links that were not followed, and those that lead into a circle.
        odd: what is neither file nor folder.
    """

    root: str
    looked: int
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    folders: dict[str, list[str]] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)

    def path(self, inside: str) -> str:
        """The absolute path of something in it."""
        return os.path.join(self.root, inside)

    def stamp(self, inside: str) -> bytes | None:
        """The stamp of a file, None when it is not there."""
        folder, _, name = inside.rpartition("/")
        return self.files.get(folder, {}).get(name)


def is_text(name: str) -> bool:
    """Whether a name on the disk, which is bytes, is text that can be sent and shown."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return bool(name.strip())


def join(folder: str, name: str) -> str:
    """A path inside the tree."""
    return f"{folder}/{name}" if folder else name


def walk(root: str, *, follow: bool = False) -> Tree:
    """Look at all of a folder; nothing is opened.

    Args:
        root: its path.
        follow: whether symbolic links are followed; a folder is entered once, whichever links lead to it.

    Raises:
        FolderError: a folder in it cannot be read.
    """
    tree = Tree(os.path.abspath(root), clock())
    seen: set[tuple[int, int]] = set()
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        if follow and not _first_time(tree, inside, seen):
            continue
        found = _scan(tree, inside, follow)
        waiting.extend(join(inside, name) for name in found)
    return tree


def _first_time(tree: Tree, inside: str, seen: set[tuple[int, int]]) -> bool:
    try:
        found = os.stat(tree.path(inside))
    except OSError:  # gone meanwhile
        return True
    key = (found.st_dev, found.st_ino)
    if key in seen:
        tree.links.append(inside)
        return False
    seen.add(key)
    return True


def _scan(tree: Tree, inside: str, follow: bool) -> list[str]:
    """One folder; gives the names of the folders in it."""
    files: dict[str, bytes] = {}
    folders: list[str] = []
    pack = _PACKED.pack
    try:
        with os.scandir(tree.path(inside)) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    was = entry.stat(follow_symlinks=False)
                    files[entry.name] = pack(was.st_size, was.st_mtime_ns, was.st_ctime_ns, was.st_ino)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_symlink():
                    _link(tree, inside, entry, files, folders, follow)
                else:
                    tree.odd.append(join(inside, entry.name))
    except OSError as error:
        raise FolderError(
            f"the folder {tree.path(inside)!r} cannot be read ({error.strerror}): let it be read, or move it away"
        ) from error
    tree.files[inside], tree.folders[inside] = files, sorted(folders)
    return folders


def _link(
    tree: Tree, inside: str, entry: os.DirEntry[str], files: dict[str, bytes], folders: list[str], follow: bool
) -> None:
    """A symbolic link: what it leads to, if that is asked for and there."""
    try:
        found = entry.stat() if follow else None
    except OSError:  # leads nowhere, or to itself
        found = None
    if found is not None and stat.S_ISREG(found.st_mode):
        files[entry.name] = stamp(found)
    elif found is not None and stat.S_ISDIR(found.st_mode):
        folders.append(entry.name)
    else:
        tree.links.append(join(inside, entry.name))
