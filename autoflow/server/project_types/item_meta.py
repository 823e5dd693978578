"""The meta of an item: what clients set of it, and beside it what the server keeps of the item's file.

Both are in one column, so that versions and clones have them. The server's part is under `OWN`, which no client sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server.db import json_codec
from autoflow.server.request_parser import RequestParser

OWN = "autoflow.item"


class FileRange(NamedTuple):
    """The bytes of a team file that an image was copied from.

    Args:
        file: the file's id.
        start, stop: offsets of the first byte, and of the one after the last.
    """

    file: int
    start: int
    stop: int

    @classmethod
    def sent(cls, entry: RequestParser) -> FileRange:
        """Read the range that an entry of ``images.bulk.add`` names."""
        source = RequestParser(entry.mapping("sourceBlob"), f"{entry.path}sourceBlob.")
        return cls(entry.number("teamFileId"), source.number("offsetStart"), source.number("offsetEnd"))

    @classmethod
    def stored(cls, value: Any) -> FileRange | None:
        """Return the range that an item's meta has, if it has any."""
        is_range = isinstance(value, list) and len(value) == len(cls._fields) and all(type(n) is int for n in value)
        return cls(*value) if is_range else None

    def to_wire(self) -> JsonObject:
        """Return the members of an image's info by which the SDK downloads the file as a whole."""
        offsets = {"offsetStart": self.start, "offsetEnd": self.stop}
        return {"relatedDataId": self.file, "downloadId": str(self.file), **offsets}


class ItemMeta(NamedTuple):
    """The parts of an item's meta.

    Args:
        sent: the client's.
        file: what is known of the file: of a video its size, its frames and their times.
        custom: the item's ``customData``.
        source: the range that an image was copied from, None if it was uploaded by itself.
    """

    sent: JsonObject
    file: JsonObject
    custom: JsonObject
    source: FileRange | None = None

    @classmethod
    def of(cls, row: RowMapping) -> ItemMeta:
        """Read the meta of an item; a member `OWN` that no server wrote is ignored."""
        sent = json_codec.load(row["meta"])
        own = sent.pop(OWN, None)
        if not isinstance(own, dict):
            own = {}
        file, custom = (part if isinstance(part, dict) else {} for part in (own.get("file"), own.get("custom")))
        return cls(sent, file, custom, FileRange.stored(own.get("source")))

    def to_text(self) -> str:
        """Return the value of the column."""
        parts = (("file", self.file), ("custom", self.custom), ("source", self.source))
        own: Mapping[str, Any] = {name: part for name, part in parts if part}
        sent = {name: value for name, value in self.sent.items() if name != OWN}
        return json_codec.dump({**sent, OWN: own} if own else sent, canonical=True)
