"""Queries on the blobs that projects and versions use, and on what refers to given blobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, func, or_, select, union, update

from autoflow.server.db import content_ids
from autoflow.server.db.blobs import DAMAGED
from autoflow.server.db.schema import blobs, files, items, items_history, projects, versions
from autoflow.server.paging import chunks
from autoflow.server.versions.versions import COMMITTED
from autoflow.wire.contract.admin import AffectedFile, AffectedProject, AffectedVersion

_EXTERNAL = "file://%"


class References(TypedDict):
    """The rows that use a blob."""

    projects: list[AffectedProject]
    versions: list[AffectedVersion]
    files: list[AffectedFile]


class Scope(NamedTuple):
    """The part of the store that is checked: all of it, a project with all its versions, or one version.

    Args:
        project: the project's id, None for the whole store.
        epoch: the version's epoch, None for the whole project.
        version: the version's id.
    """

    project: int | None = None
    epoch: int | None = None
    version: int | None = None


def _within(table: Table, scope: Scope) -> ColumnElement[bool]:
    """Return the condition that a row of `items`, or of their history, has content and is in scope."""
    conditions: list[ColumnElement[bool]] = [table.c.hash.is_not(None)]
    if scope.project is not None:
        conditions.append(table.c.project_id == scope.project)
    if scope.epoch is not None:
        conditions.append(table.c.valid_from <= scope.epoch)
        if table is items_history:
            conditions.append(table.c.valid_to > scope.epoch)
    return and_(*conditions)


def versions_in_scope(conn: Connection, scope: Scope, after: int, limit: int) -> Sequence[RowMapping]:
    """Return the next versions in a scope, by id."""
    query = select(versions).where(COMMITTED, versions.c.id > after)
    if scope.project is not None:
        query = query.where(versions.c.project_id == scope.project)
    if scope.version is not None:
        query = query.where(versions.c.id == scope.version)
    return conn.execute(query.order_by(versions.c.id).limit(limit)).mappings().all()


def blobs_in_scope(conn: Connection, scope: Scope, after: str, limit: int) -> Sequence[RowMapping]:
    """Return the next blobs in a scope, by hash."""
    query = select(blobs).where(blobs.c.hash > after)
    if scope.project is not None:
        used = [select(table.c.blob_id).where(_within(table, scope)) for table in (items, items_history)]
        archive = select(blobs.c.id).join(files, files.c.hash == blobs.c.hash)
        archive = archive.join(versions, versions.c.team_file_id == files.c.id)
        archive = archive.where(versions.c.project_id == scope.project)
        if scope.version is not None:
            archive = archive.where(versions.c.id == scope.version)
        query = query.where(blobs.c.id.in_(union(*used, archive)))
    return conn.execute(query.order_by(blobs.c.hash).limit(limit)).mappings().all()


def external_or_missing(conn: Connection, scope: Scope, after: Sequence[str], limit: int) -> Sequence[RowMapping]:
    """Return the next contents of items in a scope that are not blobs: external files, and missing ones.

    Each is ``hash``, ``link`` (empty for none) and ``size``, ordered by these.
    """

    def contents_of(table: Table) -> Any:
        has_blob = select(blobs.c.id).where(blobs.c.id == table.c.blob_id).correlate(table).exists()
        not_a_blob = or_(table.c.link.like(_EXTERNAL), ~has_blob)
        link = func.coalesce(table.c.link, "").label("link")
        return select(table.c.hash, link, table.c.size).where(_within(table, scope), not_a_blob)

    contents = union(contents_of(items), contents_of(items_history)).subquery()
    after_hash, after_link = (*after, "", "")[:2]
    link = contents.c.link
    following = or_(contents.c.hash > after_hash, and_(contents.c.hash == after_hash, link > after_link))
    query = select(contents).where(following).order_by(contents.c.hash, link).limit(limit)
    return conn.execute(query).mappings().all()


def mark_damaged(conn: Connection, blob_hash: str, generation: str) -> bool:
    """Mark a blob as damaged, so that uploading the same bytes again repairs it; return False if it was deleted."""
    blob = (blobs.c.hash == blob_hash, blobs.c.generation == generation)
    return conn.execute(update(blobs).where(*blob).values(state=DAMAGED)).rowcount > 0


def references_to(conn: Connection, hashes: Sequence[str]) -> dict[str, References]:
    """Return what uses each of some blobs, by hash."""
    references: dict[str, References] = {
        blob_hash: {"projects": [], "versions": [], "files": []} for blob_hash in hashes
    }
    for part in chunks(list(hashes)):
        for row in _projects(conn, part):
            references[row.hash]["projects"].append({"id": row.id, "name": row.name})
        for row in _versions(conn, part):
            references[row.hash]["versions"].append({"id": row.id, "version": row.number, "projectId": row.project_id})
        query = select(files.c.hash, files.c.id, files.c.path, files.c.team_id).where(files.c.hash.in_(part))
        for row in conn.execute(query.order_by(files.c.id)):
            references[row.hash]["files"].append({"id": row.id, "path": row.path, "teamId": row.team_id})
    return references


def _projects(conn: Connection, hashes: Sequence[str]) -> Any:
    query = select(items.c.hash, projects.c.id, projects.c.name).distinct().join(projects)
    query = query.where(content_ids.content_in(items, hashes))
    return conn.execute(query.order_by(projects.c.id))


def _versions(conn: Connection, hashes: Sequence[str]) -> Any:
    columns = (versions.c.id, versions.c.number, versions.c.project_id)
    current = select(items.c.hash, *columns).join(
        versions, and_(versions.c.project_id == items.c.project_id, versions.c.epoch >= items.c.valid_from)
    )
    old = items_history.c
    past = select(old.hash, *columns).join(
        versions,
        and_(
            versions.c.project_id == old.project_id, versions.c.epoch >= old.valid_from, versions.c.epoch < old.valid_to
        ),
    )
    archive = select(files.c.hash, *columns).join(versions, versions.c.team_file_id == files.c.id)
    queries = (
        current.where(content_ids.content_in(items, hashes), COMMITTED),
        past.where(content_ids.content_in(items_history, hashes), COMMITTED),
        archive.where(files.c.hash.in_(hashes), COMMITTED),
    )
    users = union(*queries).subquery()
    return conn.execute(select(users).order_by(users.c.id))
