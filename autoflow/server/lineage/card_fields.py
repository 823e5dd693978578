"""What the store knows of the entities in a graph: name, title, link, time; one query a type and few hundred cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from autoflow.graph.graph import Link
from autoflow.graph.layout.geometry import PICTURED
from autoflow.model.entity import EntityRef
from autoflow.server.db import files as file_store
from autoflow.server.db import jobs as jobs_store
from autoflow.server.db import json_codec, tasks
from autoflow.server.db.access import visible
from autoflow.server.db.schema import datasets, entities, files, items, jobs, projects, versions
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.lineage.card_style import look
from autoflow.server.paging import chunks

PICTURES = 4  # on a card

Facts = dict[str, Any]


def _project(row: Any) -> Facts:
    return {"name": row.name, "link": Link(f"/projects/{row.id}", "Open Project"), "at": row.created_at}


def _dataset(row: Any) -> Facts:
    link = Link(f"/projects/{row.project_id}/datasets/{row.id}", "Open Dataset")
    return {"name": row.name, "link": link, "at": row.created_at}


def _version(row: Any) -> Facts:
    name = row.name or row.project_name
    return {
        "name": name,
        "title": f"(V{row.number}) {name}" + (", deleted" if row.status == "deleted" else ""),
        "description": row.description or None,
        "badge": f"V{row.number}",
        "parent": EntityRef("", "project", row.project_id).key,
        "link": Link(f"/projects/{row.project_id}/versions", "Open Project"),
        "at": row.created_at,
    }


def _file(row: Any) -> Facts:
    return {
        "name": row.name,
        "description": row.path,
        "size": row.size,
        "link": Link(f"/files/{row.id}/true", "Open Folder"),
        "at": row.created_at,
    }


def _job(row: Any) -> Facts:
    return {
        "name": row.name,
        "description": row.description or None,
        "link": Link(f"/labeling/jobs/{row.id}", "Open Job"),
        "at": row.created_at,
    }


def _versions() -> Select[Any]:
    query = select(versions, projects.c.name.label("project_name"))
    return query.join_from(versions, projects, versions.c.project_id == projects.c.id)


# By the type of a card: its rows by their id, and what a row tells.
_TOLD: Mapping[str, tuple[Callable[[], Select[Any]], Any, Callable[[Any], Facts]]] = {
    "project": (lambda: select(projects), projects.c.id, _project),
    "dataset": (lambda: select(datasets), datasets.c.id, _dataset),
    "project_version": (_versions, versions.c.id, _version),
    "file": (lambda: select(files), files.c.id, _file),
    "job": (lambda: select(jobs), jobs.c.id, _job),
}
_ALIKE = {"model_weight": "file"}

_WORDS = {
    "project_version": "project version",
    "model_weight": "file",
    "job": "labeling job",
    "app_session": "session of task",
}


def plain_name(ref: EntityRef) -> str:
    """What an entity is called of which nothing is known but its number: ``project 7``; a folder is its path."""
    return str(ref.id) if ref.type == "folder" else f"{_WORDS.get(ref.type, ref.type)} {ref.id}"


def _of_tasks(conn: Connection, numbers: Mapping[int, str], refs: Mapping[str, EntityRef]) -> dict[str, Facts]:
    """Tasks, and by a task's name its sessions; `numbers` gives the card's key of a task's id."""
    told: dict[str, Facts] = {}
    authors = jobs_store.logins(conn)
    seen = tasks.last_records(conn, numbers)
    for part in chunks(list(numbers)):
        for row in conn.execute(tasks.listing(conn).where(task_table.c.id.in_(part))):
            name = row.app_name or row.name or f"Task {row.number}"
            told[numbers[row.id]] = {
                "name": name,
                "state": row.state,
                "seen": _minute(seen.get(row.id)),
                "unattributed": bool(json_codec.load(row.facts).get("unattributed")),
                "link": Link(f"/apps/sessions/{row.number}", "Show Logs"),
                "at": row.started_at or row.created_at,
                "author": authors.get(row.created_by),
                **look(json_codec.load(row.node)),
            }
            session = EntityRef(row.origin, "app_session", row.number)
            if session.key in refs:
                link = Link(f"/apps/sessions/{row.number}", "Show Results")
                told[session.key] = {"name": name, "link": link, "at": row.created_at}
    return told


def _minute(at: str | None) -> str | None:
    """The minute of a time: a graph that is shown is not another one at each record."""
    return f"{at[:16]}Z" if at else None


def _foreign_names(conn: Connection, refs: Sequence[EntityRef]) -> dict[str, Facts]:
    """The names that were told with other servers' entities."""
    told = {}
    for part in chunks(sorted({str(ref.id) for ref in refs})):
        for row in conn.execute(
            select(entities).where(entities.c.entity.in_(part), entities.c.name != "", visible(conn, entities))
        ):
            told[EntityRef(row.origin, row.type, row.entity).key] = {"name": row.name}
    return told


def tell(conn: Connection, refs: Iterable[EntityRef], task_numbers: Mapping[int, str]) -> dict[str, Facts]:
    """What is known of each entity, by its card's key: members of `graph.Card`; nothing for one that is unknown.

    `task_numbers` gives the keys of the tasks' cards by the tasks' ids.
    """
    by_key = {ref.key: ref for ref in refs}
    told = _foreign_names(conn, [ref for ref in by_key.values() if ref.origin])
    grouped: dict[str, list[Any]] = {}
    for ref in by_key.values():
        if not ref.origin:
            grouped.setdefault(_ALIKE.get(ref.type, ref.type), []).append(ref.id)
    logins = jobs_store.logins(conn)
    for entity_type, (query, column, read) in _TOLD.items():
        for part in chunks(grouped.get(entity_type, [])):
            for row in conn.execute(query().where(column.in_(part), visible(conn, column.table))):
                author = row.user_id if entity_type == "file" else row.created_by
                told[f"{entity_type}:{row.id}"] = {**read(row), "author": logins.get(author)}
    for key, (preview, *others) in _pictures(conn, by_key, told):
        told[key].update(preview=preview, collage=tuple(others))
    for part in chunks(grouped.get("file", [])):
        for number, (place, count) in file_store.revision_numbers(conn, part).items():
            if count > 1:
                told[f"file:{number}"]["badge"] = f"V{place}"
    return {**told, **_of_tasks(conn, task_numbers, by_key)}


def _pictures(
    conn: Connection, refs: Mapping[str, EntityRef], told: Mapping[str, Facts]
) -> Iterator[tuple[str, list[str]]]:
    """By card key the addresses of small pictures of the first images that project, version or dataset has."""
    owners: dict[tuple[str, Any], list[str]] = {}
    for key in told:
        ref = refs.get(key)
        if ref is not None and not ref.origin and ref.type in PICTURED:
            owner = (
                ("project", int(told[key]["parent"].partition(":")[2])) if ref.type == "project_version" else ref[1:]
            )
            owners.setdefault(owner, []).append(key)
    first: dict[tuple[str, Any], list[int]] = {}
    for kind, table, column, name in (
        ("project", projects, items.c.project_id, items.c.id),
        ("dataset", datasets, items.c.dataset_id, items.c.name),
    ):
        # by the index of both columns: a few look-ups an owner, however many images it has
        one = select(items.c.id).where(column == table.c.id).order_by(column, name).limit(1)
        each = [one.offset(n).correlate(table).scalar_subquery() for n in range(PICTURES)]
        for part in chunks([number for owner, number in owners if owner == kind]):
            for number, *images in conn.execute(select(table.c.id, *each).where(table.c.id.in_(part))):
                first[kind, number] = [image for image in images if image is not None]
    kept: set[int] = set()
    for part in chunks([image for images in first.values() for image in images]):
        kept.update(conn.execute(select(items.c.id).where(items.c.id.in_(part), items.c.hash.is_not(None))).scalars())
    for shown, images in first.items():
        addresses = [f"/storage/previews/{image}" for image in images if image in kept]
        if addresses:
            yield from ((key, addresses) for key in owners[shown])
