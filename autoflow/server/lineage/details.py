"""Descriptions of runs and data for a trace, beyond their cards: facts, contents, paths, versions of a file."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.model.graph_json import DataDetails, DataJson, FileJson, RunJson
from autoflow.model.local_file import local_file
from autoflow.server.db import files as file_store
from autoflow.server.db import jobs, json_codec, models, tasks
from autoflow.server.db.access import visible
from autoflow.server.db.json_rows import among
from autoflow.server.db.schema import datasets, edges, files, projects, versions
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.lineage.model_cards import is_file
from autoflow.server.lineage.walk import entity_of
from autoflow.server.paging import chunks

MAX_EDGES = 200  # inputs of one run, and outputs


def describe_runs(conn: Connection, task_ids: Mapping[str, int]) -> tuple[dict[str, RunJson], list[EntityRef]]:
    """Describe the runs of tasks, and return the entities that they read and wrote.

    Args:
        conn: the transaction.
        task_ids: the tasks' ids by their cards' keys.
    """
    keys = {task_id: key for key, task_id in task_ids.items()}
    runs: dict[str, RunJson] = {}
    logins = jobs.logins(conn)
    last_seen = tasks.last_records(conn, keys)
    for chunk in chunks(list(keys)):
        for row in conn.execute(tasks.listing(conn).where(task_table.c.id.in_(chunk))).mappings():
            runs[keys[row["id"]]] = {
                "ref": EntityRef(row["origin"], "task", row["number"]).reference,
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
    touched: dict[str, EntityRef] = {}
    rank = func.row_number().over(partition_by=(edges.c.task_id, edges.c.direction), order_by=edges.c.id)
    for chunk in chunks([task_id for task_id, key in keys.items() if key in runs]):
        ranked = select(edges, rank.label("rank")).where(edges.c.task_id.in_(chunk), visible(conn, edges)).subquery()
        for row in conn.execute(select(ranked).where(ranked.c.rank <= MAX_EDGES).order_by(ranked.c.id)).mappings():
            ref = entity_of(row)
            known = touched.setdefault(ref.key, ref)
            if ENTITY_TYPES[ref.type].is_specialized:
                touched[ref.key] = known._replace(type=ref.type)
            run = runs[keys[row["task_id"]]]
            (run["inputs"] if row["direction"] == "input" else run["outputs"]).append(ref.key)
    for run in runs.values():
        run["inputs"], run["outputs"] = list(dict.fromkeys(run["inputs"])), list(dict.fromkeys(run["outputs"]))
    return runs, list(touched.values())


def describe_data(conn: Connection, refs: Sequence[EntityRef]) -> dict[str, DataJson]:
    """Describe data entities, by their cards' keys."""
    descriptions: dict[str, DataJson] = {
        ref.key: {
            "ref": ref.reference,
            "type": ref.type,
            "id": ref.id,
            "origin": ref.origin,
            "name": ref.default_name,
        }
        for ref in refs
    }
    own: dict[str, list[Any]] = {}
    for ref in refs:
        if (file := local_file(ref)) is not None:
            local: DataDetails = {"name": file.name, "path": file.path, "sha256": file.sha256, "size": file.size}
            descriptions[ref.key].update(local)
        if not ref.origin:
            own.setdefault(ref.key.partition(":")[0], []).append(ref.id)
    for kind, describe in (
        ("file", _files),
        ("project_version", _versions),
        ("project", _projects),
        ("dataset", _datasets),
    ):
        for chunk in chunks(own.get(kind, [])):
            for ident, description in describe(conn, chunk).items():
                descriptions[f"{kind}:{ident}"].update(description)
    named = models.named_versions(conn, [ref.key for ref in refs if is_file(ref)])
    for key, entries in named.items():
        descriptions[key]["models"] = [models.names_of([entry]) for entry in entries]
    return descriptions


def hex_sha256(content: str) -> str | None:
    """Return the wire's base64 of a sha256 as hexadecimal digits, None when it is malformed."""
    try:
        digest = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest.hex() if len(digest) == 32 else None


def describe_files(conn: Connection, file_ids: Iterable[int]) -> dict[int, FileJson]:
    """Describe files, by id."""
    positions = file_store.revision_numbers(conn, file_ids)
    return {
        row.id: {
            "name": row.name,
            "teamId": row.team_id,
            "path": row.path,
            "sha256": hex_sha256(row.hash),
            "size": row.size,
            "current": row.current,
            "number": positions[row.id][0],
            "count": positions[row.id][1],
            "createdAt": row.created_at,
        }
        for row in conn.execute(select(files).where(among(conn, files.c.id, file_ids), visible(conn, files)))
    }


def _files(conn: Connection, file_ids: Iterable[int]) -> dict[int, DataDetails]:
    return {
        file_id: {
            "name": file["name"],
            "teamId": file["teamId"],
            "path": file["path"],
            "sha256": file["sha256"],
            "size": file["size"],
            "current": file["current"],
            "number": file["number"],
            "count": file["count"],
            "createdAt": file["createdAt"],
        }
        for file_id, file in describe_files(conn, file_ids).items()
    }


def _versions(conn: Connection, version_ids: Iterable[int]) -> dict[int, DataDetails]:
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
        for row in conn.execute(query.where(versions.c.id.in_(list(version_ids)), visible(conn, versions)))
    }


def _projects(conn: Connection, project_ids: Iterable[int]) -> dict[int, DataDetails]:
    query = select(projects).where(projects.c.id.in_(list(project_ids)), visible(conn, projects))
    return {row.id: {"name": row.name, "digest": row.digest} for row in conn.execute(query)}


def _datasets(conn: Connection, dataset_ids: Iterable[int]) -> dict[int, DataDetails]:
    query = select(datasets).where(datasets.c.id.in_(list(dataset_ids)), visible(conn, datasets))
    return {row.id: {"name": row.name, "projectId": row.project_id} for row in conn.execute(query)}
