"""The results and parameters of runs, one row each, by which runs are searched; `tasks.facts` has them in full.

A result is a fact ``result.NAME`` with a number; the parameters are one fact, whose nested values are named
``parameters.optimizer.lr``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select

from autoflow.server.db.schema import run_values
from autoflow.server.paging import chunks
from autoflow.server.request_parser import as_text, clean_text

RESULT, LINK = "result.", "link."
PARAMETERS = "parameters"
MAX_VALUES = 300  # of one run
MAX_NAME, MAX_TEXT = 200, 200  # characters that are indexed


def values_of(facts: str | Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a run's facts, or of their JSON text, without its task: ``name``, ``number`` and ``text``."""
    members: Any = json.loads(facts) if isinstance(facts, str) else facts
    if not isinstance(members, Mapping):
        return []
    rows: dict[str, dict[str, Any]] = {}
    for name, value in members.items():
        if name.startswith(RESULT):
            flat = [(name, value)] if as_result(value) is not None else []
        else:
            flat = list(_flatten(name, value)) if name == PARAMETERS else []
        for flat_name, flat_value in flat:
            if len(rows) < MAX_VALUES and len(flat_name) <= MAX_NAME and as_text(flat_name) is not None:
                rows[flat_name] = {"name": flat_name, **_typed(flat_value)}
    return list(rows.values())


def as_result(value: Any) -> float | None:
    """Return a finite number, None for any other value."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _flatten(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, member in value.items():
            yield from _flatten(f"{name}.{key}", member)
    elif isinstance(value, (str, bool, int, float)):
        yield name, value


def _typed(value: Any) -> dict[str, Any]:
    number = as_result(value)
    if number is not None:
        return {"number": number, "text": None}
    return {"number": None, "text": clean_text(value if isinstance(value, str) else json.dumps(value), MAX_TEXT)}


def index(conn: Connection, task_id: int, facts: Mapping[str, Any]) -> None:
    """Replace the rows of a task for these facts, which it has just been given."""
    names = [name for name in facts if name == PARAMETERS or name.startswith(RESULT)]
    if not names:
        return
    replaced = [run_values.c.name.startswith(f"{PARAMETERS}.", autoescape=True)] if PARAMETERS in names else []
    conn.execute(
        delete(run_values).where(run_values.c.task_id == task_id, or_(run_values.c.name.in_(names), *replaced))
    )
    rows = [{"task_id": task_id, **row} for row in values_of({name: facts[name] for name in names})]
    if rows:
        conn.execute(insert(run_values), rows)


def values_by_task(conn: Connection, task_ids: list[int]) -> dict[int, dict[str, float | str]]:
    """Return the results and parameters of tasks by name, by the task's id."""
    values: dict[int, dict[str, float | str]] = {task_id: {} for task_id in task_ids}
    for chunk in chunks(task_ids):
        query = select(run_values).where(run_values.c.task_id.in_(chunk)).order_by(run_values.c.name)
        for row in conn.execute(query):
            values[row.task_id][row.name] = row.text if row.number is None else row.number
    return values
