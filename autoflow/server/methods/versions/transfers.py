"""``autoflow.transfers.*``: versions copied from one server to another; this server may be either.

The client reads rows from the source and sends them to the target, with the contents that the target lacks. The target
keeps them in a hidden project, so that an abandoned transfer leaves nothing visible (`versions.receiving`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, not_, select

from autoflow.server.db import blobs, copies, items, scopes, tombstones
from autoflow.server.db.schema import items as item_table
from autoflow.server.db.schema import items_history, users
from autoflow.server.db.schema import projects as project_table
from autoflow.server.errors import Conflict, Invalid, NotFound
from autoflow.server.maintenance import purge
from autoflow.server.operations import Batch, Operation, OperationContext, by_name, implements
from autoflow.server.paging import chunks
from autoflow.server.project_types import registry
from autoflow.server.uploads import external_files
from autoflow.server.versions import receiving, snapshot, transfer_rows, versions
from autoflow.server.versions.snapshot import SnapshotRef
from autoflow.wire.contract import transfers as contract

MAX_RELEASED = 1000  # rows of abandoned transfers removed before a new one begins
PAGE = contract.MAX_ITEMS  # items of one response
MAX_DOCUMENTS = 1000  # of one response
MAX_EARLIER = 1000  # versions


def _complete(conn: Connection, number: int) -> RowMapping:
    """Return a version whose rows exist.

    Raises:
        NotFound: there is none.
        Invalid: it is of an older autoflow, which kept no history of its rows.
    """
    version = versions.get(conn, number)
    if not versions.has_all_rows(version):
        raise Invalid(
            f"version {number} was made by an older autoflow, which kept no history, and its project has changed "
            "since: it cannot be copied"
        )
    return version


# -- the source


@implements(contract.TRANSFER_SOURCE)
def describe(conn: Connection, request: contract.TransferSourceRequest) -> contract.TransferSourceResponse:
    """``autoflow.transfers.source``: a version, with its project, its classes and tags, and its datasets.

    Raises:
        NotFound: there is no such version.
        Invalid: it cannot be copied, because items were erased, or are files of the server's machine.
    """
    version = _complete(conn, request.id)
    ref = SnapshotRef.of(version)
    erased = _erased_epochs(conn, ref.project)
    if any(start <= ref.epoch < stop for start, stop in erased):
        raise _erased(request.id)
    _check_stored(conn, request.id, ref)
    project = conn.execute(select(project_table).where(project_table.c.id == ref.project)).mappings().one()
    author = conn.execute(select(users.c.login).where(users.c.id == version["created_by"])).scalar()
    earlier = copies.sources(conn, copies.VERSION, request.id)
    own: copies.Origin = {"store": copies.store_key(conn), "project": ref.project, "version": request.id}
    definitions = snapshot.meta_rows(conn, ref)
    return {
        "origins": [{**entry} for entry in (own, *map(copies.origin, earlier))],
        "version": {
            **_members(version, "number", "digest", "name", "description"),
            "itemsCount": version["items_count"],
            "author": copies.author(earlier) or author or "",
            "createdAt": version["created_at"],
            "projectUpdatedAt": version["project_updated_at"],
        },
        "project": {
            **_members(project, "name", "type", "description", "readme", "settings"),
            "importSettings": project["import_settings"],
            "customData": project["custom_data"],
        },
        # A version with erased items is no base: the target has them under names that are not known here any more.
        "earlier": [
            row["id"]
            for row in versions.earlier(conn, version, MAX_EARLIER)
            if not any(start <= row["epoch"] < stop for start, stop in erased)
        ],
        "meta": definitions[0]["document"] if definitions else None,
        "datasets": _datasets(conn, ref),
    }


def _erased_epochs(conn: Connection, project: int) -> list[tuple[int, int]]:
    """Return the spans of epochs in which items of a project that were erased existed."""
    spans = select(items_history.c.valid_from, items_history.c.valid_to).distinct()
    spans = spans.where(items_history.c.project_id == project, not_(tombstones.has_content(items_history)))
    return [(row.valid_from, row.valid_to) for row in conn.execute(spans)]


def _erased(version: int) -> Invalid:
    return Invalid(f"images of version {version} were erased: restore it, and copy a version of the restored project")


def _check_stored(conn: Connection, version: int, ref: SnapshotRef) -> None:
    """Check that no bytes of a version are in files of the server's machine.

    Raises:
        Invalid: they are.
    """
    queries = snapshot.current_and_history(item_table, ref, "name", "link")
    for query, table in zip(queries, (item_table, items_history), strict=True):
        external = query.where(table.c.link.startswith("file:"), table.c.hash.is_not(None))
        row = conn.execute(external.limit(1)).mappings().first()
        if row is not None:
            raise _by_reference(version, row)


def _by_reference(version: int, row: RowMapping) -> Invalid:
    return Invalid(
        f"item {row['name']!r} of version {version} is stored by reference, in {row['link']}: import its folder "
        "without by_reference, and copy the version of that"
    )


def _members(row: RowMapping, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _datasets(conn: Connection, ref: SnapshotRef) -> list[dict[str, Any]]:
    dataset_rows = snapshot.datasets_at(conn, ref)
    originals = snapshot.original_ids(dataset_rows)
    return [
        {
            "id": row["id"],
            "original": originals[row["id"]],
            "parent": None if row["parent_id"] is None else originals[row["parent_id"]],
            **_members(row, "name", "description"),
            "customData": row["custom_data"],
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
        }
        for row in dataset_rows
    ]


@implements(contract.TRANSFER_ITEMS)
def read_items(conn: Connection, request: contract.TransferItemsRequest) -> contract.TransferItemsResponse:
    """``autoflow.transfers.items``: a page of a version's items, or of those that changed, as they are stored.

    Raises:
        NotFound: there is no such version, or the base is not one of the same project.
        Invalid: the bytes of an item are not stored here, but in a file of the server's machine, or it was erased.
    """
    ref = SnapshotRef.of(_complete(conn, request.id))
    originals = snapshot.original_ids(snapshot.datasets_at(conn, ref))
    removed: list[dict[str, Any]] = []
    if request.base is None:
        item_rows = snapshot.page(conn, ref, request.after, PAGE)
        upto = item_rows[-1]["id"] if item_rows else request.after
        is_last = len(item_rows) < PAGE
    else:
        base = SnapshotRef.of(_complete(conn, request.base))
        if base.project != ref.project or base.epoch >= ref.epoch:
            raise NotFound(f"before version {request.id} of its project, version", request.base)
        changes = snapshot.changes_page(conn, base, ref, request.after, PAGE)
        before = snapshot.original_ids(snapshot.datasets_at(conn, base))
        removed = [{"dataset": before[row["dataset_id"]], "name": row["name"]} for row in changes.removed]
        item_rows, upto, is_last = changes.items, changes.upto, changes.is_last
    for row in item_rows:
        if tombstones.is_tombstone(row):
            raise _erased(request.id)
        if external_files.is_external(row):
            raise _by_reference(request.id, row)
    entries = [_item(row, originals) for row in item_rows]
    return {"items": entries, "removed": removed, "upto": upto, "after": None if is_last else upto}


def _item(row: RowMapping, originals: Mapping[int, int]) -> dict[str, Any]:
    members = {
        "id": row["id"],
        "dataset": originals[row["dataset_id"]],
        **_members(row, "name", "hash", "link", "mime", "size", "width", "height", "meta", "tags", "annotation"),
        **_members(row, "labels", "description"),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }
    return {name: value for name, value in members.items() if value is not None}


@implements(contract.TRANSFER_DOCUMENTS)
def read_documents(conn: Connection, request: contract.TransferDocumentsRequest) -> contract.TransferDocumentsResponse:
    """``autoflow.transfers.documents``: annotation documents of a version, as they are stored."""
    ref = SnapshotRef.of(_complete(conn, request.id))
    own: set[str] = set()
    for part in chunks(request.hashes[:MAX_DOCUMENTS]):
        queries = snapshot.current_and_history(item_table, ref, "annotation")
        for query, table in zip(queries, (item_table, items_history), strict=True):
            own.update(conn.execute(query.where(table.c.annotation.in_(part))).scalars())
    texts = items.read_encoded_documents(conn, sorted(own))
    return {"documents": {name: text.decode("utf-8", "surrogatepass") for name, text in texts.items()}}


# -- the target


@implements(contract.TRANSFER_BEGIN)
def begin(context: OperationContext, request: contract.TransferBeginRequest) -> contract.TransferState:
    """``autoflow.transfers.begin``: begin to receive a version, or continue; it is done if the version is here."""
    registry.check_supported(request.project.type)
    with context.store.write() as conn:
        purge.release_expired(conn, MAX_RELEASED)
        return receiving.begin(conn, request)


@implements(contract.TRANSFER_NEEDS)
def needs(context: OperationContext, request: contract.TransferNeedsRequest) -> contract.TransferNeedsResponse:
    """``autoflow.transfers.needs``: the contents that have to be sent; the others get a lease, to be referenced."""
    with context.store.write(scope=(), count_change=False) as conn:
        stored = blobs.acquire_with_lease(conn, request.blobs)
        known = transfer_rows.known_documents(conn, request.documents)
    return {
        "blobs": [name for name in request.blobs if name not in stored],
        "documents": [name for name in request.documents if name not in known],
    }


@implements(contract.TRANSFER_DATASETS)
def add_datasets(conn: Connection, request: contract.TransferDatasetsRequest) -> contract.TransferState:
    """``autoflow.transfers.datasets``: the datasets, classes and tags of a version that is received."""
    return receiving.add_datasets(conn, request)


@implements(contract.TRANSFER_PUT)
def put_items(conn: Connection, request: contract.TransferPutRequest) -> contract.TransferState:
    """``autoflow.transfers.put``: the next items of a version that is received."""
    return receiving.put_items(conn, request)


@implements(contract.TRANSFER_FINISH)
def finish(context: OperationContext, request: contract.TransferFinishRequest) -> contract.TransferState:
    """``autoflow.transfers.finish``: publish a version if its digest is that of the source.

    Raises:
        Conflict: it is not; nothing of the transfer is left.
    """
    with context.store.read() as conn:
        continued = receiving.project_of(conn, request.id)
    scope = [scopes.project(number) for number in (continued, request.id) if number is not None]
    try:
        with context.store.write(scope=scope) as conn:
            return receiving.finish(conn, request.id)
    except Conflict:
        with context.store.write(scope=scope) as conn:
            receiving.abandon(conn, request.id)
        raise


READS: Mapping[str, Operation] = by_name(describe, read_items, read_documents)
WRITES: Mapping[str, Operation] = by_name(add_datasets, put_items)
BATCHES: Mapping[str, Batch] = by_name(begin, needs, finish)
