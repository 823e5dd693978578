"""Bytes: team files and blobs with erased contents, past the trash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from autoflow.server.blobs import BlobStore
from autoflow.server.db import backup_leases, upload_leases
from autoflow.server.db import copies as copy_rows
from autoflow.server.db.access import caller, visible
from autoflow.server.db.blobs import DAMAGED
from autoflow.server.db.schema import blob_leases, blobs, files, members, versions
from autoflow.server.db.schema import upload_leases as upload_lease_table
from autoflow.server.errors import Busy
from autoflow.server.maintenance import unused_blobs
from autoflow.server.maintenance.erasure import targets
from autoflow.wire.content_hash import encode_hash

_AFTER_HASHES = "g"  # files that are being written are listed after those named by a hash


class DeletedFile(NamedTuple):
    """A deleted row of a team file."""

    id: int
    hash: str


def delete_files(conn: Connection, hashes: Sequence[str], file_ids: Sequence[int]) -> list[DeletedFile]:
    """Delete the rows of the team's files with some contents, and of some by their ids."""
    is_target = files.c.hash.in_(hashes) | files.c.id.in_(file_ids)
    deleted = [
        DeletedFile(*row)
        for row in conn.execute(select(files.c.id, files.c.hash).where(is_target, visible(conn, files)))
    ]
    ids = [file.id for file in deleted]
    conn.execute(update(versions).where(versions.c.team_file_id.in_(ids)).values(team_file_id=None))
    copy_rows.forget(conn, copy_rows.FILE, ids)
    conn.execute(delete(files).where(files.c.id.in_(ids)))
    return deleted


def containing_files(conn: Connection, store: BlobStore, ranges: Iterable[str]) -> set[int]:
    """Return the ids of the team's files that have some content at some range, as they are journaled.

    Raises:
        StorageFailed: a file cannot be read now.
    """
    containing: set[int] = set()
    for value in ranges:
        *numbers, content_hash = value.split(" ")
        file_id, start, stop = map(int, numbers)
        if file_id in containing:
            continue
        query = select(blobs.c.hash, blobs.c.generation).join_from(files, blobs).where(files.c.id == file_id)
        row = conn.execute(query.where(visible(conn, files), files.c.size >= stop, blobs.c.state != DAMAGED)).first()
        if row is None:
            continue
        digest = hashlib.sha256()
        for chunk in store.read(row.hash, row.generation, start, stop):
            digest.update(chunk)
        if encode_hash(digest) == content_hash:
            containing.add(file_id)
    return containing


def delete_blob(conn: Connection, erasure_id: int, blob_hash: str) -> bool:
    """Delete the row of a blob unless something else uses it; return whether it stays.

    The leases of the team's members on it end, and those of local users, who are in no team. Those of other teams'
    members stay: they are about to use it.

    Raises:
        Busy: a backup is reading the blobs.
    """
    if backup_leases.is_backup_running(conn):
        raise Busy("a backup of this store is running: the erasure is completed when it has ended", retry_after=60.0)
    of_team = select(members.c.user_id).where(members.c.team_id.in_(sorted(caller(conn).teams or ())))
    own = blob_leases.c.user_id.in_(of_team) | blob_leases.c.user_id.not_in(select(members.c.user_id))
    conn.execute(delete(blob_leases).where(blob_leases.c.hash == blob_hash, own))
    is_unused = (blobs.c.hash == blob_hash, ~unused_blobs.is_referenced(conn))
    row = conn.execute(select(blobs.c.generation).where(*is_unused)).first()
    if row is None:
        return conn.execute(select(blobs.c.id).where(blobs.c.hash == blob_hash)).first() is not None
    targets.save(conn, erasure_id, [(targets.GENERATION, f"{blob_hash} {row.generation}")])
    conn.execute(delete(blob_leases).where(blob_leases.c.hash == blob_hash))
    conn.execute(delete(blobs).where(blobs.c.hash == blob_hash))
    return False


def kept_generations(conn: Connection, erasure_id: int, blob_hash: str) -> Callable[[str], bool]:
    """Return the condition that a file of a content stays: a row names it, or an upload in progress has written it."""
    query = select(blobs.c.generation).where(blobs.c.hash == blob_hash)
    named = set(conn.execute(query).scalars())
    deleted = {value.partition(" ")[2] for value in generations(conn, erasure_id, blob_hash)}
    active = set(conn.execute(select(upload_lease_table.c.key)).scalars())

    def keeps(generation: str) -> bool:
        in_progress = generation not in deleted and upload_leases.lease_key(generation) in active
        return generation in named or in_progress

    return keeps


def generations(conn: Connection, erasure_id: int, blob_hash: str) -> list[str]:
    """Return the journaled files of a content whose row was deleted."""
    values = targets.load(conn, erasure_id, targets.GENERATION)
    return [value for value in values if value.startswith(f"{blob_hash} ")]


def delete_abandoned_uploads(conn: Connection, store: BlobStore) -> int:
    """Delete what killed processes left of uploads, whose content is unknown; return how many files."""
    partial = [file for file in store.files(_AFTER_HASHES) if file.hash is None]
    active = unused_blobs.active_leases(conn, {upload_leases.lease_key(file.generation) for file in partial})
    abandoned = [file for file in partial if upload_leases.lease_key(file.generation) not in active]
    for file in abandoned:
        store.remove(file.path)
    return len(abandoned)
