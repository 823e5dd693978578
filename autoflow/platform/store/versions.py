"""Versions of a project: making one costs the same for any number of items, and nothing when nothing changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, func, insert, select, update

from autoflow.platform import times
from autoflow.platform.refusals import bad, unknown
from autoflow.platform.store.access import caller, visible
from autoflow.platform.store.edits import locked
from autoflow.platform.store.schema import projects, versions, workspaces

COMMITTED = versions.c.status == "committed"
KINDS = ("images",)


class Saved(NamedTuple):
    """A version, and whether it was made now."""

    id: int
    number: int
    created: bool


def listing(rows: Connection) -> Select[Any]:
    """All committed versions, each with its project's team."""
    query = select(versions, workspaces.c.team_id).join_from(versions, projects, versions.c.project_id == projects.c.id)
    return query.join(workspaces, workspaces.c.id == projects.c.workspace_id).where(COMMITTED, visible(rows, versions))


def latest(rows: Connection, project_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """``{"id", "version"}`` of the last version of each project that has one."""
    of = versions.c.project_id
    last = select(of, func.max(versions.c.number).label("number")).where(of.in_(project_ids), COMMITTED).group_by(of)
    last_rows = last.subquery()
    query = select(versions.c.id, of, versions.c.number).join(
        last_rows, (last_rows.c.project_id == of) & (last_rows.c.number == versions.c.number)
    )
    return {row.project_id: {"id": row.id, "version": row.number} for row in rows.execute(query)}


def last(rows: Connection, project_id: int) -> RowMapping | None:
    """A project's last version."""
    query = select(versions).where(versions.c.project_id == project_id, COMMITTED).order_by(versions.c.number.desc())
    return rows.execute(query.limit(1)).mappings().one_or_none()


def lock(rows: Connection, project_id: int) -> Mapping[str, Any]:
    """The row of a project that can have versions, locked until the transaction ends.

    Raises:
        ServerRefused: the project is unknown, or of a kind that has no versions.
    """
    project = locked(rows, project_id)
    if project["type"] not in KINDS:
        raise bad(f"project {project_id} holds {project['type']}; only projects of {', '.join(KINDS)} have versions")
    return project


def unchanged(rows: Connection, project: Mapping[str, Any]) -> RowMapping | None:
    """The last version, if nothing changed since: by sequence, or by content (changed and changed back)."""
    before = last(rows, project["id"])
    if before is None:
        return None
    same = before["change_seq"] == project["change_seq"] or before["digest"] == project["digest"]
    return before if same else None


def close_epoch(rows: Connection, project: Mapping[str, Any], **values: Any) -> Saved:
    """Make a version of a locked project's state: its epoch is closed and a new one begun, no row is touched."""
    moment = times.now()
    query = select(func.max(versions.c.number)).where(versions.c.project_id == project["id"])
    number = (rows.execute(query).scalar() or 0) + 1
    made = rows.execute(
        insert(versions).values(
            project_id=project["id"],
            number=number,
            epoch=project["epoch"],
            change_seq=project["change_seq"],
            digest=project["digest"],
            created_by=caller(rows).user,
            project_updated_at=project["updated_at"],
            created_at=moment,
            updated_at=moment,
            **values,
        )
    )
    epoch = project["epoch"]
    rows.execute(update(projects).where(projects.c.id == project["id"]).values(last_v=epoch, epoch=epoch + 1))
    assert made.inserted_primary_key is not None
    return Saved(int(made.inserted_primary_key[0]), number, created=True)


def snapshot(rows: Connection, project_id: int, name: str | None, description: str | None) -> Saved:
    """Save a project's state, in a write transaction; when nothing changed since the last version, that one is it.

    Raises:
        ServerRefused: as `lock`.
    """
    project = lock(rows, project_id)
    before = unchanged(rows, project)
    if before is not None:
        return Saved(before["id"], before["number"], created=False)
    return close_epoch(rows, project, name=name, description=description)


def change(rows: Connection, number: int, **values: Any) -> None:
    """Change what a version is called, or which project shows it.

    Raises:
        ServerRefused: 404, there is none.
    """
    if rows.execute(listing(rows).where(versions.c.id == number)).first() is None:
        raise unknown("version", number)
    rows.execute(update(versions).where(versions.c.id == number).values(**values, updated_at=times.now()))
