"""The manifest of a backup: what it has, and the hashes to verify it by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TypedDict

from autoflow.errors import BackupError

FORMAT = 1


class TableFile(TypedDict):
    """A file with the rows of a table.

    Args:
        columns: names of the values of a row, in their order.
        binary: those of the columns whose values are base64.
        rows: number of rows.
        size: bytes of the file.
        sha256: hash of the file, in hexadecimal digits.
    """

    columns: list[str]
    binary: list[str]
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A complete backup.

    Args:
        name: name of its folder.
        created_at: time of the snapshot.
        autoflow: version of autoflow that made it.
        revision: schema revision of the rows.
        store: the store's id.
        changes: the store's change counter.
        numbers: last id assigned, by table or counter (`db.identity`).
        tables: files of rows, by table.
        blobs: number of blobs.
        blob_bytes: their size.
        missing: hashes of blobs that the store did not have, or only damaged, with the reason.
    """

    name: str
    created_at: str
    autoflow: str
    revision: str
    store: str
    changes: int
    numbers: Mapping[str, int]
    tables: Mapping[str, TableFile]
    blobs: int
    blob_bytes: int
    missing: Mapping[str, str]

    def encode(self) -> bytes:
        """Return the manifest as JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode() + b"\n"

    @classmethod
    def decode(cls, content: bytes, path: str) -> Manifest:
        """Decode a manifest; `path` is its file, for messages.

        Raises:
            BackupError: it is not a manifest, or of a newer autoflow.
        """
        try:
            fields = json.loads(content)
            version = fields.pop("format")
            if version == FORMAT:
                return cls(**fields)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise BackupError(f"{path} is not the manifest of a backup: {error}") from error
        raise BackupError(f"{path} has format {version}, this autoflow reads format {FORMAT}: upgrade autoflow")
