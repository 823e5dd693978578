"""Which bytes a project or a version needs, and what is affected when some are lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, func, or_, select, union, update

from autoflow.server.db import content_ids
from autoflow.server.db.blobs import DAMAGED
from autoflow.server.db.schema import blobs, files, items, items_history, projects, versions
from autoflow.server.paging import chunks
from autoflow.server.versions.versions import COMMITTED

_REFERENCE = "file://%"

References = dict[str, list[dict[str, Any]]]


class Scope(NamedTuple):
    """What is looked at: all there is, a project with all its versions, or one version.

    Args:
        project: its id, None for all.
        epoch: the version's, None for all of the project.
        version: the version's id.
    """

    project: int | None = None
    epoch: int | None = None
    version: int | None = None


def _within(table: Table, scope: Scope) -> ColumnElement[bool]:
    """The condition on rows of items, or of their history."""
    conditions: list[ColumnElement[bool]] = [table.c.hash.is_not(None)]
    if scope.project is not None:
        conditions.append(table.c.project_id == scope.project)
    if scope.epoch is not None:
        conditions.append(table.c.valid_from <= scope.epoch)
        if table is items_history:
            conditions.append(table.c.valid_to > scope.epoch)
    return and_(*conditions)


def versions_in_scope(conn: Connection, scope: Scope, after: int, limit: int) -> Sequence[RowMapping]:
    """The next versions within a scope, by their ids."""
    query = select(versions).where(COMMITTED, versions.c.id > after)
    if scope.project is not None:
        query = query.where(versions.c.project_id == scope.project)
    if scope.version is not None:
        query = query.where(versions.c.id == scope.version)
    return conn.execute(query.order_by(versions.c.id).limit(limit)).mappings().all()


def blobs_in_scope(conn: Connection, scope: Scope, after: str, limit: int) -> Sequence[RowMapping]:
    """The next blobs within a scope, by their hashes."""
    query = select(blobs).where(blobs.c.hash > after)
    if scope.project is not None:
        named = [select(table.c.blob_id).where(_within(table, scope)) for table in (items, items_history)]
        archive = select(blobs.c.id).join(files, files.c.hash == blobs.c.hash)
        archive = archive.join(versions, versions.c.team_file_id == files.c.id)
        archive = archive.where(versions.c.project_id == scope.project)
        if scope.version is not None:
            archive = archive.where(versions.c.id == scope.version)
        query = query.where(blobs.c.id.in_(union(*named, archive)))
    return conn.execute(query.order_by(blobs.c.hash).limit(limit)).mappings().all()


def external_or_missing(conn: Connection, scope: Scope, after: Sequence[str], limit: int) -> Sequence[RowMapping]:
    """The next bytes that items within a scope name and that are no blob's: those by reference, and lost ones.

    Each is ``hash``, ``link`` (empty for none), ``size``, in their order.
    """

    def half(table: Table) -> Any:
        known = select(blobs.c.id).where(blobs.c.id == table.c.blob_id).correlate(table).exists()
        elsewhere = or_(table.c.link.like(_REFERENCE), ~known)
        link = func.coalesce(table.c.link, "").label("link")
        return select(table.c.hash, link, table.c.size).where(_within(table, scope), elsewhere)

    found = union(half(items), half(items_history)).subquery()
    first, second = (*after, "", "")[:2]
    link = found.c.link
    beyond = or_(found.c.hash > first, and_(found.c.hash == first, link > second))
    query = select(found).where(beyond).order_by(found.c.hash, link).limit(limit)
    return conn.execute(query).mappings().all()


def mark_damaged(conn: Connection, content: str, generation: str) -> bool:
    """Mark a blob as damaged, so that the same bytes heal it when they are uploaded again; False when it is gone."""
    named = (blobs.c.hash == content, blobs.c.generation == generation)
    return conn.execute(update(blobs).where(*named).values(state=DAMAGED)).rowcount > 0


def references_to(conn: Connection, hashes: Sequence[str]) -> dict[str, References]:
    """What names some bytes: ``projects``, ``versions`` and ``files``, by their hash."""
    found: dict[str, References] = {content: {"projects": [], "versions": [], "files": []} for content in hashes}
    for part in chunks(list(hashes)):
        for row in _projects(conn, part):
            found[row.hash]["projects"].append({"id": row.id, "name": row.name})
        for row in _versions(conn, part):
            found[row.hash]["versions"].append({"id": row.id, "version": row.number, "projectId": row.project_id})
        query = select(files.c.hash, files.c.id, files.c.path, files.c.team_id).where(files.c.hash.in_(part))
        for row in conn.execute(query.order_by(files.c.id)):
            found[row.hash]["files"].append({"id": row.id, "path": row.path, "teamId": row.team_id})
    return found


def _projects(conn: Connection, hashes: Sequence[str]) -> Any:
    query = select(items.c.hash, projects.c.id, projects.c.name).distinct().join(projects)
    query = query.where(content_ids.content_in(items, hashes))
    return conn.execute(query.order_by(projects.c.id))


def _versions(conn: Connection, hashes: Sequence[str]) -> Any:
    told = (versions.c.id, versions.c.number, versions.c.project_id)
    current = select(items.c.hash, *told).join(
        versions, and_(versions.c.project_id == items.c.project_id, versions.c.epoch >= items.c.valid_from)
    )
    was = items_history.c
    past = select(was.hash, *told).join(
        versions,
        and_(
            versions.c.project_id == was.project_id, versions.c.epoch >= was.valid_from, versions.c.epoch < was.valid_to
        ),
    )
    archive = select(files.c.hash, *told).join(versions, versions.c.team_file_id == files.c.id)
    halves = (
        current.where(content_ids.content_in(items, hashes), COMMITTED),
        past.where(content_ids.content_in(items_history, hashes), COMMITTED),
        archive.where(files.c.hash.in_(hashes), COMMITTED),
    )
    found = union(*halves).subquery()
    return conn.execute(select(found).order_by(found.c.id))
