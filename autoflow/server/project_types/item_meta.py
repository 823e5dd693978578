"""The meta of an item whose file is described: what clients set of it, and beside it what the server keeps.

Both are in one column, so that versions and clones have them. The server's part is under `OWN`, which no client sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server.db import json_codec

OWN = "autoflow.item"


class ItemMeta(NamedTuple):
    """The parts of an item's meta.

    Args:
        sent: the client's.
        file: what is known of the file: of a video its size, its frames and their times.
        custom: the item's ``customData``.
    """

    sent: JsonObject
    file: JsonObject
    custom: JsonObject

    @classmethod
    def of(cls, row: RowMapping) -> ItemMeta:
        """Read the meta of an item."""
        sent = json_codec.load(row["meta"])
        own = sent.pop(OWN, None) or {}
        return cls(sent, own.get("file") or {}, own.get("custom") or {})

    def to_text(self) -> str:
        """Return the value of the column."""
        own: Mapping[str, Any] = {name: part for name, part in (("file", self.file), ("custom", self.custom)) if part}
        sent = {name: value for name, value in self.sent.items() if name != OWN}
        return json_codec.dump({**sent, OWN: own} if own else sent, canonical=True)
