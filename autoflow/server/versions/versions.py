"""Versions of a project: making one costs the same for any number of items, and nothing when nothing changed.

A version sees the rows of its project at its epoch (`store.past`). One that is deleted keeps its row, which says so:
its number is not given again, and what names it can tell what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, func, insert, select, update

from autoflow.server import timestamps
from autoflow.server.db.access import caller, visible
from autoflow.server.db.change_tracking import lock_project
from autoflow.server.db.schema import projects, versions, workspaces
from autoflow.server.errors import Invalid, NotFound

COMMITTED = versions.c.status == "committed"
LIVE = versions.c.status != "deleted"  # its rows are kept


class SavedVersion(NamedTuple):
    """A version, and whether it was made now."""

    id: int
    number: int
    created: bool


def listing(conn: Connection) -> Select[Any]:
    """All committed versions, each with its project's team."""
    query = select(versions, workspaces.c.team_id).join_from(versions, projects, versions.c.project_id == projects.c.id)
    return query.join(workspaces, workspaces.c.id == projects.c.workspace_id).where(COMMITTED, visible(conn, versions))


def latest(conn: Connection, project_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """``{"id", "version"}`` of the last version of each project that has one."""
    of = versions.c.project_id
    last = select(of, func.max(versions.c.number).label("number")).where(of.in_(project_ids), COMMITTED).group_by(of)
    last_rows = last.subquery()
    query = select(versions.c.id, of, versions.c.number).join(
        last_rows, (last_rows.c.project_id == of) & (last_rows.c.number == versions.c.number)
    )
    return {row.project_id: {"id": row.id, "version": row.number} for row in conn.execute(query)}


def last(conn: Connection, project_id: int) -> RowMapping | None:
    """A project's last version."""
    query = select(versions).where(versions.c.project_id == project_id, COMMITTED).order_by(versions.c.number.desc())
    return conn.execute(query.limit(1)).mappings().one_or_none()


def last_if_unchanged(conn: Connection, project: Mapping[str, Any] | RowMapping) -> RowMapping | None:
    """The last version, if nothing changed since: by sequence, or by content (changed and changed back)."""
    before = last(conn, project["id"])
    if before is None or not has_all_rows(before):
        return None
    same = before["change_seq"] == project["change_seq"] or before["digest"] == project["digest"]
    return before if same else None


def has_all_rows(version: Mapping[str, Any] | RowMapping) -> bool:
    """Whether a version's rows were kept; those made before history was, and changed since, have no count of items."""
    return int(version["items_count"]) >= 0


def close_epoch(conn: Connection, project: Mapping[str, Any], **values: Any) -> SavedVersion:
    """Make a version of a locked project's state: its epoch is closed and a new one begun, no row is touched."""
    moment = timestamps.now()
    query = select(func.max(versions.c.number)).where(versions.c.project_id == project["id"])
    number = (conn.execute(query).scalar() or 0) + 1
    made = conn.execute(
        insert(versions).values(
            project_id=project["id"],
            number=number,
            epoch=project["epoch"],
            change_seq=project["change_seq"],
            digest=project["digest"],
            items_count=project["items_count"],
            size=project["size"],
            created_by=caller(conn).user,
            project_updated_at=project["updated_at"],
            created_at=moment,
            updated_at=moment,
            **values,
        )
    )
    epoch = project["epoch"]
    conn.execute(
        update(projects).where(projects.c.id == project["id"]).values(last_version_epoch=epoch, epoch=epoch + 1)
    )
    assert made.inserted_primary_key is not None
    return SavedVersion(int(made.inserted_primary_key[0]), number, created=True)


def saved_state(conn: Connection, project: Mapping[str, Any] | RowMapping) -> SavedVersion | None:
    """The version that a project's state is already, None when there is none."""
    before = last_if_unchanged(conn, project)
    return SavedVersion(before["id"], before["number"], created=False) if before is not None else None


def save(conn: Connection, project_id: int, name: str | None, description: str | None) -> SavedVersion:
    """Save a project's state, in a write transaction; when nothing changed since the last version, that one is it.

    Raises:
        NotFound: the project is unknown.
    """
    project = lock_project(conn, project_id)
    return saved_state(conn, project) or close_epoch(conn, project, name=name, description=description)


def get(conn: Connection, number: int) -> RowMapping:
    """A committed version, with its project's team.

    Raises:
        NotFound: there is none.
    """
    found = conn.execute(listing(conn).where(versions.c.id == number)).mappings().one_or_none()
    if found is None:
        raise NotFound("version", number)
    return found


def id_by_number(conn: Connection, project_id: int, number: int) -> int:
    """The id of a project's first, second, third … version, be the project there still or not.

    Raises:
        NotFound: it has not that many, or that one is deleted.
    """
    query = listing(conn).with_only_columns(versions.c.id)
    query = query.where(versions.c.project_id == project_id, versions.c.number == number)
    found = conn.execute(query).scalar()
    if found is None:
        raise NotFound(f"of project {project_id}, version number", number)
    return int(found)


def change(conn: Connection, number: int, **values: Any) -> None:
    """Change what a version is called, or which project shows it.

    Raises:
        NotFound: there is none.
    """
    get(conn, number)
    conn.execute(update(versions).where(versions.c.id == number).values(**values, updated_at=timestamps.now()))


def remove(conn: Connection, number: int) -> None:
    """Delete a version, in a write transaction; what only it saw is kept no longer.

    Raises:
        ServerRefused: 404, there is none; 400, it is reserved, and its client at work.
    """
    query = select(versions).where(versions.c.id == number, LIVE, visible(conn, versions)).with_for_update()
    found = conn.execute(query).mappings().one_or_none()
    if found is None:
        raise NotFound("version", number)
    if found["status"] == "reserved":
        raise Invalid(f"version {number} is being committed by a client; cancel its reservation, or wait for it")
    done = {"status": "deleted", "team_file_id": None, "preview_project_id": None, "updated_at": timestamps.now()}
    conn.execute(update(versions).where(versions.c.id == number).values(**done))
    update_last_version_epoch(conn, found["project_id"])


def update_last_version_epoch(conn: Connection, project_id: int) -> None:
    """Have a project's rows kept for the versions it still has, after one was taken away.

    Rows from epochs after the last version are seen by none, so they leave nothing when they change.
    """
    last_seen = select(func.coalesce(func.max(versions.c.epoch), 0)).where(versions.c.project_id == project_id, LIVE)
    conn.execute(
        update(projects).where(projects.c.id == project_id).values(last_version_epoch=last_seen.scalar_subquery())
    )
