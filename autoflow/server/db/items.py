"""Items of a dataset: images, by their content's hash or as a link, each with tags and one annotation document."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, select

from autoflow.server import timestamps
from autoflow.server.db import json_codec
from autoflow.server.db.access import caller, visible
from autoflow.server.db.change_tracking import ProjectEdit
from autoflow.server.db.schema import documents as document_table
from autoflow.server.db.schema import items, projects
from autoflow.server.db.upsert import insert_or_ignore_many
from autoflow.server.errors import NotFound
from autoflow.server.paging import chunks


def listing(conn: Connection) -> Select[Any]:
    """All items of active projects."""
    return select(items).join_from(items, projects).where(projects.c.state == "active", visible(conn, items))


def find(conn: Connection, numbers: Sequence[int]) -> dict[int, RowMapping]:
    """Items by their ids.

    Raises:
        NotFound: naming the first that is unknown.
    """
    found: dict[int, RowMapping] = {}
    for part in chunks(numbers):
        for row in conn.execute(listing(conn).where(items.c.id.in_(part))).mappings():
            found[row["id"]] = row
    for number in numbers:
        if number not in found:
            raise NotFound("image", number)
    return found


def ids_by_name(conn: Connection, dataset_id: int, names: Sequence[str]) -> dict[str, int]:
    """The ids of a dataset's items that have one of these names."""
    found: dict[str, int] = {}
    for part in chunks(names):
        query = select(items.c.name, items.c.id).where(items.c.dataset_id == dataset_id, items.c.name.in_(part))
        found.update(conn.execute(query).all())
    return found


def first_item_ids(conn: Connection, owner: Table, numbers: Sequence[int]) -> dict[int, int]:
    """One of the items of each project, or dataset, of those that have any: each costs one look into an index.

    Args:
        conn: the transaction.
        owner: the table of the projects, or of the datasets.
        numbers: their ids.
    """
    # in the order that the index has them
    column, order = (items.c.project_id, items.c.id) if owner is projects else (items.c.dataset_id, items.c.name)
    one = select(items.c.id).where(column == owner.c.id).order_by(order).limit(1).correlate(owner).scalar_subquery()
    found: dict[int, int] = {}
    for part in chunks(numbers):
        query = select(owner.c.id, one.label("item")).where(owner.c.id.in_(part))
        found.update({row.id: row.item for row in conn.execute(query) if row.item is not None})
    return found


def find_by_tag(conn: Connection, number: int) -> RowMapping:
    """The item that has a tag of this number on it: every item the caller sees may have to be looked at.

    Raises:
        NotFound: none has.
    """
    query = listing(conn).where(items.c.tags.contains(f'{{"id":{number},'))
    found = conn.execute(query).mappings().first()
    if found is None:
        raise NotFound("tag", number)
    return found


def add(edit: ProjectEdit, dataset_id: int, values: Mapping[str, Any]) -> int:
    """Add an item to a dataset of the project being edited; gives its id."""
    return add_many(edit, dataset_id, [values])[0]


def add_many(edit: ProjectEdit, dataset_id: int, values: Sequence[Mapping[str, Any]]) -> list[int]:
    """Add items to a dataset of the project being edited; gives their ids, in order."""
    moment = timestamps.now()
    common = {"created_by": caller(edit.conn).user, "created_at": moment, "updated_at": moment}
    place = {**common, "project_id": edit.project["id"], "dataset_id": dataset_id}
    return edit.insert_many(items, [{**one, **place} for one in values])


def change(edit: ProjectEdit, row: RowMapping, **values: Any) -> None:
    """Change an item; values that are the same leave it as it was."""
    if any(row[name] != value for name, value in values.items()):
        edit.update(items, row, {**values, "updated_at": timestamps.now()})


def change_many(edit: ProjectEdit, changes: Iterable[tuple[RowMapping, Mapping[str, Any]]]) -> None:
    """Change items, none twice; those whose values are the same stay as they were."""
    stamp = {"updated_at": timestamps.now()}
    changed = [
        (row, {**values, **stamp})
        for row, values in changes
        if any(row[name] != value for name, value in values.items())
    ]
    edit.update_many(items, changed)


def save_document(conn: Connection, document: Any) -> str:
    """Keep an annotation document and give its hash; equal documents are kept once."""
    name, text = encode_document(document)
    save_encoded_documents(conn, {name: text})
    return name


def encode_document(document: Any) -> tuple[str, bytes]:
    """A document's hash, and the JSON that is kept of it."""
    text = json_codec.dump(document, canonical=True).encode()
    return hashlib.sha256(text).hexdigest(), text


def save_encoded_documents(conn: Connection, texts: Mapping[str, bytes]) -> None:
    """Keep documents by their hashes; those that are kept already stay."""
    insert_or_ignore_many(
        conn, document_table, [{"hash": name, "body": zlib.compress(text)} for name, text in texts.items()]
    )


def read_encoded_documents(conn: Connection, hashes: Sequence[str]) -> dict[str, bytes]:
    """Annotation documents by their hashes, as the JSON that is kept."""
    found = {}
    for part in chunks(hashes):
        query = select(document_table.c.hash, document_table.c.body).where(document_table.c.hash.in_(part))
        for row in conn.execute(query):
            found[row.hash] = zlib.decompress(row.body)
    return found


def read_documents(conn: Connection, hashes: Sequence[str]) -> dict[str, Any]:
    """Annotation documents by their hashes."""
    return {name: json_codec.load(text.decode()) for name, text in read_encoded_documents(conn, hashes).items()}
