"""Collecting what nothing needs: history first, then files, then the blobs that only they named, then stray files.

It may run at any time, beside writers and other collectors, and be killed at any time: what is left undone the next
one does. It runs when it is asked to, never by itself; it takes only from the store's own blobs, and no large share of
them unless that was confirmed. Files go to the trash first, from where they come back when something needs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from sqlalchemy import select

from autoflow.server.blobs import BlobFile
from autoflow.server.blobs.content import blob_path
from autoflow.server.db import clock, upload_leases
from autoflow.server.errors import Conflict
from autoflow.server.maintenance import purge, unused_blobs
from autoflow.server.maintenance.resumable_job import Cursor, JobState, Stage
from autoflow.server.operations import OperationContext

BATCH = 1000  # that a transaction looks at: it holds the write lock for some milliseconds
TRASH_SECONDS = 7 * 24 * 3600.0  # seconds that a file is in the trash, at least
MAX_SHARE, ALWAYS_ALLOWED = 0.2, 10  # what may be removed unconfirmed: this share of all blobs, or so many
_LAST_DAY = "9"  # a day after all others
_FILES, _STRAYS = "files seen", "strays seen"


class GarbageCollector:
    """The stages of collecting, over one place.

    Args:
        place: the store and its blobs.
        confirmed: whether a large share of all blobs may be removed.
        empty: whether the trash is emptied of all there is, and not only of what is old.
    """

    def __init__(self, context: OperationContext, *, confirmed: bool = False, empty: bool = False) -> None:
        self._store = context.store
        self._blobs = context.blobs
        self._confirmed = confirmed
        self._empty = empty

    @property
    def stages(self) -> Sequence[Stage]:
        """In their order: each frees what the next one looks for."""
        look = self._history, self._files, self._condemn, self._end, self._survey
        return *look, self._drop, self._sweep, self._discard

    def _history(self, progress: JobState) -> Cursor:
        with self._store.write(count_change=False) as conn:
            step = purge.purge(conn, BATCH, _text(progress.cursor))
        progress.count("rows", step.removed)
        return step.place

    def _files(self, progress: JobState) -> Cursor:
        after = progress.cursor if isinstance(progress.cursor, int) else 0
        with self._store.write(count_change=False) as conn:
            step = unused_blobs.delete_files(conn, after, BATCH)
        progress.count("files", step.removed)
        return step.place

    def _condemn(self, progress: JobState) -> Cursor:
        with self._store.write(count_change=False) as conn:
            return unused_blobs.condemn(conn, _text(progress.cursor) or "", BATCH).place

    def _end(self, _progress: JobState) -> Cursor:
        """End what is over: sessions, and leases on uploads."""
        with self._store.write(count_change=False) as conn:
            upload_leases.delete_expired(conn)
            unused_blobs.delete_expired_leases(conn)
        return None

    def _survey(self, progress: JobState) -> Cursor:
        """Count what the next two stages would take, before they take any of it.

        Raises:
            Conflict: it is a large share of all, and that was not confirmed.
        """
        page = self._page(progress)
        progress.count(_FILES, len(page))
        progress.count(_STRAYS, len(self._strays(page)))
        if len(page) == BATCH:
            return page[-1].path
        with self._store.read() as conn:
            condemned, named = unused_blobs.count_condemned(conn)
        taken = condemned + progress.counts[_STRAYS]
        there = max(progress.counts[_FILES], named + progress.counts[_STRAYS])
        if not self._confirmed and taken > max(ALWAYS_ALLOWED, MAX_SHARE * there):
            raise Conflict(
                f"{taken:,} of {there:,} blobs would be removed, more than {MAX_SHARE:.0%}: nothing was. Check the "
                'store (`autoflow versions verify`), then confirm with --yes, or "confirm": true',
                details={"confirm": {"removed": taken, "of": there}},
            )
        return None

    def _drop(self, progress: JobState) -> Cursor:
        with self._store.write(count_change=False) as conn:
            gone, step = unused_blobs.delete_condemned(conn, _text(progress.cursor) or "", BATCH)
        day = self._day()
        for one in gone:
            self._blobs.trash(blob_path(one.hash, one.generation), day)
        progress.count("blobs", step.removed)
        progress.count("bytes", sum(one.size for one in gone))
        return step.place

    def _sweep(self, progress: JobState) -> Cursor:
        """Take files that no row names and that no living session wrote; those that are not whole are removed."""
        page = self._page(progress)
        day = self._day()
        for one in self._strays(page):
            if one.hash is None:
                self._blobs.remove(one.path)
            else:
                self._blobs.trash(one.path, day)
            progress.count("strays", 1)
        return page[-1].path if len(page) == BATCH else None

    def _discard(self, progress: JobState) -> Cursor:
        """Remove what has been in the trash for long enough."""
        removed = self._blobs.empty_trash(_LAST_DAY if self._empty else self._day(-TRASH_SECONDS), BATCH)
        progress.count("emptied", removed)
        return 0 if removed == BATCH else None

    def _page(self, progress: JobState) -> Sequence[BlobFile]:
        return list(islice(self._blobs.files(_text(progress.cursor) or ""), BATCH))

    def _day(self, seconds: float = 0) -> str:
        """Return the database's date, so many seconds from now."""
        with self._store.read() as conn:
            return str(conn.execute(select(clock.after(conn, seconds))).scalar_one())[:10]

    def _strays(self, page: Sequence[BlobFile]) -> list[BlobFile]:
        """Those found files that are nobody's. They were listed before this looks: whatever is named or begun since
        then has a session that is there.
        """
        with self._store.read() as conn:
            living = unused_blobs.active_leases(conn, {upload_leases.lease_key(one.generation) for one in page})
            named = unused_blobs.generations(conn, [one.hash for one in page if one.hash is not None])
        return [
            one
            for one in page
            if upload_leases.lease_key(one.generation) not in living
            and (one.hash is None or named.get(one.hash) != one.generation)
        ]


def _text(place: Cursor) -> str | None:
    return place if isinstance(place, str) else None
