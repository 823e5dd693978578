"""Whether what is kept is whole: the rows of versions (level 1), the files of blobs (2), every byte of them (3).

Nothing is repaired by guessing. A file that is missing or not of its hash is marked, and moved to ``quarantine/``:
whoever uploads the same bytes again heals every version that needs them. One that cannot be read now is told of, and
left as it is.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import RowMapping

from autoflow.errors import ServerBusy
from autoflow.server.db.blobs import DAMAGED
from autoflow.server.maintenance import blob_usage
from autoflow.server.maintenance.blob_usage import Scope
from autoflow.server.maintenance.resumable_job import Cursor, JobState, Stage
from autoflow.server.operations import OperationContext
from autoflow.server.uploads import external_files
from autoflow.server.versions import verification

LEVELS = (1, 2, 3)
ITEM_BATCH = 5000  # rows of a version in a transaction
BLOB_BATCH = {2: 200, 3: 20}  # files between two looks at the time
_UNREADABLE = "unreadable"

Problem = dict[str, Any]


class IntegrityCheck:
    """The stages of one level, over one place and a scope; what was found wrong is in `problems`."""

    def __init__(self, context: OperationContext, level: int, scope: Scope) -> None:
        self._store = context.store
        self._blobs = context.blobs
        self._level = level
        self._scope = scope
        self.problems: list[Problem] = []

    @property
    def stages(self) -> Sequence[Stage]:
        """A level's; each is only what it says, so that levels are run one after the other."""
        return (self._database, self._versions) if self._level == 1 else (self._kept, self._apart)

    # -- level 1

    def _database(self, progress: JobState) -> Cursor:
        """Check the structure of one table and its indexes, where the database is a file.

        Raises:
            StoreUnavailable: they are damaged.
        """
        number = progress.cursor if isinstance(progress.cursor, int) else 0
        tables = self._store.tables()
        if number < len(tables):
            self._store.check(tables[number])
        return number + 1 if number + 1 < len(tables) else None

    def _versions(self, progress: JobState) -> Cursor:
        """Look at some rows of a version; a place is the version, what goes on after in it, and what was found."""
        number, after, state = progress.cursor if isinstance(progress.cursor, list) else (0, None, {})
        with self._store.read() as conn:
            found = blob_usage.versions_in_scope(conn, self._scope, number - 1 if after is not None else number, 1)
            if not found:
                return None
            (version,) = found
            if version["id"] != number:  # the next one, or the one looked at was deleted meanwhile
                number, after, state = version["id"], None, {}
            after, state = verification.check_version(conn, dict(version), after, ITEM_BATCH, state)
        if after is not None:
            return [number, after, state]
        progress.count("versions", 1)
        for problem in verification.problems(dict(version), state):
            named = {"id": number, "version": version["number"], "projectId": version["project_id"]}
            self._found(progress, {"problem": problem, "versions": [named]})
        return [number, None, {}]

    # -- levels 2 and 3

    def _kept(self, progress: JobState) -> Cursor:
        limit = BLOB_BATCH[self._level]
        with self._store.read() as conn:
            page = blob_usage.blobs_in_scope(
                conn, self._scope, progress.cursor if isinstance(progress.cursor, str) else "", limit
            )
        wrong = {row["hash"]: problem for row in page if (problem := self._look(row)) is not None}
        progress.count("blobs", len(page))
        progress.count("bytes", sum(row["size"] for row in page))
        self._condemn([row for row in page if wrong.get(row["hash"], _UNREADABLE) != _UNREADABLE], wrong)
        self._tell(progress, wrong)
        return page[-1]["hash"] if len(page) == limit else None

    def _look(self, row: RowMapping) -> str | None:
        """What is wrong with a blob's file."""
        try:
            size = self._blobs.size(row["hash"], row["generation"])
            if row["state"] == DAMAGED:
                return "damaged"
            if size is None:
                return "missing"
            if size != row["size"]:
                return "size"
            return None if self._level < 3 or self._is_whole(row) else "content"
        except ServerBusy:
            return _UNREADABLE

    def _is_whole(self, row: RowMapping) -> bool:
        digest = hashlib.sha256()
        for chunk in self._blobs.read(row["hash"], row["generation"], 0, row["size"]):
            digest.update(chunk)
        return bool(base64.b64encode(digest.digest()).decode() == row["hash"])

    def _condemn(self, broken: Sequence[RowMapping], wrong: dict[str, str]) -> None:
        """Mark blobs as damaged and put their files aside; one that was collected meanwhile is no problem."""
        if not broken:
            return
        with self._store.write(count_change=False) as conn:
            gone = [row for row in broken if not blob_usage.mark_damaged(conn, row["hash"], row["generation"])]
        for row in broken:
            if row in gone:
                del wrong[row["hash"]]
            else:
                self._blobs.quarantine(row["hash"], row["generation"])

    def _apart(self, progress: JobState) -> Cursor:
        """Bytes that items name and that are no blob's: files by reference, and hashes nobody knows."""
        limit = BLOB_BATCH[self._level]
        after = [str(part) for part in progress.cursor] if isinstance(progress.cursor, list) else []
        with self._store.read() as conn:
            page = blob_usage.external_or_missing(conn, self._scope, after, limit)
        progress.count("sources", len(page))
        wrong = {row["hash"]: problem for row in page if (problem := self._source(row)) is not None}
        self._tell(progress, wrong)
        return [page[-1]["hash"], page[-1]["link"]] if len(page) == limit else None

    def _source(self, row: RowMapping) -> str | None:
        path = external_files.path_of(row["link"]) if row["link"] else None
        if path is None:
            return "missing"
        check: Callable[[], str | None] = lambda: external_files.check(row["link"], row["hash"])  # noqa: E731
        return check() if self._level == 3 else _sized(path, row["size"])

    def _tell(self, progress: JobState, wrong: dict[str, str]) -> None:
        if not wrong:
            return
        with self._store.read() as conn:
            told = blob_usage.references_to(conn, list(wrong))
        for content, problem in wrong.items():
            self._found(progress, {"hash": content, "problem": problem, **told[content]})

    def _found(self, progress: JobState, problem: Problem) -> None:
        progress.count("problems", 1)
        self.problems.append({"hash": None, "projects": [], "versions": [], "files": [], **problem})


def _sized(path: str, size: int | None) -> str | None:
    """What is wrong with a file by its size alone."""
    try:
        found = os.stat(path).st_size
    except OSError as error:
        return f"the source {path} cannot be read: {error.strerror or error}"
    return None if found == size else f"the source {path} has changed"
