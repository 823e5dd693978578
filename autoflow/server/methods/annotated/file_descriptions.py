"""Descriptions of uploaded files: streams and frames of videos, the axes of volumes.

A client may send the description of a file that it has uploaded; otherwise the file is read. It is kept with the
client's lease on the blob until an item is made of it: what one user says of a file is not what another's items say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

from sqlalchemy import RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import blobs, json_codec
from autoflow.server.errors import Busy, Invalid
from autoflow.server.media import videos, volumes
from autoflow.server.media.decoder import Undecodable
from autoflow.server.methods.images.previews import LARGEST, blob_file
from autoflow.server.operations import Batch, OperationContext
from autoflow.server.request_parser import RequestParser, as_text
from autoflow.wire.contract.method import Success

FILES = 1000  # described by one request
SECONDS = 20.0  # that one request reads files for

_READERS: Mapping[str, Callable[[BinaryIO], JsonObject]] = {
    "video/": lambda file: videos.read_streams(file, counted=True),
    volumes.MIME: volumes.describe,
}


def describe(context: OperationContext, hashes: Sequence[str]) -> dict[str, JsonObject]:
    """Return descriptions of files that the caller may use, by hash: as sent, else as read; none if neither.

    Raises:
        Busy: not all could be read in time; what has been read is kept.
    """
    with context.store.read() as conn:
        described = {name: json_codec.load(text) for name, text in blobs.descriptions(conn, hashes).items()}
        unread = {name: row for name, row in blobs.find(conn, hashes).items() if name not in described}
    read: dict[str, JsonObject] = {}
    until = time.monotonic() + SECONDS
    late = False
    for name, row in unread.items():
        if late := time.monotonic() > until:
            break
        if (description := _read(context, row)) is not None:
            read[name] = description
    if read:
        with context.store.write(count_change=False) as conn:
            blobs.acquire_with_lease(conn, list(read))
            blobs.set_descriptions(conn, {name: json_codec.dump(value) for name, value in read.items()})
    if late:
        raise Busy("files are still being read to describe them", retry_after=1)  # the next request reads the others
    return {**described, **read}


def _read(context: OperationContext, row: RowMapping) -> JsonObject | None:
    reader = next((read for start, read in _READERS.items() if (row["mime"] or "").startswith(start)), None)
    if reader is None or row["size"] > LARGEST:
        return None
    try:
        with blob_file(context, row) as file:
            return {"size": str(row["size"]), **reader(file)}
    except Undecodable:
        return None


def upsert(context: OperationContext, request: RequestParser) -> Success:
    """``*.bulk.upsert_file_meta``: set the descriptions (``meta``) of files by ``hash``; the request is a list."""
    entries = list(request.objects("items", max_items=FILES))
    sent = {entry.text("hash"): json_codec.dump(entry.mapping("meta")) for entry in entries if entry.has("hash")}
    for entry in entries:
        if entry.has("hash") and len(sent[entry.text("hash")]) > limits.TEXT * 4:
            raise Invalid(f'"{entry.path}meta" is longer than {limits.TEXT * 4} characters')
    with context.store.write(count_change=False) as conn:
        known = blobs.acquire_with_lease(conn, list(sent))
        blobs.set_descriptions(conn, {name: text for name, text in sent.items() if name in known})
    return {"success": True}


def list_descriptions(context: OperationContext, request: RequestParser) -> list[JsonObject]:
    """``import-storage.internal.meta.list``: the description of each file of ``hashes``, in order.

    A file that cannot be read here has one stream of unknown size, so that the client makes an item of it.
    """
    hashes = [text for value in request.array("hashes", max_items=FILES) if (text := as_text(value)) is not None]
    described = describe(context, hashes)
    unknown = {"streams": [{"index": 0, "codecType": "video"}]}
    return [{"hash": name, "meta": described.get(name) or unknown} for name in hashes]


BATCHES: Mapping[str, Batch] = {"import-storage.internal.meta.list": list_descriptions}
