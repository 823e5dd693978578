"""Records applied one by one, by the functions of `server.db`: what a set of records must do, too."""

from __future__ import annotations

import time

from sqlalchemy import insert, select, update

from autoflow.errors import ServerRefused
from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.model.run import RunFacts
from autoflow.server import timestamps
from autoflow.server.db import files, json_codec, tasks, teams
from autoflow.server.db.access import caller
from autoflow.server.db.error_translation import translate_data_errors
from autoflow.server.db.schema import edges, entities, logs, record_keys, runs
from autoflow.server.db.schema import tasks as task_table
from autoflow.server.db.upsert import insert_or_ignore
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.methods.lineage.references import check_exists
from autoflow.server.request_parser import RequestParser, as_number, as_text, clean_name, clean_text
from autoflow.wire import cards, methods

ANY_TEAM = 0
_FACTS = tuple(RunFacts.__annotations__)
DIRECTIONS = tuple(methods.ADD_EDGE)


def save_external_entity(conn, task_id, entity, name):
    """Save another server's entity under a name, for the team of a task."""
    team_id = conn.execute(select(task_table.c.team_id).where(task_table.c.id == task_id)).scalar_one()
    values = {"team_id": team_id, "origin": entity.origin, "type": entity.type, "entity": str(entity.id)}
    if (
        not insert_or_ignore(
            conn, entities, **values, name=name, created_at=timestamps.now(), created_by=caller(conn).user
        )
        and name
        and caller(conn).since is None  # the token of a reproduction renames nothing
    ):
        where = (entities.c[column] == value for column, value in values.items())
        # a row that has the name is not locked: other runs name the same entity
        conn.execute(update(entities).where(*where, entities.c.name != name).values(name=name))


def insert_edge(conn, task_id, direction, entity, meta, timestamp):
    """Insert an edge, or update the settings of an existing one; without settings those are kept."""
    identity = {
        "task_id": task_id,
        "direction": direction,
        "origin": entity.origin,
        "type": entity.type,
        "entity": str(entity.id),
    }
    text = json_codec.dump(meta) if meta is not None else None
    now_ns = time.time_ns()
    values = {"entity_key": entity.key, "meta": text, "at": timestamp, "updated_ns": now_ns}
    new = insert_or_ignore(conn, edges, **identity, **values, created_by=caller(conn).user)
    if not new and text is not None:
        where = (edges.c[column] == value for column, value in identity.items())
        conn.execute(update(edges).where(*where).values(meta=text, updated_ns=now_ns))


def set_parent(conn, key, parent):
    """Set the parent of a run, by its key."""
    conn.execute(update(runs).where(runs.c.key == key).values(parent=parent))


def set_card_settings(conn, task_id, settings):
    """Replace the settings of a task's card."""
    conn.execute(update(task_table).where(task_table.c.id == task_id).values(card_settings=json_codec.dump(settings)))


def append_log(conn, task_id, timestamp, lines):
    """Append lines to a task's log."""
    conn.execute(insert(logs).values(task_id=task_id, at=timestamp, lines=lines, created_by=caller(conn).user))


def _folder_path(value, position):
    path = clean_text(value).strip()
    if not path.strip("/"):
        raise Invalid(f'"{position}id" must be a folder\'s path')
    return "/" + path.strip("/")


def _parse_own(conn, request, entity_type, task_id):
    """Return an entity of this server after checking that it exists; a task of a new number is created."""
    value = request.fields.get("id")
    number = as_number(value)
    if number is None and isinstance(value, str) and ENTITY_TYPES[entity_type].has_path:
        # The SDK posts the path of an output file as its id.
        path = files.normalize_path(request.text("id"))
        file_row = files.current(conn, tasks.get(conn, task_id)["team_id"], path)
        if file_row is None:
            raise NotFound("file", path)
        return EntityRef("", entity_type, file_row["id"])
    number = request.number("id")
    if ENTITY_TYPES[entity_type].is_task:
        team_id = tasks.get(conn, task_id)["team_id"]
        row = tasks.get(conn, tasks.get_or_create(conn, number, team=team_id))
        return EntityRef(row["origin"], entity_type, row["number"])
    entity = EntityRef("", entity_type, number)
    check_exists(conn, entity)
    return entity


def parse_entity(conn, request, task_id):
    """Return the entity that an edge names by ``type``, ``id`` and, for another server's, ``origin``.

    Raises:
        Invalid: the type is unknown, or the id is missing or malformed.
        NotFound: this server has no such entity.
    """
    entity_type = request.text("type")
    if entity_type not in ENTITY_TYPES:
        raise Invalid(f'"{request.path}type": there is no type {entity_type!r}; there are {", ".join(ENTITY_TYPES)}')
    if entity_type == "app_session" and not request.has("id"):
        task = tasks.get(conn, task_id)
        return EntityRef(task["origin"], entity_type, task["number"])
    if not request.has("id"):
        raise Invalid(f'"{request.path}id" is missing: which {entity_type} is meant?')
    origin = request.text("origin", "")
    if ENTITY_TYPES[entity_type].by_path:
        entity = EntityRef(origin, entity_type, _folder_path(request.fields["id"], request.path))
    elif origin:
        number = as_number(request.fields["id"])
        entity = EntityRef(origin, entity_type, number if number is not None else request.text("id"))
    else:
        return _parse_own(conn, request, entity_type, task_id)
    if origin:
        save_external_entity(conn, task_id, entity, clean_text(request.fields.get("name")))
    return entity


def add_edge(conn, task_id, direction, entity, meta, timestamp):
    """Add an edge; settings for the task's own card in its meta replace those the card has."""
    ref = parse_entity(conn, entity, task_id)
    insert_edge(conn, task_id, direction, ref, meta or None, timestamp)
    node_settings = meta.get(cards.NODE)
    if isinstance(node_settings, dict):
        set_card_settings(conn, task_id, node_settings)


def _ensure_task(conn, request):
    """Return the id of the task of a record's run, created by its first record."""
    return tasks.ensure_for_run(
        conn,
        request.text("run"),
        number=request.optional_number("task"),
        origin=request.text("origin", ""),
        team=as_number(request.fields.get("team")),
        workspace=as_number(request.fields.get("workspace")),
    )


def _run(conn, request, timestamp):
    task_id = _ensure_task(conn, request)
    tasks.check_author(conn, task_id)
    tasks.set_name(conn, task_id, clean_name(request.fields.get("name")))
    tasks.start(conn, task_id, timestamp)
    facts = {name: request.fields[name] for name in _FACTS if request.has(name)}
    tasks.add_facts(conn, task_id, {**facts, **request.mapping("facts")}, timestamp)
    parent = as_text(request.fields.get("parent"))
    if parent:
        set_parent(conn, request.text("run"), parent)


def _facts(conn, request, timestamp):
    tasks.add_facts(conn, _run_task(conn, request), request.mapping("facts"), timestamp)


def _finish(conn, request, timestamp):
    state = request.text("state")
    if state not in tasks.STATES[1:]:
        raise Invalid(f'"state" must be one of {", ".join(tasks.STATES[1:])}')
    tasks.finish(conn, _run_task(conn, request), state, clean_text(request.fields.get("error")) or None, timestamp)


def _log(conn, request, timestamp):
    append_log(conn, _run_task(conn, request), timestamp, clean_text(request.fields.get("lines")))


def _node(conn, request, _timestamp):
    set_card_settings(conn, _target_task(conn, request), request.mapping("node"))


def _edge(conn, request, timestamp):
    direction = request.text("direction")
    if direction not in DIRECTIONS:
        raise Invalid(f'"direction" must be one of {", ".join(DIRECTIONS)}')
    entity = RequestParser(request.mapping("entity"), "entity.")
    add_edge(conn, _target_task(conn, request), direction, entity, request.mapping("meta"), timestamp)


def _run_task(conn, request):
    task_id = tasks.ensure_for_run(conn, request.text("run"))
    tasks.check_author(conn, task_id)
    return task_id


def _target_task(conn, request):
    """Return the id of the task that a record names, else of its run's."""
    if not request.has("task"):
        return _run_task(conn, request)
    task_id = tasks.get_or_create(conn, request.number("task"), request.text("origin", ""))
    tasks.check_author(conn, task_id)
    return task_id


_APPLY = {
    "run": _run,
    "facts": _facts,
    "finish": _finish,
    "log": _log,
    "node": _node,
    "edge": _edge,
}


def _apply(conn, record):
    """Apply one record.

    Raises:
        ServerRefused: it can never be applied; the caller rolls back its changes.
    """
    request = RequestParser(record)
    record_type = request.text("type")
    if record_type not in _APPLY:
        raise Invalid(f'"type": there is no record type {record_type!r}; there are {", ".join(_APPLY)}')
    _APPLY[record_type](conn, request, timestamps.at(request.fields.get("at")))


def _apply_all(conn, records):
    """Apply records whose keys are new, all or none, and return their results.

    Raises:
        ServerRefused: one of them can never be applied.
    """
    keys = [RequestParser(record).text("key") for record in records]
    with translate_data_errors(), conn.begin_nested():
        team = teams.default_team(conn)
        of_team = record_keys.c.team_id.in_((ANY_TEAM, team))
        known = set(conn.execute(select(record_keys.c.key).where(of_team, record_keys.c.key.in_(keys))).scalars())
        new = dict.fromkeys(key for key in keys if key not in known)
        if new:
            conn.execute(insert(record_keys), [{"team_id": team, "key": key} for key in new])
        results = []
        for key, record in zip(keys, records, strict=True):
            is_new = key in new
            if is_new:
                del new[key]  # a second record with this key is a duplicate
                _apply(conn, record)
            results.append({"key": key, "status": "applied" if is_new else "duplicate", "reason": None})
    return results


def apply_each(conn, records):
    """Apply records and return their results; if one is refused, apply each by itself."""
    try:
        return _apply_all(conn, records)
    except ServerRefused as refusal:
        if len(records) > 1:
            return [result for record in records for result in apply_each(conn, [record])]
        key = records[0].get("key") if isinstance(records[0], dict) else None
        return [{"key": key, "status": "refused", "reason": str(refusal)}]
