"""Columns and rows of tables, for the process of `media.worker`, which loads this file by its path.

CSV and TSV are read by the standard library, Parquet and Arrow by pyarrow, where it is installed.
"""

from __future__ import annotations

import csv
import importlib
import io
from typing import Any, BinaryIO

HEAD = 1024 * 1024  # bytes that columns and first rows of a CSV are read from
CHUNK = 1024 * 1024
COLUMNS = 1000
CELL = 200  # characters
SEPARATORS = ",;\t|"


def describe(file: BinaryIO, suffix: str, rows: int) -> dict[str, Any]:
    """Return ``columns`` with their types, the number of ``rows``, and a ``sample`` of the first rows as texts.

    Args:
        file: the table.
        suffix: the ending of its name without the dot, in lower case.
        rows: most rows of the sample.

    Raises:
        ValueError: it is no such table.
    """
    if suffix in {"csv", "tsv"}:
        return _delimited(file, suffix, rows)
    if suffix == "parquet":
        return _parquet(file, rows)
    if suffix in {"arrow", "feather"}:
        return _arrow(file, rows)
    raise ValueError(f"files of the type {suffix!r} are not read as tables")


def _delimited(file: BinaryIO, suffix: str, rows: int) -> dict[str, Any]:
    head = file.read(HEAD)
    if b"\0" in head:
        raise ValueError("it is not text")
    text = head.decode("utf-8-sig", "replace")
    first_line = text.partition("\n")[0]
    separator = "\t" if suffix == "tsv" else max(SEPARATORS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    names = next(reader, [])
    sample = [[_cell(value) for value in row[:COLUMNS]] for row, _ in zip(reader, range(rows), strict=False)]
    columns = [{"name": _cell(name), "type": ""} for name in names[:COLUMNS]]
    file.seek(0)
    return {"columns": columns, "rows": max(_count_lines(file) - 1, 0), "sample": sample}


def _count_lines(file: BinaryIO) -> int:
    """Count the lines of a CSV; one that is in quotes is none."""
    lines = 0
    is_quoted = False
    last = b"\n"
    while chunk := file.read(CHUNK):
        parts = chunk.split(b'"')
        lines += sum(part.count(b"\n") for part in parts[is_quoted::2])
        is_quoted ^= len(parts) % 2 == 0
        last = chunk[-1:]
    return lines + (last != b"\n")


def _parquet(file: BinaryIO, rows: int) -> dict[str, Any]:
    table = _import("pyarrow.parquet").ParquetFile(file, pre_buffer=False)
    batches = table.iter_batches(batch_size=rows, use_threads=False) if rows and table.metadata.num_rows else ()
    sample = next((_rows(batch) for batch in batches), [])
    return {"columns": _columns(table.schema_arrow), "rows": table.metadata.num_rows, "sample": sample}


def _arrow(file: BinaryIO, rows: int) -> dict[str, Any]:
    reader = _import("pyarrow.ipc").open_file(file)
    count = 0
    sample: list[list[str]] = []
    for index in range(reader.num_record_batches):
        batch = reader.get_batch(index)
        count += batch.num_rows
        sample += _rows(batch.slice(0, max(rows - len(sample), 0)))
    return {"columns": _columns(reader.schema), "rows": count, "sample": sample}


def _import(name: str) -> Any:
    """Import a module of pyarrow, which runs without threads here.

    Raises:
        ValueError: it is not installed.
    """
    try:
        pyarrow: Any = importlib.import_module("pyarrow")
        pyarrow.set_memory_pool(pyarrow.system_memory_pool())
        return importlib.import_module(name)
    except ImportError:
        raise ValueError("reading it needs pyarrow where the server runs: pip install pyarrow") from None


def _columns(schema: Any) -> list[dict[str, str]]:
    return [{"name": _cell(field.name), "type": _cell(field.type)} for field in list(schema)[:COLUMNS]]


def _rows(batch: Any) -> list[list[str]]:
    columns = [batch.column(index).to_pylist() for index in range(min(batch.num_columns, COLUMNS))]
    return [["" if value is None else _cell(value) for value in row] for row in zip(*columns, strict=True)]


def _cell(value: Any) -> str:
    text = str(value)
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"
