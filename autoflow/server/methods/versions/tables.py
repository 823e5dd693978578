"""``autoflow.items.table``: items that are tables, of a project's current state or of a version."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, RowMapping

from autoflow.server.db import blobs, items
from autoflow.server.errors import NotFound
from autoflow.server.media.decoder import Undecodable
from autoflow.server.media.tables import read_table
from autoflow.server.methods.images.previews import blob_file
from autoflow.server.operations import Batch, OperationContext, by_name, implements
from autoflow.server.versions import diff, versions
from autoflow.server.versions.snapshot import SnapshotRef
from autoflow.wire.contract import tables as contract


def _item(conn: Connection, request: contract.ItemTableRequest) -> RowMapping:
    if request.version is None:
        return items.find(conn, [request.id])[request.id]
    ref = SnapshotRef.of(versions.get(conn, request.version))
    row = diff.items_by_id(conn, ref, [request.id]).get(request.id)
    if row is None:
        raise NotFound(f"in version {request.version}, item", request.id)
    return row


@implements(contract.ITEM_TABLE)
def read(context: OperationContext, request: contract.ItemTableRequest) -> contract.ItemTable:
    """Return the table that an item is.

    Raises:
        NotFound: there is no such item, or it is no table that can be read; the message says why.
        ServerBusy: no process is free to read it.
    """
    with context.store.read() as conn:
        row = _item(conn, request)
        blob = blobs.find_of_rows(conn, [row["hash"]]).get(row["hash"]) if row["hash"] is not None else None
    try:
        if blob is None:
            raise Undecodable("its bytes are not stored here")
        with blob_file(context, blob) as file:
            table = read_table(file, row["name"], blob["size"], request.rows)
    except Undecodable as error:
        raise NotFound("table", request.id, f"item {request.id} is not read as a table: {error}") from None
    return {"columns": table["columns"], "rows": table["rows"], "sample": table["sample"]}


QUERIES: Mapping[str, Batch] = by_name(read)
