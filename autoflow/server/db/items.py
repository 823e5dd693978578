"""Items of datasets: images by content hash or as links, with tags and an annotation document each."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, select

from autoflow.server import timestamps
from autoflow.server.db import attachments, json_codec, tag_index
from autoflow.server.db.access import caller, visible
from autoflow.server.db.change_tracking import ProjectEdit
from autoflow.server.db.schema import documents as document_table
from autoflow.server.db.schema import items, projects
from autoflow.server.db.upsert import insert_or_ignore_many
from autoflow.server.errors import NotFound
from autoflow.server.paging import chunks


def listing(conn: Connection) -> Select[Any]:
    """Return a query for all items of active projects."""
    return select(items).join_from(items, projects).where(projects.c.state == "active", visible(conn, items))


def find(conn: Connection, numbers: Sequence[int], noun: str = "image") -> dict[int, RowMapping]:
    """Return items by id; `noun` is the word for one in messages.

    Raises:
        NotFound: naming the first that is unknown.
    """
    item_rows: dict[int, RowMapping] = {}
    for part in chunks(numbers):
        for row in conn.execute(listing(conn).where(items.c.id.in_(part))).mappings():
            item_rows[row["id"]] = row
    for number in numbers:
        if number not in item_rows:
            raise NotFound(noun, number)
    return item_rows


def ids_by_name(conn: Connection, dataset_id: int, names: Sequence[str]) -> dict[str, int]:
    """Return the ids of a dataset's items with these names, by name."""
    ids: dict[str, int] = {}
    for part in chunks(names):
        query = select(items.c.name, items.c.id).where(items.c.dataset_id == dataset_id, items.c.name.in_(part))
        ids.update(conn.execute(query).all())
    return ids


def first_item_ids(conn: Connection, owner: Table, numbers: Sequence[int]) -> dict[int, int]:
    """Return the id of one item of each project or dataset that has any, by one index look-up each.

    Args:
        conn: the transaction.
        owner: the table of the projects, or of the datasets.
        numbers: their ids.
    """
    # in the order of the index
    column, order = (items.c.project_id, items.c.id) if owner is projects else (items.c.dataset_id, items.c.name)
    first = (
        select(items.c.id)
        .where(column == owner.c.id, attachments.is_item())
        .order_by(order)
        .limit(1)
        .correlate(owner)
        .scalar_subquery()
    )
    by_owner: dict[int, int] = {}
    for part in chunks(numbers):
        query = select(owner.c.id, first.label("item")).where(owner.c.id.in_(part))
        by_owner.update({row.id: row.item for row in conn.execute(query) if row.item is not None})
    return by_owner


def find_by_tag(conn: Connection, number: int) -> RowMapping:
    """Return the item with a tag by the tag's id.

    Raises:
        NotFound: none has.
    """
    row = conn.execute(listing(conn).where(tag_index.has_tag(conn, number))).mappings().first()
    if row is None:
        raise NotFound("tag", number)
    return row


def add_many(edit: ProjectEdit, dataset_id: int, values: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert items into a dataset of the edited project; return their ids in order."""
    now = timestamps.now()
    common = {"created_by": caller(edit.conn).user, "created_at": now, "updated_at": now}
    common |= {"project_id": edit.project["id"], "dataset_id": dataset_id}
    return edit.insert_many(items, [{**item, **common} for item in values])


def change(edit: ProjectEdit, row: RowMapping, **values: Any) -> None:
    """Update an item if any of the values differ."""
    if any(row[name] != value for name, value in values.items()):
        edit.update(items, row, {**values, "updated_at": timestamps.now()})


def change_many(edit: ProjectEdit, changes: Iterable[tuple[RowMapping, Mapping[str, Any]]]) -> None:
    """Update items, each at most once, if any of their values differ."""
    stamp = {"updated_at": timestamps.now()}
    changed = [
        (row, {**values, **stamp})
        for row, values in changes
        if any(row[name] != value for name, value in values.items())
    ]
    edit.update_many(items, changed)


def encode_document(document: Any) -> tuple[str, bytes]:
    """Return a document's hash and its canonical JSON."""
    text = json_codec.dump(document, canonical=True).encode()
    return hashlib.sha256(text).hexdigest(), text


def save_encoded_documents(conn: Connection, texts: Mapping[str, bytes]) -> None:
    """Insert documents, by hash, that are not stored yet."""
    # in one order: writes of other projects may insert the same documents now
    insert_or_ignore_many(
        conn, document_table, [{"hash": name, "body": zlib.compress(text)} for name, text in sorted(texts.items())]
    )


def read_encoded_documents(conn: Connection, hashes: Sequence[str]) -> dict[str, bytes]:
    """Return annotation documents as canonical JSON, by hash."""
    texts = {}
    for part in chunks(hashes):
        query = select(document_table.c.hash, document_table.c.body).where(document_table.c.hash.in_(part))
        for row in conn.execute(query):
            texts[row.hash] = zlib.decompress(row.body)
    return texts


def read_own_documents(conn: Connection, item_rows: Sequence[RowMapping]) -> dict[int, Any]:
    """Return the annotation documents of items by id, each decoded for its item: equal ones are stored once."""
    names = {row["id"]: row["annotation"] for row in item_rows if row["annotation"]}
    texts = read_encoded_documents(conn, sorted(set(names.values())))
    return {number: json_codec.load(texts[name].decode()) for number, name in names.items() if name in texts}


def read_documents(conn: Connection, hashes: Sequence[str]) -> dict[str, Any]:
    """Return annotation documents by hash."""
    return {name: json_codec.load(text.decode()) for name, text in read_encoded_documents(conn, hashes).items()}
