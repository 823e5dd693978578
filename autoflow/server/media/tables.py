"""Tables, read in the bounded processes of `media.decoder`."""

from __future__ import annotations

from typing import Any, BinaryIO

from autoflow.server.media.decoder import Undecodable, decoder
from autoflow.server.media.thumbnails import file_descriptor

LARGEST = 1024 * 1024 * 1024  # bytes of a table that is read


def read_table(file: BinaryIO, name: str, size: int, rows: int) -> dict[str, Any]:
    """Return columns, number of rows and first rows of a table, see `table_reader.describe`.

    Raises:
        Undecodable: it is no table that can be read, or takes too much to read.
        Busy: no process is free.
    """
    if size > LARGEST:
        raise Undecodable(f"its file is larger than {LARGEST >> 20} MiB")
    suffix = name.rpartition(".")[2].lower()
    with file_descriptor(file) as descriptor:
        job = {"reader": "table_reader", "read": "describe", "arguments": {"suffix": suffix, "rows": rows}}
        return decoder.run({**job, "spec": None}, descriptor)[0]
