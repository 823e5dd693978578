"""Fields of cards that the store holds: name, title, link, time; one query an entity type and a few hundred cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from autoflow.graph.graph import CardOptions, Link
from autoflow.model.changed_version import doubts
from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES, WireType
from autoflow.model.local_file import local_file
from autoflow.server.db import files as file_store
from autoflow.server.db import jobs as jobs_store
from autoflow.server.db import json_codec, tasks
from autoflow.server.db.access import visible
from autoflow.server.db.json_rows import among
from autoflow.server.db.schema import datasets, entities, files, items, jobs, projects, versions
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.lineage.card_style import parse_style
from autoflow.server.lineage.run_summaries import summarize_runs
from autoflow.server.lineage.version_changes import summarize_versions
from autoflow.server.paging import chunks

THUMBNAILS = 4  # of a card


def _link(entity_type: WireType, row: Any) -> Link | None:
    """Return where an entity's card leads, from its row."""
    template = ENTITY_TYPES[entity_type].link
    return Link(template.path.format_map(row._mapping), template.title) if template else None


def _project(row: Any) -> CardOptions:
    return {"name": row.name, "link": _link("project", row), "at": row.created_at}


def _dataset(row: Any) -> CardOptions:
    return {"name": row.name, "link": _link("dataset", row), "at": row.created_at}


def _version(row: Any) -> CardOptions:
    name = row.name or row.project_name
    comment = row.name or row.description or row.project_name
    return {
        "name": name,
        "title": f"(V{row.number}) {comment}" + (", deleted" if row.status == "deleted" else ""),
        "description": (row.description if row.name else None) or None,
        "badge": f"V{row.number}",
        "parent": EntityRef("", "project", row.project_id).key,
        "link": _link("project_version", row),
        "at": row.created_at,
    }


def _file(row: Any) -> CardOptions:
    return {
        "name": row.name,
        "description": row.path,
        "size": row.size,
        "link": _link("file", row),
        "at": row.created_at,
    }


def _job(row: Any) -> CardOptions:
    return {
        "name": row.name,
        "description": row.description or None,
        "link": _link("job", row),
        "at": row.created_at,
    }


def _versions() -> Select[Any]:
    query = select(versions, projects.c.name.label("project_name"))
    return query.join_from(versions, projects, versions.c.project_id == projects.c.id)


# By entity type: the query for its rows, their id, and the fields of a row's card.
_TYPES: Mapping[str, tuple[Callable[[], Select[Any]], Any, Callable[[Any], CardOptions]]] = {
    "project": (lambda: select(projects), projects.c.id, _project),
    "dataset": (lambda: select(datasets), datasets.c.id, _dataset),
    "project_version": (_versions, versions.c.id, _version),
    "file": (lambda: select(files), files.c.id, _file),
    "job": (lambda: select(jobs), jobs.c.id, _job),
}


def _describe_tasks(
    conn: Connection, task_keys: Mapping[int, str], refs: Mapping[str, EntityRef], with_summaries: bool
) -> dict[str, CardOptions]:
    """Describe tasks and, by their task's name, sessions; `task_keys` are the cards' keys by task id."""
    fields: dict[str, CardOptions] = {}
    authors = jobs_store.logins(conn)
    last_records = tasks.last_records(conn, task_keys)
    for chunk in chunks(list(task_keys)):
        rows = conn.execute(tasks.listing(conn).where(among(conn, task_table.c.id, chunk))).all()
        times = {row.id: (row.started_at, row.finished_at) for row in rows}
        summaries = summarize_runs(conn, chunk, times) if with_summaries else {}
        for row in rows:
            facts = json_codec.load(row.facts)
            name = row.app_name or row.name or f"Task {row.number}"
            fields[task_keys[row.id]] = {
                "name": name,
                "state": row.state,
                "summary": summaries.get(row.id),
                "seen": _minute(last_records.get(row.id)),
                "unattributed": bool(facts.get("unattributed")),
                "link": _link("task", row),
                "at": row.started_at or row.created_at,
                "author": authors.get(row.created_by),
                **_with_doubts(parse_style(json_codec.load(row.card_settings)), facts),
            }
            session = EntityRef(row.origin, "app_session", row.number)
            if session.key in refs:
                link = _link("app_session", row)
                fields[session.key] = {"name": name, "link": link, "at": row.created_at}
    return fields


def _with_doubts(style: CardOptions, facts: Mapping[str, Any]) -> CardOptions:
    """Return the style of a run's card, with the doubts about its data in the description."""
    sentences = [*filter(None, [style.get("description")]), *doubts(facts)]
    return {**style, "description": "; ".join(sentences)} if sentences else style


def _minute(timestamp: str | None) -> str | None:
    """Return a timestamp cut to its minute, so that not every record changes the graph's digest."""
    return f"{timestamp[:16]}Z" if timestamp else None


def _foreign_names(conn: Connection, refs: Sequence[EntityRef]) -> dict[str, CardOptions]:
    """Return the names that records stated for other servers' entities, and what the ids of local files say."""
    fields: dict[str, CardOptions] = {
        ref.key: {"name": file.name, "description": f"{file.path} on {file.host}", "size": file.size}
        for ref in refs
        if (file := local_file(ref)) is not None
    }
    for chunk in chunks(sorted({str(ref.id) for ref in refs})):
        for row in conn.execute(
            select(entities).where(entities.c.entity.in_(chunk), entities.c.name != "", visible(conn, entities))
        ):
            fields.setdefault(EntityRef(row.origin, row.type, row.entity).key, {"name": row.name})
    return fields


def describe_cards(
    conn: Connection, refs: Iterable[EntityRef], task_keys: Mapping[int, str], *, with_summaries: bool = True
) -> dict[str, CardOptions]:
    """Return members of `graph.Card` by card key, without the entities that are unknown here.

    Args:
        conn: the transaction.
        refs: the entities.
        task_keys: keys of the tasks' cards by the tasks' ids.
        with_summaries: whether runs and versions have summaries, which take as long as all else.
    """
    by_key = {ref.key: ref for ref in refs}
    fields = _foreign_names(conn, [ref for ref in by_key.values() if ref.origin])
    ids_by_type: dict[str, list[Any]] = {}
    for ref in by_key.values():
        if not ref.origin:
            ids_by_type.setdefault(ENTITY_TYPES[ref.type].card_type, []).append(ref.id)
    logins = jobs_store.logins(conn)
    for entity_type, (query, id_column, describe) in _TYPES.items():
        for chunk in chunks(ids_by_type.get(entity_type, [])):
            for row in conn.execute(query().where(among(conn, id_column, chunk), visible(conn, id_column.table))):
                author = row.user_id if entity_type == "file" else row.created_by
                fields[f"{entity_type}:{row.id}"] = {**describe(row), "author": logins.get(author)}
    for key, (preview, *others) in _thumbnails(conn, by_key, fields):
        fields[key].update({"preview": preview, "collage": tuple(others)})
    summarized_versions = ids_by_type.get("project_version", []) if with_summaries else []
    for version_id, summary in summarize_versions(conn, summarized_versions).items():
        if version := fields.get(f"project_version:{version_id}"):
            version["summary"] = summary
    for chunk in chunks(ids_by_type.get("file", [])):
        for file_id, (position, count) in file_store.revision_numbers(conn, chunk).items():
            if count > 1:
                fields[f"file:{file_id}"]["badge"] = f"V{position}"
    return {**fields, **_describe_tasks(conn, task_keys, by_key, with_summaries)}


def _thumbnails(
    conn: Connection, refs: Mapping[str, EntityRef], fields: Mapping[str, CardOptions]
) -> Iterator[tuple[str, list[str]]]:
    """Yield card keys with the thumbnails' URLs of the first images of the card's project or dataset."""
    owners: dict[tuple[str, Any], list[str]] = {}
    for key in fields:
        ref = refs.get(key)
        if ref is not None and not ref.origin and ENTITY_TYPES[ref.type].previews:
            parent = fields[key].get("parent")  # of a version, its project
            owner = ("project", int(parent.partition(":")[2])) if parent is not None else ref[1:]
            owners.setdefault(owner, []).append(key)
    first_images: dict[tuple[str, Any], list[int]] = {}
    for kind, table, owner_column, order_column in (
        ("project", projects, items.c.project_id, items.c.id),
        ("dataset", datasets, items.c.dataset_id, items.c.name),
    ):
        # The index of both columns answers it: a few look-ups an owner, however many images the owner has.
        image = select(items.c.id).where(owner_column == table.c.id).order_by(owner_column, order_column).limit(1)
        images = [image.offset(n).correlate(table).scalar_subquery() for n in range(THUMBNAILS)]
        for chunk in chunks([owner_id for owner_type, owner_id in owners if owner_type == kind]):
            for owner_id, *image_ids in conn.execute(select(table.c.id, *images).where(table.c.id.in_(chunk))):
                first_images[kind, owner_id] = [image_id for image_id in image_ids if image_id is not None]
    stored: set[int] = set()  # images whose bytes are here, not behind a link, and of a known type
    for chunk in chunks([image_id for image_ids in first_images.values() for image_id in image_ids]):
        query = select(items.c.id).where(items.c.id.in_(chunk), items.c.hash.is_not(None), items.c.mime.is_not(None))
        stored.update(conn.execute(query).scalars())
    for imaged, image_ids in first_images.items():
        urls = [f"/storage/previews/{image_id}" for image_id in image_ids if image_id in stored]
        if urls:
            yield from ((key, urls) for key in owners[imaged])
