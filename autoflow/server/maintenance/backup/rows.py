"""Rows of a table as a compressed file of JSON lines, the same from every database."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from sqlalchemy import Connection, LargeBinary, Table, select

from autoflow.errors import BackupError
from autoflow.server.maintenance.backup.manifest import TableFile

BATCH = 2000  # rows that are read, or inserted, at once
_LEVEL = 3  # of compression: higher levels take longer than the database
_encode = json.JSONEncoder(separators=(",", ":")).encode


class _HashingFile(io.RawIOBase):
    """A file that hashes and counts what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, content: Any) -> int:
        """Write all of the content."""
        self.sha256.update(content)
        self.size += len(content)
        return self._file.write(content)


def write_table(conn: Connection, table: Table, file: BinaryIO, progress: Callable[[int], object]) -> TableFile:
    """Write the rows of a table to a file, in the order of its primary key.

    Args:
        conn: a transaction that sees one snapshot.
        table: of the schema, or reflected.
        file: an empty file.
        progress: is called with the number of rows of each part.
    """
    hashing = _HashingFile(file)
    binary = [column.name for column in table.c if isinstance(column.type, LargeBinary)]
    indexes = [index for index, name in enumerate(table.c.keys()) if name in binary]
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=BATCH)
    count = 0
    with gzip.GzipFile(fileobj=hashing, mode="wb", compresslevel=_LEVEL, mtime=0) as packed:
        for part in conn.execute(query).partitions():
            packed.write(b"".join(_line(list(row), indexes) for row in part))
            count += len(part)
            progress(len(part))
    return {
        "columns": list(table.c.keys()),
        "binary": binary,
        "rows": count,
        "size": hashing.size,
        "sha256": hashing.sha256.hexdigest(),
    }


def _line(values: list[Any], indexes: list[int]) -> bytes:
    for index in indexes:
        if values[index] is not None:
            values[index] = base64.b64encode(values[index]).decode()
    return _encode(values).encode() + b"\n"


def read_table(path: str, entry: TableFile) -> Iterator[dict[str, Any]]:
    """Return the rows of a file, each by its columns, after verifying the file.

    Raises:
        BackupError: the file is missing or not the one of the manifest.
    """
    check_table(path, entry)
    columns, binary, count = entry["columns"], entry["binary"], 0
    with gzip.open(path, "rb") as lines:
        for line in lines:
            row = dict(zip(columns, json.loads(line), strict=True))
            for name in binary:
                if row[name] is not None:
                    row[name] = base64.b64decode(row[name])
            count += 1
            yield row
    if count != entry["rows"]:
        raise BackupError(f"{path} has {count:,} rows, and the manifest {entry['rows']:,}")


def check_table(path: str, entry: TableFile) -> None:
    """Compare the hash of a file of rows with the manifest.

    Raises:
        BackupError: they differ, or the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError as error:
        raise BackupError(f"the backup is damaged: {path} cannot be read: {error.strerror or error}") from error
    if digest.hexdigest() != entry["sha256"]:
        raise BackupError(f"the backup is damaged: {path} is not the file that the manifest names")


def total_rows(tables: Mapping[str, TableFile]) -> int:
    """Return the number of rows of all tables."""
    return sum(entry["rows"] for entry in tables.values())
