"""Versions of a project. Creating one takes the same time for any number of items, and is a no-op without changes.

A version sees the rows of its project at its epoch (`versions.snapshot`). A deleted version keeps its row, so that its
number is not reused and references to it stay resolvable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, Select, func, insert, select, update

from autoflow.server import timestamps
from autoflow.server.db import webhooks
from autoflow.server.db.access import caller, get_row, visible
from autoflow.server.db.audit_tables import audit_log
from autoflow.server.db.change_tracking import lock_project
from autoflow.server.db.schema import projects, versions, workspaces
from autoflow.server.errors import Invalid, NotFound
from autoflow.wire.contract.data_pages import LatestVersion

COMMITTED = versions.c.status == "committed"
LIVE = versions.c.status != "deleted"  # the rows that it sees are kept in history


class SavedVersion(NamedTuple):
    """A version, and whether it was created now."""

    id: int
    number: int
    created: bool


def listing(conn: Connection) -> Select[Any]:
    """Return a query for all committed versions, each with its project's team."""
    query = select(versions, workspaces.c.team_id).join_from(versions, projects, versions.c.project_id == projects.c.id)
    return query.join(workspaces, workspaces.c.id == projects.c.workspace_id).where(COMMITTED, visible(conn, versions))


def latest(conn: Connection, project_ids: Sequence[int]) -> dict[int, LatestVersion]:
    """Return the last version of each project that has one, by the project's id."""
    project_id, number = versions.c.project_id, versions.c.number
    newest = select(project_id, func.max(number).label("number")).where(project_id.in_(project_ids), COMMITTED)
    newest_rows = newest.group_by(project_id).subquery()
    is_newest = (newest_rows.c.project_id == project_id) & (newest_rows.c.number == number)
    query = select(versions.c.id, project_id, number).join(newest_rows, is_newest)
    return {row.project_id: {"id": row.id, "version": row.number} for row in conn.execute(query)}


def last(conn: Connection, project_id: int) -> RowMapping | None:
    """Return a project's last version, None if it has none."""
    query = select(versions).where(versions.c.project_id == project_id, COMMITTED).order_by(versions.c.number.desc())
    return conn.execute(query.limit(1)).mappings().one_or_none()


def last_if_unchanged(conn: Connection, project: Mapping[str, Any] | RowMapping) -> RowMapping | None:
    """Return the last version if nothing has changed since, by sequence number or, as after an undo, by digest."""
    version = last(conn, project["id"])
    if version is None or not has_all_rows(version):
        return None
    return version if is_as(project, version) else None


def is_as(project: Mapping[str, Any] | RowMapping, version: Mapping[str, Any] | RowMapping) -> bool:
    """Return whether a project is as it was at a version of it."""
    return bool(version["change_seq"] == project["change_seq"] or version["digest"] == project["digest"])


def has_all_rows(version: Mapping[str, Any] | RowMapping) -> bool:
    """Return whether a version's rows exist; one older than the history, and changed since, has no count of items."""
    return int(version["items_count"]) >= 0


def close_epoch(conn: Connection, project: Mapping[str, Any], **values: Any) -> SavedVersion:
    """Create a version of a locked project: close its epoch and start the next one, without touching its rows.

    Args:
        conn: a write transaction.
        project: the project's row.
        values: columns of the version that differ from those of a version saved now.
    """
    now = timestamps.now()
    saved_now = {
        "number": unused_number(conn, project["id"], 1),
        "created_by": caller(conn).user,
        "project_updated_at": project["updated_at"],
        "created_at": now,
        "updated_at": now,
    }
    state = {name: project[name] for name in ("epoch", "change_seq", "digest", "items_count", "size")}
    row = {**saved_now, **values, "project_id": project["id"], **state}
    made = conn.execute(insert(versions).values(**row))
    epoch = project["epoch"]
    conn.execute(
        update(projects).where(projects.c.id == project["id"]).values(last_version_epoch=epoch, epoch=epoch + 1)
    )
    assert made.inserted_primary_key is not None
    saved = SavedVersion(int(made.inserted_primary_key[0]), row["number"], created=True)
    if row.get("status") != "reserved":
        notify_created(conn, saved.id)
    return saved


def notify_created(conn: Connection, number: int) -> None:
    """Add the event of a version that was committed."""
    query = select(versions.c.number, versions.c.project_id, versions.c.name, projects.c.name.label("project"))
    query = query.add_columns(workspaces.c.team_id).join_from(
        versions, projects, projects.c.id == versions.c.project_id
    )
    row = conn.execute(query.join(workspaces).where(versions.c.id == number)).one()
    data = {
        "ref": f"version:{number}",
        "version": row.number,
        "title": row.name,
        "projectId": row.project_id,
        "project": row.project,
        "link": f"/projects/{row.project_id}/versions",
    }
    webhooks.notify(conn, row.team_id, webhooks.VERSION_CREATED, data)


def saved_state(conn: Connection, project: Mapping[str, Any] | RowMapping) -> SavedVersion | None:
    """Return the version that equals a project's current state, None if there is none."""
    version = last_if_unchanged(conn, project)
    return SavedVersion(version["id"], version["number"], created=False) if version is not None else None


def save(conn: Connection, project_id: int, name: str | None, description: str | None) -> SavedVersion:
    """Save a project's state as a version, in a write transaction; return the last one if nothing has changed.

    Raises:
        NotFound: the project is unknown.
    """
    project = lock_project(conn, project_id)
    return saved_state(conn, project) or close_epoch(conn, project, name=name, description=description)


def unused_number(conn: Connection, project_id: int, wanted: int) -> int:
    """Return a number for the next version of a project: the wanted one, if it is higher than all that there were."""
    query = select(func.max(versions.c.number)).where(versions.c.project_id == project_id)
    return max(wanted, (conn.execute(query).scalar() or 0) + 1)


def earlier(conn: Connection, version: Mapping[str, Any] | RowMapping, limit: int) -> Sequence[RowMapping]:
    """Return id and epoch of the latest versions of a version's project before it, the latest first."""
    query = select(versions.c.id, versions.c.epoch).where(versions.c.project_id == version["project_id"], COMMITTED)
    query = query.where(versions.c.epoch < version["epoch"], versions.c.items_count >= 0)
    return conn.execute(query.order_by(versions.c.epoch.desc()).limit(limit)).mappings().all()


def get(conn: Connection, number: int) -> RowMapping:
    """Return a committed version, with its project's team.

    Raises:
        NotFound: there is none; the message says if it was deleted, when and by whom.
    """
    row = conn.execute(listing(conn).where(versions.c.id == number)).mappings().one_or_none()
    if row is None:
        raise NotFound("version", number, _deletion(conn, number))
    return row


def _deletion(conn: Connection, number: int) -> str | None:
    """Return the message about a deleted version that the caller may see, None for any other number."""
    query = select(versions).where(versions.c.id == number, versions.c.status == "deleted", visible(conn, versions))
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        return None
    deleted = select(audit_log.c.at, audit_log.c.who).where(
        audit_log.c.entity == f"version:{number}", audit_log.c.action == "version.delete"
    )
    entry = conn.execute(deleted.order_by(audit_log.c.id.desc()).limit(1)).one_or_none()
    by = f" by {entry.who}" if entry is not None and entry.who else ""
    at = row["updated_at"] if entry is None else entry.at
    return f"version {number} (V{row['number']} of project {row['project_id']}) was deleted{by} at {at}"


def id_by_number(conn: Connection, project_id: int, number: int) -> int:
    """Return the id of a project's version by its number in the project, which may have been removed.

    Raises:
        NotFound: it has not that many, or that one is deleted.
    """
    query = listing(conn).with_only_columns(versions.c.id)
    query = query.where(versions.c.project_id == project_id, versions.c.number == number)
    version_id = conn.execute(query).scalar()
    if version_id is None:
        raise NotFound(f"of project {project_id}, version number", number)
    return int(version_id)


def change(conn: Connection, number: int, **values: Any) -> None:
    """Change columns of a version, such as its name or its preview project.

    Raises:
        NotFound: there is none.
    """
    get(conn, number)
    conn.execute(update(versions).where(versions.c.id == number).values(**values, updated_at=timestamps.now()))


def get_removable(conn: Connection, number: int) -> RowMapping:
    """Return a version that may be deleted, locked until the end of the transaction.

    Raises:
        NotFound: there is none.
        Invalid: it is reserved, and its client has not committed it yet.
    """
    query = select(versions).where(versions.c.id == number, LIVE, visible(conn, versions)).with_for_update()
    version = get_row(conn, query, "version", number)
    if version["status"] == "reserved":
        raise Invalid(f"version {number} is being committed by a client; cancel its reservation, or wait for it")
    return version


def remove(conn: Connection, number: int) -> None:
    """Delete a version, in a write transaction; rows that only it sees become garbage.

    Raises:
        NotFound: there is none.
        Invalid: it is reserved, and its client has not committed it yet.
    """
    version = get_removable(conn, number)
    deleted = {"status": "deleted", "team_file_id": None, "preview_project_id": None, "updated_at": timestamps.now()}
    conn.execute(update(versions).where(versions.c.id == number).values(**deleted))
    update_last_version_epoch(conn, version["project_id"])


def update_last_version_epoch(conn: Connection, project_id: int) -> None:
    """Set `last_version_epoch` of a project after one of its versions was deleted.

    Rows newer than the last version are seen by no version, so that changing them leaves no history.
    """
    last_seen = select(func.coalesce(func.max(versions.c.epoch), 0)).where(versions.c.project_id == project_id, LIVE)
    conn.execute(
        update(projects).where(projects.c.id == project_id).values(last_version_epoch=last_seen.scalar_subquery())
    )
