"""What a trace tells of runs and data beyond their cards: facts, contents, places; one query a few hundred."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from autoflow.model.entity import EntityRef
from autoflow.server.db import files as file_store
from autoflow.server.db import jobs, json_codec, tasks
from autoflow.server.db.access import visible
from autoflow.server.db.schema import datasets, edges, files, projects, versions
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.lineage.card_fields import plain_name
from autoflow.server.lineage.walk import entity_of
from autoflow.server.paging import chunks

MOST = 200  # inputs, and outputs, of one run

_WORDS = {"project_version": "version", "model_weight": "file", "app_session": "session"}


def reference(ref: EntityRef) -> str:
    """What a person names an entity by."""
    own = str(ref.id) if ref.type == "folder" else f"{_WORDS.get(ref.type, ref.type)}:{ref.id}"
    return f"{own}@{ref.origin}" if ref.origin else own


def runs(conn: Connection, numbers: Mapping[str, int]) -> tuple[dict[str, dict[str, Any]], list[EntityRef]]:
    """The runs of tasks, and all they read and wrote.

    Args:
        conn: the transaction.
        numbers: the tasks' ids by their cards' keys.
    """
    keys = {number: key for key, number in numbers.items()}
    told: dict[str, dict[str, Any]] = {}
    logins = jobs.logins(conn)
    last_seen = tasks.last_records(conn, keys)
    for part in chunks(list(keys)):
        for row in conn.execute(tasks.listing(conn).where(task_table.c.id.in_(part))).mappings():
            told[keys[row["id"]]] = {
                "ref": reference(EntityRef(row["origin"], "task", row["number"])),
                "task": row["id"],
                "name": row["app_name"] or row["name"],
                "state": row["state"],
                "error": row["error"],
                "startedAt": row["started_at"],
                "finishedAt": row["finished_at"],
                "createdBy": logins.get(row["created_by"]),
                "seenAt": last_seen.get(row["id"]),
                "workspaceId": row["workspace_id"],
                "teamId": row["team_id"],
                "facts": json_codec.load(row["facts"]),
                "inputs": [],
                "outputs": [],
            }
    seen: dict[str, EntityRef] = {}
    place = func.row_number().over(partition_by=(edges.c.task_id, edges.c.direction), order_by=edges.c.id)
    for part in chunks([number for number, key in keys.items() if key in told]):
        query = select(edges, place.label("place")).where(edges.c.task_id.in_(part), visible(conn, edges)).subquery()
        for row in conn.execute(select(query).where(query.c.place <= MOST).order_by(query.c.id)).mappings():
            ref = entity_of(row)
            before = seen.setdefault(ref.key, ref)
            if ref.type == "model_weight":
                seen[ref.key] = before._replace(type="model_weight")
            told[keys[row["task_id"]]][f"{row['direction']}s"].append(ref.key)
    for run in told.values():
        run["inputs"], run["outputs"] = list(dict.fromkeys(run["inputs"])), list(dict.fromkeys(run["outputs"]))
    return told, list(seen.values())


def data(conn: Connection, refs: Iterable[EntityRef]) -> dict[str, dict[str, Any]]:
    """What is known of data, by its card's key."""
    told = {
        ref.key: {
            "ref": reference(ref),
            "type": ref.type,
            "id": ref.id,
            "origin": ref.origin,
            "name": plain_name(ref),
        }
        for ref in refs
    }
    own: dict[str, list[Any]] = {}
    for ref in refs:
        if not ref.origin:
            own.setdefault(ref.key.partition(":")[0], []).append(ref.id)
    for kind, find in (
        ("file", of_files),
        ("project_version", _versions),
        ("project", _projects),
        ("dataset", _datasets),
    ):
        for part in chunks(own.get(kind, [])):
            for number, known in find(conn, part).items():
                told[f"{kind}:{number}"].update(known)
    return told


def sha256(content: str) -> str | None:
    """The wire's base64 of a sha256 as hexadecimal digits; None when it is none."""
    try:
        digest = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest.hex() if len(digest) == 32 else None


def of_files(conn: Connection, numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What is known of files, by number."""
    placed = file_store.revision_numbers(conn, numbers)
    return {
        row.id: {
            "name": row.name,
            "teamId": row.team_id,
            "path": row.path,
            "sha256": sha256(row.hash),
            "size": row.size,
            "current": row.current,
            "number": placed[row.id][0],
            "count": placed[row.id][1],
            "createdAt": row.created_at,
        }
        for row in conn.execute(select(files).where(files.c.id.in_(list(numbers)), visible(conn, files)))
    }


def _versions(conn: Connection, numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
    query = select(versions, projects.c.name.label("project_name"))
    query = query.join_from(versions, projects, versions.c.project_id == projects.c.id)
    return {
        row.id: {
            "name": row.name or row.project_name,
            "title": row.name,
            "projectId": row.project_id,
            "projectName": row.project_name,
            "number": row.number,
            "digest": row.digest,
            "createdAt": row.created_at,
        }
        for row in conn.execute(query.where(versions.c.id.in_(list(numbers)), visible(conn, versions)))
    }


def _projects(conn: Connection, numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
    query = select(projects).where(projects.c.id.in_(list(numbers)), visible(conn, projects))
    return {row.id: {"name": row.name, "digest": row.digest} for row in conn.execute(query)}


def _datasets(conn: Connection, numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
    query = select(datasets).where(datasets.c.id.in_(list(numbers)), visible(conn, datasets))
    return {row.id: {"name": row.name, "projectId": row.project_id} for row in conn.execute(query)}


_FOUND: Mapping[str, Callable[[Connection, Iterable[int]], dict[int, dict[str, Any]]]] = {
    "file": of_files,
    "project_version": _versions,
    "project": _projects,
    "dataset": _datasets,
}
