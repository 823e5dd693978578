"""Files on a machine that a run read or wrote: one entity for each content at a path."""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

from autoflow.model.entity import EntityRef

SCHEME = "file://"
CHANGED = "changed-"  # in place of a hash: the file was written again before it could be hashed
_ID = re.compile(rf"(?P<path>/.*)@(?P<content>[0-9a-f]{{64}}|{CHANGED}\d+):(?P<size>\d+)", re.DOTALL)


class LocalFile(NamedTuple):
    """A file outside of Team Files.

    Args:
        host: name of the machine.
        path: absolute.
        content: its sha256 in hexadecimal digits; `CHANGED` and a time if that is unknown.
        size: bytes.
    """

    host: str
    path: str
    content: str
    size: int

    @property
    def origin(self) -> str:
        """The origin of the entity."""
        return SCHEME + self.host

    @property
    def id(self) -> str:
        """The id of the entity: the same path with another content is another entity."""
        return f"{self.path}@{self.content}:{self.size}"

    @property
    def name(self) -> str:
        """The last step of the path."""
        return posixpath.basename(self.path)

    @property
    def sha256(self) -> str | None:
        """The hash of the content, None if it is unknown."""
        return None if self.content.startswith(CHANGED) else self.content


def local_file(ref: EntityRef) -> LocalFile | None:
    """Return the file that an entity stands for; None for other entities."""
    match = _ID.fullmatch(str(ref.id)) if ref.origin.startswith(SCHEME) else None
    if match is None:
        return None
    return LocalFile(ref.origin[len(SCHEME) :], match["path"], match["content"], int(match["size"]))
