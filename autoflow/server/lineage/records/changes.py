"""Changes applied to the rows in memory (`state`), each completely or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoflow.server.db import json_codec, tasks
from autoflow.server.lineage.records.parse import CardSettings, Change, Edge, Facts, Finish, Log, Start
from autoflow.server.lineage.records.state import State


def apply(state: State, change: Change) -> None:
    """Apply a change.

    Raises:
        ServerRefused: it can never be applied; the caller rolls back to its savepoint.
    """
    match change:
        case Edge():
            _edge(state, change)
        case Start():
            _start(state, change)
        case Facts():
            task_id = state.task(change.task)
            _add_facts(state, task_id, change.facts, change.at)
            for name, data in change.contents.items():
                state.put(state.contents, (state.tasks[task_id]["team_id"], name), data)
        case Finish():
            _finish(state, change)
        case Log():
            state.put(state.logs, len(state.logs), (state.task(change.task), change.at, change.lines))
        case CardSettings():
            state.change_task(state.task(change.task), card_settings=change.settings)


def _edge(state: State, edge: Edge) -> None:
    task_id = state.task(edge.task)
    ref = state.entity(edge.entity, task_id)
    identity = (task_id, edge.direction, ref.origin, ref.type, str(ref.id))
    before = state.edges.get(identity)
    if before is None:
        state.put(state.edges, identity, (ref.key, edge.at, edge.meta))
    elif edge.meta is not None:
        state.put(state.edges, identity, (*before[:2], edge.meta))
    if edge.model:
        state.put(state.models, (state.tasks[task_id]["team_id"], edge.model, ref), task_id)
    if edge.card_settings is not None:
        state.change_task(task_id, card_settings=edge.card_settings)


def _start(state: State, start: Start) -> None:
    task_id = state.task(start.task)
    row = state.tasks[task_id]
    if start.name:
        app = (row["team_id"], start.name)
        state.put(state.apps, app, None)
        state.put(state.app_of_task, task_id, app)
        state.change_task(task_id, name=start.name)
    if row["state"] != "running" and row["facts"] != "{}":
        _keep_facts(state, task_id, row["facts"], start.at)
    values = {"state": "running", "error": None, "finished_at": None, "updated_at": start.at}
    state.change_task(task_id, started_at=start.at, **values)
    _add_facts(state, task_id, start.facts, start.at)
    if start.parent:
        state.put(state.parents, start.task.run, start.parent)


def _finish(state: State, finish: Finish) -> None:
    task_id = state.task(finish.task)
    before = state.tasks[task_id]["state"]
    if before not in tasks.FINAL_FOR.get(finish.state, ()):
        values = {"state": finish.state, "error": finish.error, "finished_at": finish.at, "updated_at": finish.at}
        state.change_task(task_id, **values)
        if finish.state in tasks.FAILURES and finish.state != before:
            state.put(state.failed_tasks, task_id, None)


def _add_facts(state: State, task_id: int, facts: Mapping[str, Any], timestamp: str) -> None:
    """See `tasks.add_facts`."""
    if not facts:
        return
    row = state.tasks[task_id]
    before = json_codec.load(row["facts"])
    if row["state"] != "running":
        changed = {name: value for name, value in facts.items() if name in before and before[name] != value}
        if changed:
            _keep_facts(state, task_id, json_codec.dump(changed), timestamp)
        facts = {name: value for name, value in facts.items() if name not in before}
    state.change_task(task_id, facts=json_codec.dump({**before, **facts}))
    state.put(state.new_facts, task_id, {**state.new_facts.get(task_id, {}), **facts})


def _keep_facts(state: State, task_id: int, text: str, timestamp: str) -> None:
    state.put(state.task_facts, len(state.task_facts), (task_id, timestamp, text))
