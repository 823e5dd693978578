"""Projects, runs and versions that are removed for good, with all rows that belong to them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    insert,
    literal,
    select,
    update,
)

from autoflow.server.db import copies, webhooks
from autoflow.server.db.app_tables import collection_items, collections, removed_datasets, task_data
from autoflow.server.db.erasure_tables import erasure_targets
from autoflow.server.db.labeling_tables import issue_comments, issues, labeling_queues
from autoflow.server.db.model_tables import model_versions
from autoflow.server.db.schema import (
    blobs,
    datasets,
    datasets_history,
    edges,
    files,
    items,
    items_history,
    jobs,
    logs,
    project_meta,
    project_meta_history,
    projects,
    run_values,
    runs,
    task_facts,
    task_numbers,
    tasks,
    tokens,
    versions,
)
from autoflow.server.db.webhook_tables import webhook_deliveries
from autoflow.server.maintenance.erasure import run_code
from autoflow.server.maintenance.erasure.targets import ARCHIVE, DOCUMENT, SPARE
from autoflow.server.versions.versions import update_last_version_epoch

BATCH = 2000  # rows of a transaction


def begin_project(conn: Connection, erasure_id: int, project_id: int) -> None:
    """Hide a project from everybody, so that no version sees its rows; journal what only it may use."""
    hidden = {"state": "removed", "lease_until": None, "last_version_epoch": 0, "name": f"erased {project_id}"}
    emptied = {"description": "", "readme": "", "custom_data": "{}", "settings": "{}", "import_settings": "{}"}
    conn.execute(update(projects).where(projects.c.id == project_id).values(**hidden, **emptied, backup_archive="{}"))
    for table in (items, items_history):
        of_project = table.c.project_id == project_id
        hashes = select(blobs.c.hash).join(table, table.c.blob_id == blobs.c.id).where(of_project)
        _journal(conn, erasure_id, SPARE, hashes)
        _journal(
            conn,
            erasure_id,
            DOCUMENT,
            select(cast(table.c.document_id, Text)).where(of_project, table.c.document_id.is_not(None)),
        )
    own = and_(versions.c.project_id == project_id, versions.c.team_file_id.is_not(None))
    _journal(conn, erasure_id, ARCHIVE, select(cast(versions.c.team_file_id, Text)).where(own))
    archived = select(files.c.hash).join(versions, versions.c.team_file_id == files.c.id).where(own)
    _journal(conn, erasure_id, SPARE, archived)
    conn.execute(
        update(versions).where(versions.c.project_id == project_id).values(team_file_id=None, preview_project_id=None)
    )
    conn.execute(update(versions).where(versions.c.preview_project_id == project_id).values(preview_project_id=None))


def _journal(conn: Connection, erasure_id: int, kind: str, values: Any) -> None:
    value = values.distinct().subquery()
    column = next(iter(value.c))
    known = select(erasure_targets.c.value).where(
        erasure_targets.c.erasure_id == erasure_id, erasure_targets.c.kind == kind, erasure_targets.c.value == column
    )
    query = select(literal(erasure_id), literal(kind), column).where(~known.exists())
    conn.execute(insert(erasure_targets).from_select(["erasure_id", "kind", "value"], query))


def remove_project(conn: Connection, project_id: int) -> bool:
    """Delete the next rows of a project; return whether none is left, its own included."""
    of_project = collection_items.c.collection_id.in_(
        select(collections.c.id).where(collections.c.project_id == project_id)
    )
    for kind, table in ((copies.DATASET, datasets), (copies.VERSION, versions)):
        query = select(table.c.id).where(table.c.project_id == project_id)
        copies.forget(conn, kind, list(conn.execute(query).scalars()))
    copies.forget(conn, copies.PROJECT, [project_id])
    removed = _delete(conn, collection_items, of_project)
    of_issue = issue_comments.c.issue_id.in_(select(issues.c.id).where(issues.c.project_id == project_id))
    removed += _delete(conn, issue_comments, of_issue)
    for table in (
        removed_datasets,
        collections,
        issues,
        labeling_queues,
        jobs,
        items,
        items_history,
        datasets_history,
        project_meta,
        project_meta_history,
    ):
        if removed >= BATCH:
            return False
        removed += _delete(conn, table, table.c.project_id == project_id)
    inner = datasets.alias("inner")
    is_leaf = ~select(inner.c.id).where(inner.c.parent_id == datasets.c.id).correlate(datasets).exists()
    while removed < BATCH and (part := _delete(conn, datasets, and_(datasets.c.project_id == project_id, is_leaf))):
        removed += part
    if removed >= BATCH:
        return False
    _delete_events(conn, webhooks.VERSION_CREATED, f'"projectId":{project_id},')
    conn.execute(delete(versions).where(versions.c.project_id == project_id))
    conn.execute(delete(projects).where(projects.c.id == project_id))
    return True


def remove_task(conn: Connection, task_id: int) -> bool:
    """Delete the next rows of a run; return whether none is left. What it wrote stays."""
    run_code.delete_pieces(conn, task_id)  # first: afterwards no facts name them
    removed = 0
    for table in (logs, task_facts, run_values, task_data, edges, runs, task_numbers, tokens):
        if removed >= BATCH:
            return False
        removed += _delete(conn, table, table.c.task_id == task_id)
    if removed >= BATCH:
        return False
    conn.execute(update(model_versions).where(model_versions.c.task_id == task_id).values(task_id=None))
    _delete_events(conn, webhooks.RUN_FAILED, f'"task":{task_id},')
    copies.forget(conn, copies.TASK, [task_id])
    conn.execute(delete(tasks).where(tasks.c.id == task_id))
    return True


def _delete_events(conn: Connection, action: str, member: str) -> None:
    """Delete the events of webhooks whose JSON has a member."""
    table = webhook_deliveries.c
    conn.execute(delete(webhook_deliveries).where(table.action == action, table.payload.contains(member)))


def delete_logs(conn: Connection, task_id: int, last: int) -> int:
    """Delete the logs of a run up to an id; return how many rows."""
    return conn.execute(delete(logs).where(logs.c.task_id == task_id, logs.c.id <= last)).rowcount


def delete_version(conn: Connection, version_id: int) -> bool:
    """Delete a version, as `versions.remove` does; return whether it was there."""
    row = conn.execute(
        select(versions.c.project_id).where(versions.c.id == version_id, versions.c.status == "committed")
    ).first()
    if row is None:
        return False
    deleted = {"status": "deleted", "team_file_id": None, "preview_project_id": None}
    conn.execute(update(versions).where(versions.c.id == version_id).values(**deleted))
    update_last_version_epoch(conn, row.project_id)
    return True


def _delete(conn: Connection, table: Table, condition: ColumnElement[bool]) -> int:
    """Delete at most `BATCH` of the rows that meet a condition; return how many."""
    key = list(table.primary_key.columns)
    rows = conn.execute(select(*key).where(condition).limit(BATCH)).all()
    if rows:
        names = [f"key_{column.name}" for column in key]
        same = and_(*(column == bindparam(name) for column, name in zip(key, names, strict=True)))
        conn.execute(delete(table).where(same), [dict(zip(names, row, strict=True)) for row in rows])
    return len(rows)
