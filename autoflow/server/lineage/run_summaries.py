"""Lines that tell runs of one app apart: what each read and wrote, its result, and how long it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select

from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES, WireType
from autoflow.server.db.access import visible
from autoflow.server.db.json_rows import among
from autoflow.server.db.run_values import RESULT
from autoflow.server.db.schema import datasets, edges, files, projects, run_values, versions
from autoflow.server.lineage.walk import entity_of
from autoflow.server.paging import chunks

# The input and the output that a summary names are of the first of these types that the run has.
_INPUTS = ("project_version", "project", "dataset", "model_weight", "file", "folder", "job", "task")
_OUTPUTS = ("model_weight", "project_version", "project", "dataset", "app_session", "job", "file", "folder", "task")
# Parts of the names of results, the most telling first.
_METRICS = ("map", "iou", "f1", "acc", "auc", "score", "loss")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))

_MainRefs = tuple[EntityRef | None, EntityRef | None]


def summarize_runs(
    conn: Connection, task_ids: Sequence[int], times: Mapping[int, tuple[str | None, str | None]]
) -> dict[int, str]:
    """Return the lines by task id, as ``V5 → best.pt · mAP 0.82 · 8 h``; tasks without anything to say have none.

    Args:
        conn: the transaction.
        task_ids: ids of the tasks.
        times: when each started and finished, in ISO 8601.
    """
    main_refs = _main_refs(conn, task_ids)
    names = _short_names(conn, [ref for pair in main_refs.values() for ref in pair if ref is not None])
    results = _main_results(conn, task_ids)
    lines = {}
    for task_id in task_ids:
        read, written = (names.get(ref.key, "") if ref else "" for ref in main_refs.get(task_id, (None, None)))
        arrow = " → ".join((read, written)) if read and written else f"→ {written}" if written else read
        parts = [arrow, results.get(task_id, ""), _duration(*times.get(task_id, (None, None)))]
        lines[task_id] = " · ".join(part for part in parts if part)
    return {task_id: line for task_id, line in lines.items() if line}


def _main_refs(conn: Connection, task_ids: Sequence[int]) -> dict[int, _MainRefs]:
    """Return the input and the output that each task is known by: the first recorded of the most telling type."""
    best: dict[tuple[int, str], tuple[int, int, EntityRef]] = {}
    for chunk in chunks(task_ids):
        columns = (edges.c.task_id, edges.c.direction, edges.c.origin, edges.c.type, edges.c.entity)
        query = select(*columns, func.min(edges.c.id).label("first")).where(among(conn, edges.c.task_id, chunk))
        for row in conn.execute(query.group_by(*columns)).mappings():
            order = _INPUTS if row["direction"] == "input" else _OUTPUTS
            rank = order.index(row["type"]) if row["type"] in order else len(order)
            side = row["task_id"], row["direction"]
            if side not in best or (rank, row["first"]) < best[side][:2]:
                best[side] = rank, row["first"], entity_of(row)
    refs = {side: ref for side, (_, _, ref) in best.items()}
    return {number: (refs.get((number, "input")), refs.get((number, "output"))) for number in task_ids}


def _short_names(conn: Connection, refs: Sequence[EntityRef]) -> dict[str, str]:
    """Return a short name of each entity by key: ``V5`` of a version, the last part of a path."""
    names: dict[str, str] = {}
    ids: dict[str, list[Any]] = {}
    for ref in {ref.key: ref for ref in refs}.values():
        if ENTITY_TYPES[ref.type].by_path:
            names[ref.key] = str(ref.id).rstrip("/").rpartition("/")[2]
        elif not ref.origin:
            ids.setdefault(ENTITY_TYPES[ref.type].card_type, []).append(ref.id)
    columns: tuple[tuple[WireType, Table, Any], ...] = (
        ("project_version", versions, versions.c.number),
        ("project", projects, projects.c.name),
        ("dataset", datasets, datasets.c.name),
        ("file", files, files.c.name),
    )
    for card_type, table, column in columns:
        for chunk in chunks(ids.get(card_type, [])):
            for row_id, name in conn.execute(
                select(table.c.id, column).where(among(conn, table.c.id, chunk), visible(conn, table))
            ):
                names[EntityRef("", card_type, row_id).key] = f"V{name}" if table is versions else name
    return names


def _main_results(conn: Connection, task_ids: Sequence[int]) -> dict[int, str]:
    """Return the most telling result of each task that has any, as ``mAP 0.82``."""
    best: dict[int, tuple[int, str, float]] = {}
    for chunk in chunks(task_ids):
        query = select(run_values.c.task_id, run_values.c.name, run_values.c.number)
        query = query.where(among(conn, run_values.c.task_id, chunk), run_values.c.name.startswith(RESULT))
        for task_id, name, number in conn.execute(query.where(run_values.c.number.is_not(None))):
            short = name.removeprefix(RESULT)
            metric = next((rank for rank, part in enumerate(_METRICS) if part in short.lower()), len(_METRICS))
            if task_id not in best or (metric, short) < best[task_id][:2]:
                best[task_id] = metric, short, number
    return {task_id: f"{name} {number:.3g}" for task_id, (_, name, number) in best.items()}


def _duration(started: str | None, finished: str | None) -> str:
    """Return the time between two timestamps in the largest unit that it has one of, as ``8 h``."""
    if not started or not finished:
        return ""
    try:
        begin, end = (datetime.fromisoformat(at.replace("Z", "+00:00")) for at in (started, finished))
    except ValueError:
        return ""
    seconds = (end - begin).total_seconds()
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), (1, "s"))
    return f"{seconds / size:.0f} {unit}" if seconds >= 0 else ""
