"""Bytes of a version's items, for a folder it is restored to: many in one answer, or where they are on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.server.blobs import Content, FolderBlobStore
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import content_ids
from autoflow.server.db.access import caller
from autoflow.server.db.blobs import DAMAGED
from autoflow.server.db.schema import blobs, items, items_history
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.operations import Batch, Download, OperationContext
from autoflow.server.paging import chunks
from autoflow.server.request_parser import RequestParser
from autoflow.server.uploads import external_files
from autoflow.server.versions import snapshot, versions
from autoflow.wire import methods

MOST = 10_000


def _named(conn: Connection, request: RequestParser) -> dict[str, RowMapping]:
    """The items of a version that have the hashes asked for, one for each.

    Raises:
        NotFound: there is no such version.
    """
    hashes = [RequestParser({"hash": one}).text("hash") for one in request.array("hashes")]
    if len(hashes) > MOST:
        raise Invalid(f'"hashes" has {len(hashes)}; {MOST} are the most')
    moment = snapshot.SnapshotRef.of(versions.get(conn, request.number("id")))
    found: dict[str, RowMapping] = {}
    for part in chunks(hashes):
        halves = snapshot.current_and_history(items, moment, "hash", "link", "size", "mime", "name")
        for half, table in zip(halves, (items, items_history), strict=True):
            for row in conn.execute(half.where(content_ids.content_in(table, part))).mappings():
                found[row["hash"]] = row
    return {name: found[name] for name in hashes if name in found}


def _kept(conn: Connection, hashes: list[str]) -> dict[str, RowMapping]:
    """The blobs of items that the caller was found to see."""
    found: dict[str, RowMapping] = {}
    for part in chunks(hashes):
        query = blobs.select().where(blobs.c.hash.in_(part), blobs.c.state != DAMAGED)
        found.update((row["hash"], row) for row in conn.execute(query).mappings())
    return found


def contents(context: OperationContext, request: RequestParser) -> CompositeContent:
    """``autoflow.folders.contents`` of a version by ``hashes``: each as a line ``<hash> <size>``, then its bytes.

    Raises:
        NotFound: the version has no item of a hash, or its bytes are not here.
    """
    with context.store.read() as conn:
        named = _named(conn, request)
        kept = _kept(conn, list(named))
    pieces: list[bytes | Content] = []
    for name in dict.fromkeys(request.array("hashes")):
        item = named.get(name)
        if name in kept:
            row = kept[name]
            content = Content(context.blobs, name, row["generation"], row["size"], name, row["mime"])
        elif item is not None and external_files.is_external(item):
            content = external_files.content(item)
        else:
            raise NotFound("content", name)
        pieces += [f"{name} {content.size}\n".encode(), content]
    return CompositeContent(pieces, "contents", "application/octet-stream")


def paths(context: OperationContext, request: RequestParser) -> dict[str, Any]:
    """``autoflow.folders.paths`` of a version by ``hashes``: where the files of those are that are kept in a folder of
    this machine. Whoever asks over a server is told of none: it may be another machine.
    """
    with context.store.read() as conn:
        if caller(conn).site or not isinstance(context.blobs, FolderBlobStore):
            return {"paths": {}}
        kept = _kept(conn, list(_named(conn, request)))
    return {"paths": {name: context.blobs.path(name, row["generation"]) for name, row in kept.items()}}


BATCHES: Mapping[str, Batch] = {methods.FOLDER_PATHS: paths}
DOWNLOADS: Mapping[str, Download] = {methods.FOLDER_CONTENTS: contents}
