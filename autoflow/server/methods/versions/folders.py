"""Folders as projects: ``autoflow.folders.*``: a project is brought to a folder's state some images at a time.

Whoever does so keeps, for each image, the mark it was given, and for the project its digest: what still has them was
changed by nobody. Every change therefore answers with the digest before and after it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from autoflow.server import limits, timestamps
from autoflow.server.db import blobs, datasets, item_content, items, json_codec, projects
from autoflow.server.db.access import caller
from autoflow.server.db.change_tracking import ProjectEdit, edit_project
from autoflow.server.db.schema import datasets as dataset_table
from autoflow.server.db.schema import items as table
from autoflow.server.errors import Invalid
from autoflow.server.media import thumbnails
from autoflow.server.methods.images.labels import FIGURES, stored_object
from autoflow.server.methods.images.tags import Meta, assigned, number_new
from autoflow.server.methods.projects.meta import merged
from autoflow.server.operations import Batch, Operation, OperationContext
from autoflow.server.paging import chunks
from autoflow.server.request_parser import RequestParser
from autoflow.server.uploads import external_files
from autoflow.wire import methods

PAGE = 5000
_FRESH: dict[str, Any] = {"meta": "{}", "tags": "[]", "annotation": None, "labels": 0, "description": "", "link": None}
_BYTES = ("size", "mime", "width", "height")


def mark(row: item_content.ContentRow) -> str:
    """What tells one state of an image from another: it follows from all that counts as its content but its name."""
    told = [
        row["hash"],
        row["link"],
        row["meta"],
        item_content.tags_content(row["tags"]),
        row["annotation"],
        row["description"],
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:20]


def state(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.folders.state`` of a project: its digest."""
    return {"digest": projects.get(conn, request.number("projectId"))["digest"]}


def list_items(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.folders.items`` of a project: ``[id, dataset, name, mark]`` each, a page at a time."""
    project_id = projects.get(conn, request.number("projectId"))["id"]
    query = select(table).where(table.c.project_id == project_id, table.c.id > (request.optional_number("after") or 0))
    found = conn.execute(query.order_by(table.c.id).limit(PAGE)).mappings().all()
    told = [[row["id"], row["dataset_id"], row["name"], mark(row)] for row in found]
    return {"items": told, "after": found[-1]["id"] if len(found) == PAGE else None}


def _answer(conn: Connection, edit: ProjectEdit, **more: Any) -> dict[str, Any]:
    """What a change answers with, when it is complete."""
    return {
        "before": edit.project["digest"],
        "after": projects.get(conn, edit.project["id"])["digest"],
        **more,
    }


# -- classes, tags and datasets


def shape(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.folders.shape``: classes and tags are added to a project's or put in place of those of their name;
    datasets are made that it has not, by their paths, and those they stand in. Answers their numbers, in order.
    """
    with edit_project(conn, request.number("projectId")) as edit:
        _add_meta(edit, RequestParser(request.mapping("meta"), "meta."))
        paths = [tuple(_names(request, path)) for path in request.array("datasets")]
        known = _paths(conn, edit.project["id"])
        numbers = [_dataset(edit, known, path) for path in paths]
    return _answer(conn, edit, datasets=numbers)


def _names(request: RequestParser, path: Any) -> list[str]:
    names = RequestParser({"path": path}, f"{request.path}datasets.").array("path", max_items=limits.DATASET_DEPTH)
    if not names:
        raise Invalid('"datasets" must be lists of names that are not blank')
    return [RequestParser({"name": name}, f"{request.path}datasets[].").text("name") for name in names]


def _add_meta(edit: ProjectEdit, sent: RequestParser) -> None:
    known = projects.meta(edit.conn, edit.project["id"])
    wanted: dict[str, Any] = {}
    for kind, name in (("classes", "title"), ("tags", "name")):
        told = {one.text(name): one.fields for one in sent.objects(kind, required=False)}
        kept = [{**one, **told.pop(one[name], {}), "id": one["id"]} for one in known[kind]]
        wanted[kind] = kept + [{key: value for key, value in one.items() if key != "id"} for one in told.values()]
    document = merged(edit.conn, known, RequestParser(wanted))
    if document != known:
        projects.set_meta(edit, document)


def _paths(conn: Connection, project_id: int) -> dict[tuple[str, ...], int]:
    """The datasets of a project by the names on the way to them."""
    query = select(dataset_table.c.id, dataset_table.c.parent_id, dataset_table.c.name)
    found = {row.id: row for row in conn.execute(query.where(dataset_table.c.project_id == project_id))}

    paths: dict[int | None, tuple[str, ...]] = {None: ()}
    for number in datasets.in_tree_order(conn, project_id):
        paths[number] = (*paths[found[number].parent_id], found[number].name)
    return {path: number for number, path in paths.items() if number is not None}


def _dataset(edit: ProjectEdit, known: dict[tuple[str, ...], int], path: tuple[str, ...]) -> int:
    parent = None
    for depth in range(1, len(path) + 1):
        part = path[:depth]
        if part not in known:
            known[part] = datasets.add(edit, part[-1], parent, "", "{}")
        parent = known[part]
    assert parent is not None
    return parent


# -- images


def look(context: OperationContext, request: RequestParser) -> dict[str, Any]:
    """``autoflow.folders.look``: ``[width, height]`` of kept images by their hashes, and of files by their links."""
    links = _links(context, request.array("links", required=False))
    with context.store.read() as conn:
        kept = blobs.find(
            conn, [RequestParser({"hash": one}).text("hash") for one in request.array("hashes", required=False)]
        )
    sizes = {name: [row["width"], row["height"]] for name, row in kept.items()}
    return {"sizes": {**sizes, **{link: [told["width"], told["height"]] for link, told in links.items()}}}


def _links(context: OperationContext, wanted: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """What the files of links are, as columns.

    Raises:
        Invalid: asked for over a server, or no image.
    """
    if not wanted:
        return {}
    with context.store.read() as conn:
        if caller(conn).site:
            raise Invalid("files are taken by reference by the server on their own machine only, not over a server")
    found: dict[str, dict[str, Any]] = {}
    for link in wanted:
        path = external_files.path_of(RequestParser({"link": link}).long_text("link"))
        picture = thumbnails.read_image_info(path) if path is not None else None
        if path is None or picture is None:
            raise Invalid(f"{link} is no image that can be read")
        found[link] = {"size": os.path.getsize(path), **picture._asdict()}
    return found


def put(context: OperationContext, request: RequestParser) -> dict[str, Any]:
    """``autoflow.folders.put``: images of a dataset by name, made or brought to what is sent, all of them or none.

    Each has a ``hash`` (and a ``link``, when by reference), and may have an ``annotation`` and a ``meta``, without
    which it keeps what it has. Answers ``[id, mark]`` each, in order.
    """
    wanted = list(request.objects("images"))
    links = _links(context, [one.long_text("link") for one in wanted if one.has("link")])
    with context.store.write() as conn:
        dataset = datasets.get(conn, request.number("datasetId"))
        with edit_project(conn, dataset["project_id"]) as edit:
            told = _put(edit, dataset, wanted, links)
        return _answer(conn, edit, images=told)


def _put(
    edit: ProjectEdit, dataset: RowMapping, wanted: Sequence[RequestParser], links: Mapping[str, Mapping[str, Any]]
) -> list[list[Any]]:
    conn = edit.conn
    names = [one.text("name") for one in wanted]
    if len(set(names)) < len(names):
        raise Invalid('"images" has a name twice')
    there = _named(conn, dataset["id"], names)
    kept = blobs.acquire(conn, [one.text("hash") for one in wanted if not one.has("link")])
    meta = Meta.of(conn, edit.project["id"])
    made: dict[str, dict[str, Any]] = {}
    changed: list[tuple[RowMapping, dict[str, Any]]] = []
    texts: dict[str, bytes] = {}
    told: dict[str, tuple[int, str]] = {}
    labels = [
        _labels(one, meta, there[name]["tags"] if name in there else "[]", texts)
        for one, name in zip(wanted, names, strict=True)
    ]
    number_new(conn, [values["tags"] for values in labels if "tags" in values])
    for one, name, labeled in zip(wanted, names, labels, strict=True):
        row = there.get(name)
        values = {**_content(one, kept, links), **labeled}
        if "tags" in values:
            values["tags"] = json_codec.dump(values["tags"])
        if row is None:
            made[name] = {**_FRESH, **values, "name": name}
            continue
        if any(row[column] != value for column, value in values.items()):
            changed.append((row, {**values, "updated_at": timestamps.now()}))
        told[name] = (row["id"], mark({**row, **values}))
    items.save_encoded_documents(conn, texts)
    edit.update_many(table, changed)
    numbers = items.add_many(edit, dataset["id"], list(made.values())) if made else []
    for (name, values), number in zip(made.items(), numbers, strict=True):
        told[name] = (number, mark(values))
    return [list(told[name]) for name in names]


def _named(conn: Connection, dataset_id: int, names: Sequence[str]) -> dict[str, RowMapping]:
    found: dict[str, RowMapping] = {}
    for part in chunks(names):
        query = select(table).where(table.c.dataset_id == dataset_id, table.c.name.in_(part))
        found.update((row["name"], row) for row in conn.execute(query).mappings())
    return found


def _content(
    one: RequestParser, kept: Mapping[str, RowMapping], links: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    name = one.text("hash")
    if one.has("link"):
        link = one.long_text("link")
        return {"hash": name, "link": link, **{column: links[link][column] for column in _BYTES}}
    if name not in kept:
        raise Invalid(f'"{one.path}hash": {name} has not been uploaded')
    return {"hash": name, "link": None, **{column: kept[name][column] for column in _BYTES}}


def _labels(one: RequestParser, meta: Meta, tags: str, texts: dict[str, bytes]) -> dict[str, Any]:
    """An image's annotation and meta as columns, but its tags as a list.

    Objects are numbered in their order; `texts` gets the JSON.
    """
    values: dict[str, Any] = {}
    if one.has("meta"):
        values["meta"] = json_codec.dump(one.mapping("meta"), canonical=True)
    if not one.has("annotation"):
        return values
    sent = RequestParser(one.mapping("annotation"), f"{one.path}annotation.")
    objects = [
        stored_object(entry, meta) for entry in sent.objects("objects", required=False, max_items=limits.FIGURES)
    ]
    if len(objects) >= FIGURES:
        raise Invalid(f'"{sent.path}objects": there are {len(objects)}; {FIGURES - 1} are the most')
    document = {key: value for key, value in sent.fields.items() if key not in {"tags", "objects"}}
    document["objects"] = [{**entry, "id": place} for place, entry in enumerate(objects, 1)]
    name = None
    if document != {"objects": []}:
        name, text = items.encode_document(document)
        texts[name] = text
    wanted = [meta.tag(tag) for tag in sent.objects("tags", required=False)]
    return {
        **values,
        "annotation": name,
        "labels": len(objects),
        "tags": assigned(json_codec.load(tags), wanted),
    }


def remove(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.folders.remove``: images and datasets of a project by their numbers; those that are gone are no
    error.
    """
    with edit_project(conn, request.number("projectId")) as edit:
        for part in chunks(request.unique_numbers("images")):
            query = select(table).where(table.c.project_id == edit.project["id"], table.c.id.in_(part))
            edit.delete_many(table, conn.execute(query).mappings().all())
        for part in chunks(request.unique_numbers("datasets")):
            query = select(dataset_table.c.id).where(dataset_table.c.id.in_(part))
            mine = query.where(dataset_table.c.project_id == edit.project["id"])
            datasets.remove(edit, conn.execute(mine).scalars().all())
    return _answer(conn, edit)


READS: Mapping[str, Operation] = {methods.FOLDER_STATE: state, methods.FOLDER_ITEMS: list_items}
WRITES: Mapping[str, Operation] = {methods.FOLDER_SHAPE: shape, methods.FOLDER_REMOVE: remove}
BATCHES: Mapping[str, Batch] = {methods.FOLDER_LOOK: look, methods.FOLDER_PUT: put}
