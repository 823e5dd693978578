"""Projects, and the document of classes and tags that each has."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select, update

from autoflow.server import timestamps
from autoflow.server.db import json_codec, teams
from autoflow.server.db.access import get_row, visible
from autoflow.server.db.change_tracking import ProjectEdit
from autoflow.server.db.insertion import insert_row
from autoflow.server.db.schema import project_meta, projects, workspaces
from autoflow.server.errors import Conflict
from autoflow.wire.contract.labels import LabelDefinitions, MetaKind

ACTIVE = projects.c.state == "active"
COLUMNS = (*projects.c, workspaces.c.team_id)


def listing(conn: Connection) -> Select[Any]:
    """Return a query for all active projects, each with its team."""
    return select(*COLUMNS).join_from(projects, workspaces).where(ACTIVE, visible(conn, projects))


def get(conn: Connection, number: int) -> RowMapping:
    """Return an active project.

    Raises:
        NotFound: there is none.
    """
    return get_row(conn, listing(conn).where(projects.c.id == number), "project", number)


def check_name_is_free(conn: Connection, workspace_id: int, name: str, but: int = 0) -> None:
    """Check that no other project of a workspace has a name.

    Raises:
        Conflict: one has.
    """
    query = select(projects.c.id).where(
        projects.c.workspace_id == workspace_id,
        projects.c.name == name,
        projects.c.state != "removed",
        projects.c.id != but,
    )
    if conn.execute(query).first():
        raise Conflict(f"workspace {workspace_id} has a project named {name!r} already")


def unused_name(conn: Connection, workspace_id: int, name: str) -> str:
    """Return a name, or the first of ``name_001``, ``name_002`` … that no project of a workspace has, as in the SDK."""
    like = projects.c.name.startswith(name, autoescape=True)
    query = select(projects.c.name).where(projects.c.workspace_id == workspace_id, projects.c.state != "removed", like)
    used = set(conn.execute(query).scalars())
    names = itertools.chain([name], (f"{name}_{number:03d}" for number in itertools.count(1)))
    return next(candidate for candidate in names if candidate not in used)


def add(conn: Connection, workspace_id: int, name: str, **values: Any) -> int:
    """Insert a project without classes and tags; return its id."""
    teams.get(conn, workspaces, "workspace", workspace_id)
    check_name_is_free(conn, workspace_id, name)
    return insert_row(conn, projects, {"workspace_id": workspace_id, "name": name, **values})


def change(conn: Connection, number: int, *, silent: bool, **values: Any) -> None:
    """Change columns of a project that are not versioned; with `silent`, `updated_at` stays."""
    if not silent:
        values["updated_at"] = timestamps.now()
    if values:
        conn.execute(update(projects).where(projects.c.id == number).values(**values))


def remove(conn: Connection, number: int) -> None:
    """Remove a project: it is not listed any more and its name is free; versions and graphs still show it."""
    conn.execute(update(projects).where(projects.c.id == number).values(state="removed", updated_at=timestamps.now()))


def team_of(conn: Connection, number: int) -> int:
    """Return the team of a project that exists."""
    query = select(workspaces.c.team_id).join(projects, projects.c.workspace_id == workspaces.c.id)
    return int(conn.execute(query.where(projects.c.id == number)).scalar_one())


def created_since(conn: Connection, user_id: int, timestamp: str) -> list[RowMapping]:
    """Return the active projects that a user has created since a time."""
    query = listing(conn).where(projects.c.created_by == user_id, projects.c.created_at >= timestamp)
    return list(conn.execute(query.order_by(projects.c.id)).mappings())


def is_named(conn: Connection, number: int, name: str) -> bool:
    """Return whether an active project has a name."""
    return conn.execute(listing(conn).where(projects.c.id == number, projects.c.name == name)).first() is not None


def is_removed(conn: Connection, number: int) -> bool:
    """Return whether the caller sees a removed project of that number."""
    query = select(projects.c.id).where(projects.c.id == number, projects.c.state == "removed", visible(conn, projects))
    return conn.execute(query).first() is not None


def meta(conn: Connection, number: int) -> LabelDefinitions:
    """Return a project's classes and tags."""
    text = conn.execute(select(project_meta.c.document).where(project_meta.c.project_id == number)).scalar()
    document: LabelDefinitions = {"classes": [], "tags": []} if text is None else json_codec.load(text)
    return document


def set_meta(edit: ProjectEdit, document: LabelDefinitions) -> None:
    """Replace a project's classes and tags."""
    number = edit.project["id"]
    text = json_codec.dump(document)
    query = select(project_meta).where(project_meta.c.project_id == number)
    row = edit.conn.execute(query).mappings().one_or_none()
    if row is None:
        edit.insert(project_meta, {"project_id": number, "document": text})
    else:
        edit.update(project_meta, row, {"document": text})


def find_by_meta_entry(conn: Connection, kind: MetaKind, number: int) -> list[int]:
    """Return the active projects whose ``classes`` or ``tags`` have an entry with an id, the oldest first."""
    query = select(projects.c.id, project_meta.c.document).join_from(project_meta, projects)
    query = query.where(ACTIVE, visible(conn, projects), project_meta.c.document.contains(f'"id":{number}'))
    rows = conn.execute(query.order_by(projects.c.id))
    return [row.id for row in rows if any(entry["id"] == number for entry in json_codec.load(row.document)[kind])]
