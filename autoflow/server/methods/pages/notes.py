"""``autoflow.notes.*``: notes that people write on cards."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, RowMapping, select

from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.server.db import notes
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges, metadata, projects, tasks, workspaces
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.methods.lineage.graph_view import parse_key
from autoflow.server.methods.lineage.references import parse_reference, resolve
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire.contract import notes as contract

DEFAULT_NOTES, MAX_NOTES = 20, 200


def _to_wire(row: RowMapping) -> contract.Note:
    return {
        "id": row["id"],
        "card": row["card"],
        "text": row["text"],
        "createdBy": row["author"],
        "createdAt": row["created_at"],
    }


def _entity(conn: Connection, request: contract.AddNoteRequest | contract.ListNotesRequest) -> EntityRef:
    """Return the entity that a request names.

    Raises:
        Invalid: it names none, or two.
        NotFound: there is no such entity.
    """
    if (request.ref is None) == (request.card is None):
        raise Invalid('name an entity by "ref", or by "card"', {"field": "ref"})
    if request.ref is not None:
        return resolve(conn, parse_reference(request.ref), request.team_id)
    ref = parse_key(request.card or "")
    if ref is None:
        raise Invalid('"card" must be the key of a card, as task:5', {"field": "card"})
    return ref


def _team(conn: Connection, ref: EntityRef) -> int:
    """Return the team that an entity is of; of a folder, or another server's entity, that of the last run that used it.

    Raises:
        NotFound: the caller sees no such entity.
    """
    entity_type = ENTITY_TYPES[ref.type]
    if entity_type.is_task:
        query = select(tasks.c.team_id).where(
            tasks.c.origin == ref.origin, tasks.c.number == ref.id, visible(conn, tasks)
        )
    elif entity_type.table and not ref.origin:
        table = metadata.tables[entity_type.table]
        condition = (table.c.id == ref.id, visible(conn, table))
        if "team_id" in table.c:
            query = select(table.c.team_id).where(*condition)
        else:
            query = select(workspaces.c.team_id).join(projects, projects.c.workspace_id == workspaces.c.id)
            if table is not projects:
                query = query.join(table, table.c.project_id == projects.c.id)
            query = query.where(*condition)
    else:
        query = select(tasks.c.team_id).join(edges, edges.c.task_id == tasks.c.id)
        query = query.where(edges.c.entity_key == ref.key, visible(conn, edges)).order_by(edges.c.id.desc())
    team_id = conn.execute(query.limit(1)).scalar()
    if team_id is None:
        raise NotFound(entity_type.reference, ref.id)
    return int(team_id)


@implements(contract.NOTES_ADD)
def add(conn: Connection, request: contract.AddNoteRequest) -> contract.Note:
    """Insert a note of the caller."""
    text = request.text.strip()
    if not text:
        raise Invalid('"text" must not be blank', {"field": "text"})
    ref = _entity(conn, request)
    return _to_wire(notes.add(conn, _team(conn, ref), ref.key, text))


@implements(contract.NOTES_LIST)
def list_notes(conn: Connection, request: contract.ListNotesRequest) -> contract.NotesResponse:
    """Return a part of the notes on a card."""
    ref = _entity(conn, request)
    limit = min(request.limit or DEFAULT_NOTES, MAX_NOTES)
    rows = notes.of_card(conn, ref.key, request.before, limit + 1)
    return {
        "notes": [_to_wire(row) for row in rows[:limit]],
        "next": rows[limit - 1]["id"] if len(rows) > limit else None,
    }


READS: Mapping[str, Operation] = by_name(list_notes)
WRITES: Mapping[str, Operation] = by_name(add)
