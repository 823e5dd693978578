"""Files on this machine that runs name: their size and hash, read by the sender; a file is read again if it changed."""

from __future__ import annotations

import hashlib
import os
import stat

from autoflow.model.local_file import CHANGED, LocalFile
from autoflow.process.lru_cache import LruCache

CHUNK = 1 << 20
_Stat = tuple[int, ...]
_hashes: LruCache[tuple[str, _Stat], str] = LruCache(4096)


def look_up(path: str, folder: str | None, at: int) -> LocalFile | None:
    """Return the file at a path, None if there is no regular file.

    Args:
        path: as the app named it, with a slash before it.
        folder: the working folder of the run, for a path that is relative to it.
        at: when the run named it, in nanoseconds since 1970. A file that was written later is `CHANGED`.
    """
    candidates = [path] if folder is None else [path, os.path.join(folder, path.lstrip("/"))]
    for candidate in candidates:
        try:
            before = os.stat(candidate)
            if not stat.S_ISREG(before.st_mode):
                continue
            real = os.path.realpath(candidate)
            content = hash_file(real, before) if before.st_mtime_ns <= at else None
        except OSError:
            continue
        return LocalFile(os.uname().nodename, real, content or f"{CHANGED}{at}", before.st_size)
    return None


def hash_file(path: str, before: os.stat_result) -> str | None:
    """Return the sha256 of a file, None if it changes meanwhile."""
    return _hashes.get_or_create((path, _identity(before)), lambda key: _read(key[0], key[1])) or None


def _read(path: str, identity: _Stat) -> str:
    """Return the sha256 of a file; empty if the file is another one before or after it was read."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        if _identity(os.fstat(file.fileno())) != identity:
            return ""
        while chunk := file.read(CHUNK):
            digest.update(chunk)
        return digest.hexdigest() if _identity(os.fstat(file.fileno())) == identity else ""


def _identity(info: os.stat_result) -> _Stat:
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns
