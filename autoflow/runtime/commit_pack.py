"""The files of a commit that no remote has, as a pack of git's without its history; for the sender's thread.

A file that looks like a secret is not in it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from autoflow.model.run import CommitPack
from autoflow.model.run_contents import split
from autoflow.process import time_budget
from autoflow.runtime import git
from autoflow.runtime.code_state import MAX_FILES, looks_secret

MAX_FILES_BYTES = 2 << 20  # of all files of the commit
MAX_PACK = 512 << 10  # bytes
# the same objects give the same bytes, which are stored once
_OPTIONS = ("--stdout", "-q", "--no-reuse-object", "--window=0", "--threads=1")


class _Entry(NamedTuple):
    """A file or folder of a commit."""

    kind: str
    name: str
    size: int
    path: str


@functools.lru_cache(maxsize=1)  # a sweep has many runs of one commit
def pack_commit(root: str, commit: str) -> tuple[CommitPack, dict[str, str]]:
    """Return a commit's pack, without content if it is too large, and the pieces of its content.

    Args:
        root: the working tree.
        commit: the commit.
    """
    pack: CommitPack = {"commit": commit}
    entries = list(_entries(root, commit))
    tree = git.read(root, "rev-parse", f"{commit}^{{tree}}")
    if tree is None or sum(entry.size for entry in entries) > MAX_FILES_BYTES:
        return pack, {}
    secret = [entry for entry in entries if entry.kind == "blob" and looks_secret(entry.path)]
    blobs = [entry for entry in entries if entry.kind == "blob" and entry not in secret]
    for entry, data in _contents(root, blobs):
        if not time_budget.remaining(1.0):  # the process exits
            return pack, {}
        if looks_secret(entry.path, data):
            secret.append(entry)
    withheld = {entry.name for entry in secret}
    names = [entry.name for entry in entries if entry.kind != "commit" and entry.name not in withheld]
    packed = git.read_bytes(root, "pack-objects", *_OPTIONS, stdin=_lines([commit, tree, *names]))
    stored = split(packed) if packed is not None and len(packed) <= MAX_PACK and len(secret) <= MAX_FILES else None
    if stored is None:
        return pack, {}
    pack["content"] = stored[0]
    if secret:
        pack["secret"] = [entry.path for entry in secret]
    return pack, stored[1]


def _entries(root: str, commit: str) -> Iterator[_Entry]:
    for line in git.read_paths(root, "ls-tree", "-r", "-t", "-l", "-z", "--full-tree", commit):
        fields, _, path = line.partition("\t")
        _, kind, name, size = fields.split()
        yield _Entry(kind, name, int(size) if size.isdecimal() else 0, path)


def _contents(root: str, blobs: list[_Entry]) -> Iterator[tuple[_Entry, bytes]]:
    output = git.read_bytes(root, "cat-file", "--batch", stdin=_lines(entry.name for entry in blobs)) or b""
    start = 0
    for entry in blobs:
        start = output.index(b"\n", start) + 1  # behind "<object> <type> <size>"
        yield entry, output[start : start + entry.size]
        start += entry.size + 1


def _lines(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()
