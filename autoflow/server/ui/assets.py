"""The files a page is made of, read once; what is not among them is not there, whatever a path says.

A file has two addresses: a plain one that is asked for again each time, and one below the digest of them all, which
never means other bytes. A module imports its neighbours by relative addresses, so all of a page's come from one digest.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

MEDIA: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
ROOT = "/assets"
ICONS = "icons/zmdi.css"  # the icons' names and font, fetched when the package is built

_IMPORT = re.compile(r'^(?:import|export)\b[^"\';]*?"(\.{1,2}/[^"]+)"', re.MULTILINE)


class Asset(NamedTuple):
    """One file.

    Args:
        content: its bytes.
        packed: the same, gzipped; None where that saves nothing.
        media: its type.
        tag: of its bytes, for ``ETag``.
    """

    content: bytes
    packed: bytes | None
    media: str
    tag: str


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.rglob("*")):
        if entry.suffix in MEDIA and entry.is_file():
            yield entry.relative_to(folder).as_posix(), entry.read_bytes()


def _asset(path: str, content: bytes) -> Asset:
    suffix = posixpath.splitext(path)[1]
    packed = None if suffix == ".woff2" else gzip.compress(content, mtime=0)
    tag = hashlib.sha256(content).hexdigest()[:32]
    return Asset(content, packed if packed and len(packed) < len(content) else None, MEDIA[suffix], tag)


class Assets:
    """The files by path below `ROOT`, and the addresses a page names them by."""

    def __init__(self, folder: Path) -> None:
        self._files = {path: _asset(path, content) for path, content in _files(folder)}
        every = "\n".join(f"{path} {asset.tag}" for path, asset in self._files.items())
        self.digest = hashlib.sha256(every.encode()).hexdigest()[:16]

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def find(self, path: str) -> tuple[Asset, bool] | None:
        """Give the asset at a path below `ROOT`, and whether it may be kept for ever; None for no asset."""
        first, _, rest = path.partition("/")
        lasting = first == self.digest
        found = self._files.get(rest if lasting else path)
        return None if found is None else (found, lasting)

    def url(self, path: str) -> str:
        """The lasting address of a file."""
        return f"{ROOT}/{self.digest}/{path}"

    @functools.lru_cache(maxsize=64)  # noqa: B019 - one object a process, `assets`
    def modules(self, path: str) -> tuple[str, ...]:
        """The paths of a module and of all it imports, itself first: a page asks for them at once, not in a chain."""
        found = {path: None}
        waiting = [path]
        for module in waiting:  # grows while it is walked
            text = self._files[module].content.decode()
            for name in _IMPORT.findall(text):
                other = posixpath.normpath(posixpath.join(posixpath.dirname(module), name))
                if other in self._files and other not in found:
                    found[other] = None
                    waiting.append(other)
        return tuple(found)


@functools.cache
def assets() -> Assets:
    """Those of this package."""
    return Assets(Path(__file__).parent / "assets")
