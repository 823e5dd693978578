"""Items of a dataset: images, by their content's hash or as a link, each with tags and one annotation document."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from autoflow.platform import documents, times
from autoflow.platform.paging import chunks
from autoflow.platform.refusals import unknown
from autoflow.platform.store.access import caller, visible
from autoflow.platform.store.edits import Edit
from autoflow.platform.store.schema import documents as document_table
from autoflow.platform.store.schema import items, projects
from autoflow.platform.store.upsert import insert_new


def listing(rows: Connection) -> Select[Any]:
    """All items of active projects."""
    return select(items).join_from(items, projects).where(projects.c.state == "active", visible(rows, items))


def find(rows: Connection, numbers: Sequence[int]) -> dict[int, RowMapping]:
    """Items by their ids.

    Raises:
        ServerRefused: 404, naming the first that is unknown.
    """
    found: dict[int, RowMapping] = {}
    for part in chunks(numbers):
        for row in rows.execute(listing(rows).where(items.c.id.in_(part))).mappings():
            found[row["id"]] = row
    for number in numbers:
        if number not in found:
            raise unknown("image", number)
    return found


def named(rows: Connection, dataset_id: int, names: Sequence[str]) -> dict[str, int]:
    """The ids of a dataset's items that have one of these names."""
    found: dict[str, int] = {}
    for part in chunks(names):
        query = select(items.c.name, items.c.id).where(items.c.dataset_id == dataset_id, items.c.name.in_(part))
        found.update(rows.execute(query).all())
    return found


def add(edit: Edit, dataset_id: int, values: dict[str, Any]) -> int:
    """Add an item to a dataset of the project being edited; gives its id."""
    moment = times.now()
    stamps = {"created_by": caller(edit.rows).user, "created_at": moment, "updated_at": moment}
    return edit.insert(items, {**values, **stamps, "project_id": edit.project["id"], "dataset_id": dataset_id})


def change(edit: Edit, row: RowMapping, **values: Any) -> None:
    """Change an item; values that are the same leave it as it was."""
    if any(row[name] != value for name, value in values.items()):
        edit.update(items, row, {**values, "updated_at": times.now()})


def keep_document(rows: Connection, document: Any) -> str:
    """Keep an annotation document and give its hash; equal documents are kept once."""
    text = documents.dump(document, canonical=True).encode()
    name = hashlib.sha256(text).hexdigest()
    insert_new(rows, document_table, hash=name, body=zlib.compress(text))
    return name


def read_documents(rows: Connection, hashes: Sequence[str]) -> dict[str, Any]:
    """Annotation documents by their hashes."""
    found = {}
    for part in chunks(hashes):
        for row in rows.execute(select(document_table).where(document_table.c.hash.in_(part))):
            found[row.hash] = documents.load(zlib.decompress(row.body).decode())
    return found
