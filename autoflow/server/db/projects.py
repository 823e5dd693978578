"""Projects: found, made, put away; and the one document of classes and tags each has."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, insert, select, update

from autoflow.server import timestamps
from autoflow.server.db import json_codec, teams
from autoflow.server.db.access import caller, visible
from autoflow.server.db.change_tracking import ProjectEdit
from autoflow.server.db.schema import project_meta, projects, workspaces
from autoflow.server.errors import Conflict, NotFound

ACTIVE = projects.c.state == "active"
COLUMNS = (*projects.c, workspaces.c.team_id)


def listing(conn: Connection) -> Select[Any]:
    """All active projects, each with the team it belongs to."""
    return select(*COLUMNS).join_from(projects, workspaces).where(ACTIVE, visible(conn, projects))


def get(conn: Connection, number: int) -> RowMapping:
    """An active project.

    Raises:
        NotFound: there is none.
    """
    found = conn.execute(listing(conn).where(projects.c.id == number)).mappings().one_or_none()
    if found is None:
        raise NotFound("project", number)
    return found


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
    """The name, or the first of ``name_001``, ``name_002`` … that no project of a workspace has, as in the SDK."""
    like = projects.c.name.startswith(name, autoescape=True)
    query = select(projects.c.name).where(projects.c.workspace_id == workspace_id, projects.c.state != "removed", like)
    used = set(conn.execute(query).scalars())
    names = itertools.chain([name], (f"{name}_{number:03d}" for number in itertools.count(1)))
    return next(one for one in names if one not in used)


def add(conn: Connection, workspace_id: int, name: str, **values: Any) -> int:
    """Make a project with an empty document of classes and tags; gives its id."""
    teams.get(conn, workspaces, "workspace", workspace_id)
    check_name_is_free(conn, workspace_id, name)
    moment = timestamps.now()
    made = conn.execute(
        insert(projects).values(
            workspace_id=workspace_id,
            name=name,
            created_by=caller(conn).user,
            created_at=moment,
            updated_at=moment,
            **values,
        )
    )
    assert made.inserted_primary_key is not None
    return int(made.inserted_primary_key[0])


def change(conn: Connection, number: int, *, silent: bool, **values: Any) -> None:
    """Change a project's own row: what of it is no part of a version. Silent: its time of change stays."""
    if not silent:
        values["updated_at"] = timestamps.now()
    if values:
        conn.execute(update(projects).where(projects.c.id == number).values(**values))


def remove(conn: Connection, number: int) -> None:
    """Put a project away: it is listed no more and its name is free; what a version or a graph shows stays."""
    conn.execute(update(projects).where(projects.c.id == number).values(state="removed", updated_at=timestamps.now()))


def meta(conn: Connection, number: int) -> dict[str, Any]:
    """A project's ``{"classes": [...], "tags": [...]}``."""
    text = conn.execute(select(project_meta.c.document).where(project_meta.c.project_id == number)).scalar()
    found: dict[str, Any] = json_codec.load(text) or {"classes": [], "tags": []}
    return found


def set_meta(edit: ProjectEdit, document: dict[str, Any]) -> None:
    """Put a project's classes and tags in place of those it had."""
    number = edit.project["id"]
    text = json_codec.dump(document)
    query = select(project_meta).where(project_meta.c.project_id == number)
    row = edit.conn.execute(query).mappings().one_or_none()
    if row is None:
        edit.insert(project_meta, {"project_id": number, "document": text})
    else:
        edit.update(project_meta, row, {"document": text})


def find_by_meta_entry(conn: Connection, kind: str, number: int) -> list[int]:
    """The active projects among whose ``classes`` or ``tags`` one has a number, the oldest first."""
    query = select(projects.c.id, project_meta.c.document).join_from(project_meta, projects)
    query = query.where(ACTIVE, visible(conn, projects), project_meta.c.document.contains(f'"id":{number}'))
    found = conn.execute(query.order_by(projects.c.id))
    return [row.id for row in found if any(entry["id"] == number for entry in json_codec.load(row.document)[kind])]
