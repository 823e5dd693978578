"""Images that are ranges of a team file: ``images.bulk.add`` by offsets, and ``images.data.download`` of the file.

The bytes of each range become a blob of their own, so that such an image is like any other, also once the file has been
replaced or removed. Its meta keeps where they came from (`project_types.item_meta`).
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple, cast

from sqlalchemy import RowMapping

from autoflow.server.blobs import Content, ReceivedBlob
from autoflow.server.db import files
from autoflow.server.errors import Invalid
from autoflow.server.methods import write_scopes
from autoflow.server.methods.images import images
from autoflow.server.operations import Batch, Download, OperationContext
from autoflow.server.project_types.images import IMAGES
from autoflow.server.project_types.item_meta import FileRange
from autoflow.server.request_parser import RequestParser
from autoflow.server.uploads.upload_session import UploadSession, upload_session

ADD = "images.bulk.add"


class _ChunkStream(io.RawIOBase):
    """A stream of the chunks of an iterator."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._chunks, b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


class _Copied(NamedTuple):
    """A request whose entries name hashes, and the copied ranges that have these."""

    request: RequestParser
    files: list[tuple[ReceivedBlob, dict[str, Any]]]


def add(context: OperationContext, request: RequestParser) -> list[dict[str, Any]]:
    """``images.bulk.add``: see `images.add`; the ranges of files that entries name are copied first.

    Raises:
        ServerRefused: 400, a range is not in its file or is no image, or as `images.add` raises it.
    """
    with upload_session(context) as session:
        copied = _copy_ranges(context, session, request)
        with session.transaction(write_scopes.resolver(ADD, request)) as conn:
            if copied.files:
                session.register(conn, copied.files)
            return images.add(conn, copied.request)


def _copy_ranges(context: OperationContext, session: UploadSession, request: RequestParser) -> _Copied:
    entries = list(request.objects("images"))
    ranges = {position: FileRange.sent(entry) for position, entry in enumerate(entries) if entry.has("sourceBlob")}
    if not ranges:
        return _Copied(request, [])
    with context.store.read() as conn:
        file_rows = {number: files.get(conn, number) for number in {part.file for part in ranges.values()}}
    distinct = sorted(set(ranges.values()))
    for number, parts in itertools.groupby(distinct, key=lambda part: part.file):
        _check_ranges(file_rows[number], parts)
    received = {part: _copy(context, session, file_rows[part.file], part) for part in distinct}
    fields = [
        {**entry.fields, "hash": received[ranges[position]].hash} if position in ranges else entry.fields
        for position, entry in enumerate(entries)
    ]
    return _Copied(
        RequestParser({**request.fields, "images": fields}), [(blob, dict(blob.probed)) for blob in received.values()]
    )


def _check_ranges(file_row: RowMapping, ranges: Iterable[FileRange]) -> None:
    """Check that the ranges of a file, in order, are in it and do not overlap.

    Of ranges that overlap, a short request would have a file copied many times.

    Raises:
        Invalid: they are not, or do.
    """
    size, end = file_row["size"], 0
    for part in ranges:
        if not 0 <= part.start < part.stop <= size:
            raise Invalid(f"{part.start} to {part.stop} is not a range of file {part.file}, of {size} bytes")
        if part.start < end:
            raise Invalid(f"the range from {part.start} to {part.stop} of file {part.file} overlaps another one")
        end = part.stop


def _copy(context: OperationContext, session: UploadSession, file_row: RowMapping, part: FileRange) -> ReceivedBlob:
    chunks = _content(context, file_row).iter_range(part.start, part.stop)
    stream = cast(BinaryIO, io.BufferedReader(_ChunkStream(chunks)))
    received = session.receive(stream, IMAGES.read_info)
    if received.probed is None:
        raise Invalid(f"bytes {part.start} to {part.stop} of file {part.file} {IMAGES.refusal}")
    return received


def download(context: OperationContext, request: RequestParser) -> Content:
    """``images.data.download``: the file that images are ranges of, by their ``downloadId``."""
    with context.store.read() as conn:
        row = files.get(conn, request.number("downloadId"))
    return _content(context, row)


def _content(context: OperationContext, row: RowMapping) -> Content:
    return Content(context.blobs, row["hash"], row["generation"], row["size"], row["name"], row["mime"])


BATCHES: Mapping[str, Batch] = {ADD: add}
DOWNLOADS: Mapping[str, Download] = {"images.data.download": download}
