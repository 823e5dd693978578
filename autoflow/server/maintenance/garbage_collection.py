"""Garbage collection: history first, then team files, then the blobs that only those used, then stray files.

It may run at any time, beside writers and other collectors, and may be killed at any time: the next run completes it.
It runs on request only. It deletes only from the store's own blobs, and a large share of them only if that was
confirmed. Files are moved to the trash first, from where they are restored when they are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from sqlalchemy import Connection, select

from autoflow.server.blobs import BlobFile
from autoflow.server.blobs.content import blob_path
from autoflow.server.db import backup_leases, clock, upload_leases
from autoflow.server.errors import Busy, Conflict
from autoflow.server.maintenance import purge, unused_blobs
from autoflow.server.maintenance.resumable_job import Cursor, JobState, Stage
from autoflow.server.operations import OperationContext

BATCH = 1000  # rows that a transaction examines: it holds the write lock for some milliseconds
TRASH_SECONDS = 7 * 24 * 3600.0  # that a file stays in the trash, at least
MAX_SHARE, ALWAYS_ALLOWED = 0.2, 10  # removed without confirmation: this share of all blobs, or so many
_LAST_DAY = "9"  # sorts after all days
_FILES, _STRAYS = "files seen", "strays seen"


class GarbageCollector:
    """The stages of one garbage collection.

    Args:
        context: the store and its blobs.
        confirmed: whether a large share of all blobs may be removed.
        empty: whether to empty the trash completely, and not only of old files.
    """

    def __init__(self, context: OperationContext, *, confirmed: bool = False, empty: bool = False) -> None:
        self._store = context.store
        self._blobs = context.blobs
        self._confirmed = confirmed
        self._empty = empty

    @property
    def stages(self) -> Sequence[Stage]:
        """The stages in their order: each frees what the next one collects."""
        mark = (
            self._check_no_backup,
            self._purge_history,
            self._delete_files,
            self._condemn,
            self._delete_leases,
            self._check_share,
        )
        return *mark, self._delete_condemned, self._delete_strays, self._empty_trash

    def _check_no_backup(self, _state: JobState) -> Cursor:
        with self._store.read() as conn:
            _refuse_during_backup(conn)
        return None

    def _purge_history(self, state: JobState) -> Cursor:
        with self._store.write(count_change=False) as conn:
            step = purge.purge(conn, BATCH, _text(state.cursor))
        state.count("rows", step.removed)
        return step.cursor

    def _delete_files(self, state: JobState) -> Cursor:
        after = state.cursor if isinstance(state.cursor, int) else 0
        with self._store.write(count_change=False) as conn:
            step = unused_blobs.delete_files(conn, after, BATCH)
        state.count("files", step.removed)
        return step.cursor

    def _condemn(self, state: JobState) -> Cursor:
        with self._store.write(count_change=False) as conn:
            return unused_blobs.condemn(conn, _text(state.cursor) or "", BATCH).cursor

    def _delete_leases(self, _state: JobState) -> Cursor:
        with self._store.write(count_change=False) as conn:
            upload_leases.delete_expired(conn)
            unused_blobs.delete_expired_leases(conn)
        return None

    def _check_share(self, state: JobState) -> Cursor:
        """Count what the next two stages would remove, before they remove anything.

        Raises:
            Conflict: it is a large share of all blobs, and that was not confirmed.
        """
        page = self._page(state)
        state.count(_FILES, len(page))
        state.count(_STRAYS, len(self._strays(page)))
        if len(page) == BATCH:
            return page[-1].path
        with self._store.read() as conn:
            condemned, rows = unused_blobs.count_condemned(conn)
        removed = condemned + state.counts[_STRAYS]
        total = max(state.counts[_FILES], rows + state.counts[_STRAYS])
        if not self._confirmed and removed > max(ALWAYS_ALLOWED, MAX_SHARE * total):
            raise Conflict(
                f"{removed:,} of {total:,} blobs would be removed, more than {MAX_SHARE:.0%}: nothing was. Check the "
                'store (`autoflow versions verify`), then confirm with --yes, or "confirm": true',
                details={"confirm": {"removed": removed, "of": total}},
            )
        return None

    def _delete_condemned(self, state: JobState) -> Cursor:
        with self._store.write(count_change=False) as conn:
            _refuse_during_backup(conn)
            deleted, step = unused_blobs.delete_condemned(conn, _text(state.cursor) or "", BATCH)
        day = self._day()
        for blob in deleted:
            self._blobs.trash(blob_path(blob.hash, blob.generation), day)
        state.count("blobs", step.removed)
        state.count("bytes", sum(blob.size for blob in deleted))
        return step.cursor

    def _delete_strays(self, state: JobState) -> Cursor:
        """Move stray files to the trash; those that were never completely written are deleted."""
        page = self._page(state)
        day = self._day()
        for file in self._strays(page):
            if file.hash is None:
                self._blobs.remove(file.path)
            else:
                self._blobs.trash(file.path, day)
            state.count("strays", 1)
        return page[-1].path if len(page) == BATCH else None

    def _empty_trash(self, state: JobState) -> Cursor:
        removed = self._blobs.empty_trash(_LAST_DAY if self._empty else self._day(-TRASH_SECONDS), BATCH)
        state.count("emptied", removed)
        return 0 if removed == BATCH else None

    def _page(self, state: JobState) -> Sequence[BlobFile]:
        return list(islice(self._blobs.files(_text(state.cursor) or ""), BATCH))

    def _day(self, seconds: float = 0) -> str:
        """Return the database's date, so many seconds from now."""
        with self._store.read() as conn:
            return str(conn.execute(select(clock.after(conn, seconds))).scalar_one())[:10]

    def _strays(self, page: Sequence[BlobFile]) -> list[BlobFile]:
        """Return the files that no row names and whose upload lease has ended.

        The files were listed before this query: whatever was registered or begun since has a lease that it sees.
        """
        with self._store.read() as conn:
            active = unused_blobs.active_leases(conn, {upload_leases.lease_key(file.generation) for file in page})
            in_use = unused_blobs.generations(conn, [file.hash for file in page if file.hash is not None])
        return [
            file
            for file in page
            if upload_leases.lease_key(file.generation) not in active
            and (file.hash is None or in_use.get(file.hash) != file.generation)
        ]


def _refuse_during_backup(conn: Connection) -> None:
    """Check that no backup is copying blobs.

    Raises:
        Busy: there is one; what it has read may name blobs that nothing needs any more.
    """
    if backup_leases.is_backup_running(conn):
        raise Busy("a backup of this store is running: collect when it has ended", retry_after=60.0)


def _text(cursor: Cursor) -> str | None:
    return cursor if isinstance(cursor, str) else None
