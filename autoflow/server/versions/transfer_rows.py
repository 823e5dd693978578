"""Rows of a version that were sent by another server, checked before they are stored as they are.

What they contain is part of the version's digest, so that nothing of it may be changed but the ids of tags on items.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from autoflow.server import limits
from autoflow.server.db import attachments, blobs, counters, items, json_codec, tombstones
from autoflow.server.db.access import caller, visible
from autoflow.server.db.schema import documents as document_table
from autoflow.server.db.schema import items as item_table
from autoflow.server.errors import Invalid, shortened
from autoflow.server.paging import chunks
from autoflow.wire.contract.transfers import TransferItem

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_LABELS = ("objects", "figures")  # members of a document that are lists of objects
_DEFINITIONS = {"classes": "title", "tags": "name"}


def parse_object(text: str, name: str) -> dict[str, Any]:
    """Return the JSON object in a text.

    Raises:
        Invalid: it is none, or nested too deep.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or limits.is_deeper(value):
        raise Invalid(f"{name} is not a JSON object: {shortened(text)}")
    return value


def check_times(*texts: str) -> None:
    """Check times, which are compared as texts.

    Raises:
        Invalid: one is not written as this server writes them.
    """
    for text in texts:
        if not _TIME.fullmatch(text):
            raise Invalid(f"{shortened(text)} is not a time in UTC with milliseconds, as in 2026-01-31T12:00:00.000Z")


def check_definitions(text: str) -> None:
    """Check a document of classes and tags.

    Raises:
        Invalid: an entry has no number or no name, or one occurs twice.
    """
    document = parse_object(text, '"meta"')
    for kind, name in _DEFINITIONS.items():
        entries = _objects(document.get(kind, []), kind)
        names, numbers = [entry.get(name) for entry in entries], [entry.get("id") for entry in entries]
        sound = all(isinstance(text, str) for text in names) and all(type(number) is int for number in numbers)
        if not sound or len(set(names)) < len(names) or len(set(numbers)) < len(numbers):
            raise Invalid(f'"meta.{kind}": each must have an id and a {name} of its own')


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise Invalid(f"{name} must be a list of objects")
    return value


def _check_tags(value: Any, name: str) -> list[dict[str, Any]]:
    entries = _objects(value, name)
    if not all(type(entry.get("tagId")) is int and "value" in entry for entry in entries):
        raise Invalid(f"{name}: each tag must have a tagId and a value")
    return entries


def encode_documents(texts: Sequence[str]) -> dict[str, bytes]:
    """Return annotation documents by their hashes.

    Raises:
        Invalid: one is not a document as it is stored.
    """
    encoded = {}
    for text in texts:
        document = parse_object(text, "an annotation document")
        for member in _LABELS:
            for label in _objects(document.get(member, []), f"{member} of a document"):
                if type(label.get("id")) is not int:
                    raise Invalid(f"{member} of a document must have an id each")
                _check_tags(label.get("tags", []), f"tags of {member} of a document")
        name, content = items.encode_document(document)
        if name != hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest():
            raise Invalid(f"an annotation document is not canonical JSON: {shortened(text)}")
        encoded[name] = content
    return encoded


def known_documents(conn: Connection, hashes: Sequence[str]) -> set[str]:
    """Return the annotation documents that items visible to the caller have."""
    known: set[str] = set()
    for part in chunks(sorted(set(hashes))):
        query = select_documents(conn).where(document_table.c.hash.in_(part))
        known.update(conn.execute(query).scalars())
    return known


def select_documents(conn: Connection) -> Any:
    """Return a query for the hashes of documents that the caller may reference."""
    query = document_table.select().with_only_columns(document_table.c.hash)
    if caller(conn).teams is None:
        return query
    used = item_table.select().with_only_columns(item_table.c.id)
    used = used.where(item_table.c.document_id == document_table.c.id, visible(conn, item_table))
    return query.where(used.correlate(document_table).exists())


def check_contents(conn: Connection, entries: Sequence[TransferItem], sent_documents: Mapping[str, bytes]) -> None:
    """Check that the content of all items is on this server, in reach of the caller, and keep it.

    Raises:
        Invalid: an item names bytes or a document that were not sent, or is marked as erased, which would let its
            sender choose its part of the digest.
    """
    stored = blobs.acquire(conn, sorted({entry.hash for entry in entries if entry.hash is not None}))
    named = {entry.annotation for entry in entries if entry.annotation is not None}
    unsent = named - sent_documents.keys() - known_documents(conn, sorted(named - sent_documents.keys()))
    for entry in entries:
        if tombstones.is_tombstone({"name": entry.name}):
            raise Invalid(f"item {shortened(entry.name)} is marked as erased: what was erased is not copied")
        sources = [source for source in (entry.hash, entry.link) if source is not None]
        if len(sources) != 1 and (sources or entry.name != attachments.OBJECTS):
            raise Invalid(f"item {shortened(entry.name)} must have either a hash or a link")
        if entry.hash is not None and entry.hash not in stored:
            raise Invalid(f"the content of item {shortened(entry.name)} has not been uploaded")
        if entry.hash is not None and entry.size not in {None, stored[entry.hash]["size"]}:
            raise Invalid(f"item {shortened(entry.name)} does not have the size of its content")
        if entry.annotation in unsent:
            raise Invalid(f"the annotation of item {shortened(entry.name)} was not sent")


def item_values(
    conn: Connection, entries: Sequence[TransferItem], project_id: int, dataset_ids: Mapping[int, int]
) -> list[dict[str, Any]]:
    """Return the values of rows for items, their tags with new ids.

    Args:
        conn: a write transaction.
        entries: the items.
        project_id: the project that they are added to.
        dataset_ids: ids of its datasets by their original ids.

    Raises:
        Invalid: a dataset is unknown, or a JSON text is not valid.
    """
    tags = [_check_tags(_loaded(entry.tags), '"tags"') for entry in entries]
    numbers = counters.reserve(conn, counters.TAG, sum(map(len, tags)))
    values = []
    for entry, item_tags in zip(entries, tags, strict=True):
        if entry.dataset not in dataset_ids:
            raise Invalid(f"item {shortened(entry.name)} is in dataset {entry.dataset}, which was not sent")
        parse_object(entry.meta, '"meta"')
        check_times(entry.created_at, entry.updated_at)
        values.append(
            {
                **{name: getattr(entry, name) for name in _SAME},
                "project_id": project_id,
                "dataset_id": dataset_ids[entry.dataset],
                # the id comes first, as `versions.renumbering` expects it
                "tags": json_codec.dump([{"id": next(numbers), **_without_id(tag)} for tag in item_tags]),
                "created_by": caller(conn).user,
            }
        )
    return values


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _without_id(tag: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in tag.items() if name != "id"}


_SAME = (
    *("name", "hash", "link", "mime", "size", "width", "height", "meta", "annotation", "labels", "description"),
    *("created_at", "updated_at"),
)
