"""Collecting what nothing needs: history first, then files, then the blobs that only they named, then stray files.

It may run at any time, beside writers and other collectors, and be killed at any time: what is left undone the next
one does. What is removed is gone for good, which is why it runs when it is asked to, and never by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from autoflow.platform.blobs import Found
from autoflow.platform.blobs.content import path_of
from autoflow.platform.operations import Place
from autoflow.platform.steps import Place as At
from autoflow.platform.steps import Progress, Stage
from autoflow.platform.store import collection, purging, sessions

ROWS = 1000  # that a transaction looks at: it holds the write lock for some milliseconds


class Collector:
    """The stages of collecting, over one place."""

    def __init__(self, place: Place) -> None:
        self._store = place.store
        self._blobs = place.blobs

    @property
    def stages(self) -> Sequence[Stage]:
        """In their order: each frees what the next one looks for."""
        return self._history, self._files, self._condemn, self._drop, self._sweep

    def _history(self, progress: Progress) -> At:
        with self._store.write(noted=False) as rows:
            step = purging.purge(rows, ROWS, _text(progress.place))
        progress.count("rows", step.removed)
        return step.place

    def _files(self, progress: Progress) -> At:
        after = progress.place if isinstance(progress.place, int) else 0
        with self._store.write(noted=False) as rows:
            step = collection.drop_files(rows, after, ROWS)
        progress.count("files", step.removed)
        return step.place

    def _condemn(self, progress: Progress) -> At:
        with self._store.write(noted=False) as rows:
            return collection.condemn(rows, _text(progress.place) or "", ROWS).place

    def _drop(self, progress: Progress) -> At:
        with self._store.write(noted=False) as rows:
            gone, step = collection.drop(rows, _text(progress.place) or "", ROWS)
        for one in gone:
            self._blobs.remove(path_of(one.hash, one.generation))
        progress.count("blobs", step.removed)
        progress.count("bytes", sum(one.size for one in gone))
        return step.place

    def _sweep(self, progress: Progress) -> At:
        """Remove files that no row names and that no living session wrote."""
        if progress.place is None:
            with self._store.write(noted=False) as rows:
                sessions.end(rows)
                collection.end_leases(rows)
        page = list(islice(self._blobs.files(_text(progress.place) or ""), ROWS))
        for one in self._strays(page):
            self._blobs.remove(one.path)
            progress.count("strays", 1)
        return page[-1].path if len(page) == ROWS else None

    def _strays(self, page: Sequence[Found]) -> list[Found]:
        """Those found files that are nobody's. They were listed before this looks: whatever is named or begun since
        then has a session that is there.
        """
        with self._store.read() as rows:
            living = collection.living(rows, {sessions.key_of(one.generation) for one in page})
            named = collection.generations(rows, [one.hash for one in page if one.hash is not None])
        return [
            one
            for one in page
            if sessions.key_of(one.generation) not in living
            and (one.hash is None or named.get(one.hash) != one.generation)
        ]


def _text(place: At) -> str | None:
    return place if isinstance(place, str) else None
