"""Items by reference: their bytes are a file of the user's own, which the store names by path and hash and leaves.

Such an item has both a hash and a link of the form ``file:///path``; only the local user of an embedded server makes
one. The file may change at any time, so it is never given out unread: what is not of the hash is not the item.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote, unquote, urlsplit

from sqlalchemy import RowMapping

from autoflow.server.blobs import BlobStore, Content
from autoflow.server.errors import Gone

_CHUNK = 1024 * 1024


def link_of(path: str) -> str:
    """The link of a file by its absolute path."""
    return f"file://{quote(os.fsencode(path))}"


def path_of(link: str) -> str | None:
    """The file a link names, None when it names none on this machine."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    if parts.scheme != "file" or parts.netloc or parts.query or parts.fragment or not parts.path.startswith("/"):
        return None
    path = os.fsdecode(unquote(parts.path, errors="surrogateescape"))
    return None if "\0" in path else path


def is_external(item: Mapping[str, Any] | RowMapping) -> bool:
    """Whether an item (its row, or its ``hash`` and ``link``) is by reference."""
    return item["hash"] is not None and item["link"] is not None and path_of(item["link"]) is not None


def check(link: str, hash: str) -> str | None:  # noqa: A002 - the column's name
    """Read the file of a link to its end; None when it has the hash, else what is wrong."""
    path = path_of(link)
    if path is None:
        return f"{link} names no file"
    try:
        found = _hash(path)
    except OSError as error:
        return f"the source {path} cannot be read: {error.strerror or error}"
    return None if found == hash else f"the source {path} has changed"


def _hash(path: str) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(path, 0, None):
        digest.update(chunk)
    return base64.b64encode(digest.digest()).decode()


def _chunks(path: str, start: int, stop: int | None) -> Iterator[bytes]:
    """The bytes of a regular file."""
    with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no regular file")
        file.seek(start)
        while (stop is None or start < stop) and (
            chunk := file.read(_CHUNK if stop is None else min(_CHUNK, stop - start))
        ):
            start += len(chunk)
            yield chunk


class _Source:
    """Where one file by reference is: what `Content` reads from."""

    def __init__(self, link: str) -> None:
        self._link = link

    def read(self, content: str, _generation: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to `stop`.

        Raises:
            ServerRefused: 410, the file is gone or has changed.
        """
        reason = check(self._link, content)
        if reason is not None:
            raise Gone(reason)
        yield from _chunks(path_of(self._link) or "", start, stop)


def content(item: Mapping[str, Any] | RowMapping) -> Content:
    """The bytes of an item by reference, as they are given out: nothing of a file that has changed."""
    source = cast(BlobStore, _Source(item["link"]))
    return Content(source, item["hash"], "", item["size"] or 0, item["name"], item["mime"])
