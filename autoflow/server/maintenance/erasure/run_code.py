"""The code that is stored with a run and goes with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, delete, select

from autoflow.server.db import json_codec
from autoflow.server.db.schema import run_contents, task_facts, tasks
from autoflow.server.paging import chunks


def holders(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects in facts that name a stored content."""
    if isinstance(value, dict):
        if isinstance(value.get("content"), dict) and "pieces" in value["content"]:
            yield value
        for member in value.values():
            yield from holders(member)
    elif isinstance(value, list):
        for member in value:
            yield from holders(member)


def delete_pieces(conn: Connection, task_id: int) -> int:
    """Delete the pieces of contents that no other run of the team names in its facts; return how many."""
    team_id = conn.execute(select(tasks.c.team_id).where(tasks.c.id == task_id)).scalar()
    of_run = select(tasks.c.facts).where(tasks.c.id == task_id)
    later = select(task_facts.c.facts).where(task_facts.c.task_id == task_id)
    pieces = {name for facts in conn.execute(of_run.union_all(later)).scalars() for name in _names(facts)}
    if not pieces:
        return 0
    of_team = tasks.c.team_id == team_id, tasks.c.id != task_id
    of_others = select(tasks.c.facts).where(*of_team, tasks.c.facts.contains('"pieces"'))
    others_later = (
        select(task_facts.c.facts)
        .join(tasks, tasks.c.id == task_facts.c.task_id)
        .where(*of_team, task_facts.c.facts.contains('"pieces"'))
    )
    for facts in conn.execute(of_others.union_all(others_later)).scalars():
        pieces.difference_update(_names(facts))
    for part in chunks(sorted(pieces)):
        conn.execute(delete(run_contents).where(run_contents.c.team_id == team_id, run_contents.c.hash.in_(part)))
    return len(pieces)


def _names(facts: str) -> Iterator[str]:
    for holder in holders(json_codec.load(facts)):
        yield from holder["content"]["pieces"]
