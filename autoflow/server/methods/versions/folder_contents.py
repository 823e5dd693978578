"""The bytes of a version's items, for restoring it to a folder: in one response, or as paths on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, RowMapping

from autoflow.server.blobs import Content, FolderBlobStore
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import blobs, content_ids
from autoflow.server.db.access import caller
from autoflow.server.db.schema import items, items_history
from autoflow.server.errors import NotFound
from autoflow.server.operations import Batch, Download, OperationContext, by_name, implements, implements_download
from autoflow.server.paging import chunks
from autoflow.server.uploads import external_files
from autoflow.server.versions import snapshot, versions
from autoflow.wire.contract import folders as contract


def _items_by_hash(conn: Connection, version_id: int, hashes: Sequence[str]) -> dict[str, RowMapping]:
    """Return an item of a version for each requested hash that the version has.

    Raises:
        NotFound: there is no such version.
    """
    ref = snapshot.SnapshotRef.of(versions.get(conn, version_id))
    item_rows: dict[str, RowMapping] = {}
    for chunk in chunks(hashes):
        queries = snapshot.current_and_history(items, ref, "hash", "link", "size", "mime", "name")
        for query, table in zip(queries, (items, items_history), strict=True):
            for row in conn.execute(query.where(content_ids.content_in(table, chunk))).mappings():
                item_rows[row["hash"]] = row
    return {content: item_rows[content] for content in hashes if content in item_rows}


@implements_download(contract.FOLDER_CONTENTS)
def contents(context: OperationContext, request: contract.FolderContentsRequest) -> CompositeContent:
    """``autoflow.folders.contents`` of a version by ``hashes``: each as a line ``<hash> <size>``, then its bytes.

    Raises:
        NotFound: the version has no item of a hash, or its bytes are not here.
    """
    with context.store.read() as conn:
        item_rows = _items_by_hash(conn, request.id, request.hashes)
        blob_rows = blobs.find_of_rows(conn, list(item_rows))
        # A folder may have been renamed since: the same content at another path will do.
        links = content_ids.file_links(conn, [content for content in item_rows if content not in blob_rows])
    pieces: list[bytes | Content] = []
    for content_hash in dict.fromkeys(request.hashes):
        item = item_rows.get(content_hash)
        if content_hash in blob_rows:
            row = blob_rows[content_hash]
            content = Content(context.blobs, content_hash, row["generation"], row["size"], content_hash, row["mime"])
        elif item is not None and external_files.is_external(item):
            content = external_files.content(item, links.get(content_hash, ()))
        else:
            raise NotFound("content", content_hash)
        pieces += [f"{content_hash} {content.size}\n".encode(), content]
    return CompositeContent(pieces, "contents", "application/octet-stream")


@implements(contract.FOLDER_PATHS)
def paths(context: OperationContext, request: contract.FolderPathsRequest) -> contract.FolderPathsResponse:
    """``autoflow.folders.paths`` of a version by ``hashes``: the paths of blobs in a folder of this machine.

    Over HTTP there are none, as the client may be on another machine.
    """
    with context.store.read() as conn:
        if caller(conn).site or not isinstance(context.blobs, FolderBlobStore):
            return {"paths": {}}
        blob_rows = blobs.find_of_rows(conn, list(_items_by_hash(conn, request.id, request.hashes)))
    return {"paths": {content: context.blobs.path(content, row["generation"]) for content, row in blob_rows.items()}}


BATCHES: Mapping[str, Batch] = by_name(paths)
DOWNLOADS: Mapping[str, Download] = by_name(contents)
