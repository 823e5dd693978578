"""The static files of the page, read once into memory; no other path can be requested.

Each file has two addresses: a plain one that is revalidated at each request, and one below the digest of all files,
which is immutable. Modules import each other by relative addresses, so all modules of a page have the same digest.
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

from autoflow.server.ui import entity_types

MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
ROOT = "/assets"
ICONS = "icons/zmdi.css"  # the icon font and its names, fetched when the package is built

_IMPORT = re.compile(r'^(?:@?import|export)\b[^"\';]*?"(\.{1,2}/[^"]+)"', re.MULTILINE)


class Asset(NamedTuple):
    """One file.

    Args:
        content: the bytes.
        compressed: the bytes gzipped; None where that saves nothing.
        media_type: the value of ``Content-Type``.
        etag: a hash of the bytes.
    """

    content: bytes
    compressed: bytes | None
    media_type: str
    etag: str


def _read_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.rglob("*")):
        if entry.suffix in MEDIA_TYPES and entry.is_file():
            yield entry.relative_to(folder).as_posix(), entry.read_bytes()


def _asset(path: str, content: bytes) -> Asset:
    suffix = posixpath.splitext(path)[1]
    compressed = None if suffix == ".woff2" else gzip.compress(content, mtime=0)
    if compressed is not None and len(compressed) >= len(content):
        compressed = None
    return Asset(content, compressed, MEDIA_TYPES[suffix], hashlib.sha256(content).hexdigest()[:32])


class Assets:
    """The files by their path below `ROOT`.

    Args:
        folder: holds the files.
        generated: further files, their content by path.
    """

    def __init__(self, folder: Path, generated: Mapping[str, str] | None = None) -> None:
        contents = dict(_read_files(folder))
        contents.update({path: text.encode() for path, text in (generated or {}).items()})
        self._files = {path: _asset(path, content) for path, content in contents.items()}
        index = "\n".join(f"{path} {asset.etag}" for path, asset in self._files.items())
        self.digest = hashlib.sha256(index.encode()).hexdigest()[:16]

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def find(self, path: str) -> tuple[Asset, bool] | None:
        """Return the asset at a path below `ROOT`, and whether its address is immutable; None if there is none."""
        first, _, rest = path.partition("/")
        immutable = first == self.digest
        asset = self._files.get(rest if immutable else path)
        return None if asset is None else (asset, immutable)

    def url(self, path: str) -> str:
        """Return the immutable address of a file."""
        return f"{ROOT}/{self.digest}/{path}"

    @functools.lru_cache(maxsize=64)  # noqa: B019 - one object a process, `assets`
    def with_imports(self, path: str) -> tuple[str, ...]:
        """Return the path of a module or style sheet and of all that it imports, so that a page can preload them."""
        paths = {path: None}
        pending = [path]
        for importing in pending:  # grows during the iteration
            source = self._files[importing].content.decode()
            for name in _IMPORT.findall(source):
                imported = posixpath.normpath(posixpath.join(posixpath.dirname(importing), name))
                if imported in self._files and imported not in paths:
                    paths[imported] = None
                    pending.append(imported)
        return tuple(paths)


@functools.cache
def assets() -> Assets:
    """Return the assets of this package."""
    return Assets(Path(__file__).parent / "assets", {entity_types.MODULE: entity_types.module_source()})
