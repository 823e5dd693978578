"""External files: items whose content is a file of the user's, registered by path and hash and not copied.

Such an item has both a hash and a link of the form ``file:///path``; only the local user of an embedded server can
create one. The file may change at any time, so its hash is checked before it is served.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from sqlalchemy import RowMapping

from autoflow.server.blobs import BlobStore, Content
from autoflow.server.errors import Gone
from autoflow.wire.content_hash import encode_hash

_CHUNK = 1024 * 1024
REMEDY = (
    "put it back as it was, or import its folder again from where it is now: "
    "autoflow versions create PATH --by-reference --project N"
)


def path_of(link: str) -> str | None:
    """Return the path of the file that a link names, None if it names no file of this machine."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    if parts.scheme != "file" or parts.netloc or parts.query or parts.fragment or not parts.path.startswith("/"):
        return None
    path = os.fsdecode(unquote(parts.path, errors="surrogateescape"))
    return None if "\0" in path else path


def is_external(item: Mapping[str, Any] | RowMapping) -> bool:
    """Return whether an item (its row, or its ``hash`` and ``link``) is an external file."""
    return item["hash"] is not None and item["link"] is not None and path_of(item["link"]) is not None


def check(link: str, hash: str) -> str | None:  # noqa: A002 - the column's name
    """Compare a linked file's content with a hash; return None if they match, else the problem as text."""
    path = path_of(link)
    if path is None:
        return f"{link} names no file"
    try:
        actual = _hash_file(path)
    except OSError as error:
        return f"the source {path} cannot be read: {error.strerror or error}"
    return None if actual == hash else f"the source {path} has changed"


def _hash_file(path: str) -> str:
    digest = hashlib.sha256()
    for chunk in _read_range(path, 0, None):
        digest.update(chunk)
    return encode_hash(digest)


def _read_range(path: str, start: int, stop: int | None) -> Iterator[bytes]:
    """Return the bytes of a regular file from `start` to before `stop`, in chunks."""
    with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is not a regular file")
        file.seek(start)
        while (stop is None or start < stop) and (
            chunk := file.read(_CHUNK if stop is None else min(_CHUNK, stop - start))
        ):
            start += len(chunk)
            yield chunk


class _Source:
    """An external file, as the blob store that its `Content` reads from.

    Args:
        links: its link, and those of other files that had the same content.
    """

    def __init__(self, links: Sequence[str]) -> None:
        self._links = links

    def read(self, blob_hash: str, _generation: str, start: int, stop: int) -> Iterator[bytes]:
        """Return the bytes from `start` to before `stop`, in chunks.

        Raises:
            Gone: no such file exists any more, or all have changed.
        """
        reasons = []
        for link in self._links:
            if (reason := check(link, blob_hash)) is None:
                yield from _read_range(path_of(link) or "", start, stop)
                return
            reasons.append(reason)
        raise Gone(f"{reasons[0]}: {REMEDY}")


def content(item: Mapping[str, Any] | RowMapping, others: Sequence[str] = ()) -> Content:
    """Return an external file as a response body; reading it fails if the file has changed.

    Args:
        item: its item.
        others: links of files with the same content, which are read if it has changed or was moved.
    """
    source = cast(BlobStore, _Source(list(dict.fromkeys([item["link"], *others]))))
    return Content(source, item["hash"], "", item["size"] or 0, item["name"], item["mime"])
