"""Containment among the entities of a graph, by the rules of `lineage.upstream` without its times.

A project contains its versions, and the datasets that runs read and none wrote. A project that no run wrote comes from
its datasets that runs wrote. A folder that a run wrote contains the files below it that runs read and none wrote. A
restored project comes from the version that it was restored from.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, and_, cast, exists, literal, or_, select

from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES, Direction, WireType
from autoflow.server.db import json_codec
from autoflow.server.db.access import visible
from autoflow.server.db.schema import datasets, edges, files, projects, teams, versions
from autoflow.server.paging import chunks
from autoflow.server.request_parser import as_number

FOLDERS_OF_QUERY = 50  # each is a range of paths
MANY_FOLDERS = 200  # above, it is first looked whether there are any files

Pair = tuple[EntityRef, EntityRef]  # a source, such as a container, and a target, such as what it contains


def containers(conn: Connection, refs: Sequence[EntityRef]) -> Iterator[Pair]:
    """Yield the pairs whose targets are among these."""
    for chunk in chunks(own_ids(refs, "project_version")):
        yield from _versions(conn, versions.c.id.in_(chunk))
    targets = _of_types(refs, ("dataset", "project", "file"))
    written = written_keys(conn, targets)
    unwritten = [ref for ref in targets if ref.key not in written]
    for chunk in chunks(own_ids(unwritten, "dataset")):
        yield from _datasets(conn, datasets.c.id.in_(chunk))
    for chunk in chunks(own_ids(unwritten, "project")):
        yield from _written_datasets(conn, datasets.c.project_id.in_(chunk))
    for chunk in chunks(own_ids(unwritten, "file")):
        yield from _folders(conn, files.c.id.in_(chunk))
    for chunk in chunks(own_ids(refs, "project")):
        yield from _restorations(conn, projects.c.id.in_(chunk))


def contents(conn: Connection, refs: Sequence[EntityRef]) -> Iterator[Pair]:
    """Yield the pairs whose sources are among these, with the targets that runs used."""
    for chunk in chunks(own_ids(refs, "project")):
        yield from _versions(conn, versions.c.project_id.in_(chunk), _named_by_edge("project_version", versions.c.id))
        yield from _datasets(
            conn,
            datasets.c.project_id.in_(chunk),
            _named_by_edge("dataset", datasets.c.id, "input"),
            ~_named_by_edge("dataset", datasets.c.id, "output"),
        )
    written_datasets = written_keys(conn, _of_types(refs, ("dataset",)))
    for chunk in chunks(own_ids((ref for ref in refs if ref.key in written_datasets), "dataset")):
        yield from _written_datasets(conn, datasets.c.id.in_(chunk), _named_by_edge("project", datasets.c.project_id))
    is_read = and_(_named_by_edge("file", files.c.id), ~_named_by_edge("file", files.c.id, "output"))
    for chunk in _with_files(conn, _of_types(refs, ("folder",)), is_read):
        below = [and_(files.c.path >= f"{folder}/", files.c.path < f"{folder}0") for folder in chunk]  # 0 follows /
        yield from ((folder, file) for folder, file in _folders(conn, or_(*below), is_read) if folder.id in set(chunk))
    restored = set(own_ids(refs, "project_version"))
    if restored:
        yield from ((version, project) for version, project in _restorations(conn) if version.id in restored)


def _of_types(refs: Iterable[EntityRef], card_types: Sequence[WireType]) -> list[EntityRef]:
    """Return this server's entities whose cards are of these types."""
    return [ref for ref in refs if not ref.origin and ENTITY_TYPES[ref.type].card_type in card_types]


def own_ids(refs: Iterable[EntityRef], card_type: WireType) -> list[Any]:
    """Return the ids of this server's entities whose cards are of a type."""
    return [ref.id for ref in refs if ENTITY_TYPES[ref.type].card_type == card_type and not ref.origin]


def written_keys(conn: Connection, refs: Iterable[EntityRef]) -> set[str]:
    """Return the keys of those that any run wrote."""
    written: set[str] = set()
    for chunk in chunks(list({ref.key for ref in refs})):
        query = select(edges.c.entity_key).where(edges.c.direction == "output", edges.c.entity_key.in_(chunk))
        written.update(conn.execute(query.where(visible(conn, edges)).distinct()).scalars())
    return written


def parent_folders(path: str) -> list[EntityRef]:
    """Return the folders that contain a file, the nearest first."""
    folders = []
    while (path := posixpath.dirname(path)) not in {"", "/"}:
        folders.append(EntityRef("", "folder", path))
    return folders


def restored_version(custom_data: str) -> int | None:
    """Return the id of the version that a project with this custom data was restored from, None for others.

    Apps write custom data, too, so that any value is expected there.
    """
    source = json_codec.load(custom_data).get("restored_from")
    return as_number(source.get("version_id")) if isinstance(source, Mapping) else None


def _named_by_edge(
    card_type: WireType, number: ColumnElement[int], direction: Direction | None = None
) -> ColumnElement[bool]:
    """Return the condition that an edge names an entity of this server by its id."""
    card = literal(f"{card_type}:", Text) + cast(number, Text)
    named = select(edges.c.id).where(edges.c.entity_key == card)
    return exists(named if direction is None else named.where(edges.c.direction == direction))


def _with_files(
    conn: Connection, folders: Sequence[EntityRef], is_read: ColumnElement[bool]
) -> Sequence[Sequence[str]]:
    """Return the written ones' paths in parts, a query each; none if they are many and no file could be below them."""
    if len(folders) > MANY_FOLDERS and conn.execute(select(files.c.id).where(is_read).limit(1)).first() is None:
        return []
    written = written_keys(conn, folders)
    return chunks([str(folder.id) for folder in folders if folder.key in written], FOLDERS_OF_QUERY)


def _versions(conn: Connection, *conditions: ColumnElement[bool]) -> Iterator[Pair]:
    query = select(versions.c.id, versions.c.project_id).where(*conditions, visible(conn, versions))
    for row in conn.execute(query.order_by(versions.c.id)):
        yield EntityRef("", "project", row.project_id), EntityRef("", "project_version", row.id)


def _datasets(conn: Connection, *conditions: ColumnElement[bool]) -> Iterator[Pair]:
    query = select(datasets.c.id, datasets.c.project_id).where(*conditions, visible(conn, datasets))
    for row in conn.execute(query.order_by(datasets.c.id)):
        yield EntityRef("", "project", row.project_id), EntityRef("", "dataset", row.id)


def _written_datasets(conn: Connection, *conditions: ColumnElement[bool]) -> Iterator[Pair]:
    """Yield the datasets that runs wrote with their projects that no run wrote."""
    is_written = _named_by_edge("dataset", datasets.c.id, "output")
    is_made_of_it = ~_named_by_edge("project", datasets.c.project_id, "output")
    yield from ((dataset, project) for project, dataset in _datasets(conn, *conditions, is_written, is_made_of_it))


def _folders(conn: Connection, *conditions: ColumnElement[bool]) -> Iterator[Pair]:
    """Yield for files the nearest folder that a run wrote."""
    team_ids = select(teams.c.id).where(visible(conn, teams))
    query = select(files.c.id, files.c.path).where(files.c.team_id.in_(team_ids), *conditions)
    parents = {row.id: parent_folders(row.path) for row in conn.execute(query.order_by(files.c.id))}
    written = written_keys(conn, (folder for folders in parents.values() for folder in folders))
    for file_id, folders in parents.items():
        nearest = next((folder for folder in folders if folder.key in written), None)
        if nearest is not None:
            yield nearest, EntityRef("", "file", file_id)


def _restorations(conn: Connection, *conditions: ColumnElement[bool]) -> Iterator[Pair]:
    """Yield versions with the projects that were restored from them."""
    query = select(projects.c.id, projects.c.custom_data).where(visible(conn, projects), *conditions)
    origins = {
        row.id: version_id
        for row in conn.execute(query.where(projects.c.custom_data.contains('"restored_from"')).order_by(projects.c.id))
        if (version_id := restored_version(row.custom_data)) is not None
    }
    existing: set[int] = set()
    for chunk in chunks(sorted(set(origins.values()))):
        readable = select(versions.c.id).where(versions.c.id.in_(chunk), visible(conn, versions))
        existing.update(conn.execute(readable).scalars())
    for project_id, version_id in origins.items():
        if version_id in existing:
            yield EntityRef("", "project_version", version_id), EntityRef("", "project", project_id)
