"""Parts of a multipart upload."""

from __future__ import annotations

from typing import BinaryIO, NamedTuple


class Part(NamedTuple):
    """A text field, or a file with its name and content."""

    field: str
    value: str | BinaryIO
    filename: str | None = None
    content_type: str | None = None
