"""Checks of the store's integrity: the rows of versions (level 1), the files of blobs (2), every byte of them (3).

Nothing is repaired by guessing. A blob whose file is missing or does not match its hash is marked as damaged, and the
file moved to ``quarantine/``: uploading the same bytes again repairs every version that uses them. A file that cannot
be read now is reported and left as it is.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping

from autoflow.errors import ServerBusy
from autoflow.server.db import content_ids
from autoflow.server.db.blobs import DAMAGED
from autoflow.server.maintenance import blob_usage
from autoflow.server.maintenance.blob_usage import Scope
from autoflow.server.maintenance.resumable_job import Cursor, JobState, Stage
from autoflow.server.operations import OperationContext
from autoflow.server.uploads import external_files
from autoflow.server.versions import verification
from autoflow.wire.content_hash import encode_hash
from autoflow.wire.contract.admin import AffectedVersion, IntegrityProblem

LEVELS = (1, 2, 3)
ITEM_BATCH = 5000  # rows of a version in a transaction
BLOB_BATCH = {2: 200, 3: 20}  # blobs a step, by level
_UNREADABLE = "unreadable"


class IntegrityCheck:
    """The stages of a check at one level, for a scope; `problems` is what it has found."""

    def __init__(self, context: OperationContext, level: int, scope: Scope) -> None:
        self._store = context.store
        self._blobs = context.blobs
        self._level = level
        self._scope = scope
        self.problems: list[IntegrityProblem] = []

    @property
    def stages(self) -> Sequence[Stage]:
        """The stages of this level alone: to check all, run the levels one after the other."""
        if self._level == 1:
            return self._check_database, self._check_versions
        return self._check_blobs, self._check_other_contents

    # -- level 1

    def _check_database(self, state: JobState) -> Cursor:
        """Check the structure of one table and its indexes, if the database is a file.

        Raises:
            StoreUnavailable: they are damaged.
        """
        index = state.cursor if isinstance(state.cursor, int) else 0
        tables = self._store.tables()
        if index < len(tables):
            self._store.check(tables[index])
        return index + 1 if index + 1 < len(tables) else None

    def _check_versions(self, state: JobState) -> Cursor:
        """Check some rows of a version; the cursor is the version's id, the position in it, and its sums so far."""
        number, after, sums = state.cursor if isinstance(state.cursor, list) else (0, None, verification.NO_ROWS)
        with self._store.read() as conn:
            page = blob_usage.versions_in_scope(conn, self._scope, number - 1 if after is not None else number, 1)
            if not page:
                return None
            (version,) = page
            if version["id"] != number:  # the next version, or the current one was deleted meanwhile
                number, after, sums = version["id"], None, verification.NO_ROWS
            after, sums = verification.check_version(conn, dict(version), after, ITEM_BATCH, sums)
        if after is not None:
            return [number, after, sums]
        state.count("versions", 1)
        for problem in verification.problems(dict(version), sums):
            affected: AffectedVersion = {
                "id": number,
                "version": version["number"],
                "projectId": version["project_id"],
            }
            self._add_problem(
                state, {"hash": None, "problem": problem, "projects": [], "versions": [affected], "files": []}
            )
        return [number, None, verification.NO_ROWS]

    # -- levels 2 and 3

    def _check_blobs(self, state: JobState) -> Cursor:
        limit = BLOB_BATCH[self._level]
        after = state.cursor if isinstance(state.cursor, str) else ""
        with self._store.read() as conn:
            page = blob_usage.blobs_in_scope(conn, self._scope, after, limit)
        problems = {row["hash"]: problem for row in page if (problem := self._problem_of_blob(row)) is not None}
        state.count("blobs", len(page))
        state.count("bytes", sum(row["size"] for row in page))
        damaged = [row for row in page if problems.get(row["hash"], _UNREADABLE) != _UNREADABLE]
        for blob_hash in self._quarantine(damaged):
            del problems[blob_hash]
        self._report(state, problems)
        return page[-1]["hash"] if len(page) == limit else None

    def _problem_of_blob(self, row: RowMapping) -> str | None:
        try:
            size = self._blobs.size(row["hash"], row["generation"])
            if row["state"] == DAMAGED:
                return "damaged"
            if size is None:
                return "missing"
            if size != row["size"]:
                return "size"
            return None if self._level < 3 or self._matches_hash(row) else "content"
        except ServerBusy:
            return _UNREADABLE

    def _matches_hash(self, row: RowMapping) -> bool:
        digest = hashlib.sha256()
        for chunk in self._blobs.read(row["hash"], row["generation"], 0, row["size"]):
            digest.update(chunk)
        return bool(encode_hash(digest) == row["hash"])

    def _quarantine(self, damaged: Sequence[RowMapping]) -> list[str]:
        """Mark blobs as damaged and quarantine their files; return the hashes of those deleted meanwhile."""
        if not damaged:
            return []
        with self._store.write(count_change=False) as conn:
            marked = {row["hash"]: blob_usage.mark_damaged(conn, row["hash"], row["generation"]) for row in damaged}
        for row in damaged:
            if marked[row["hash"]]:
                self._blobs.quarantine(row["hash"], row["generation"])
        return [blob_hash for blob_hash, is_marked in marked.items() if not is_marked]

    def _check_other_contents(self, state: JobState) -> Cursor:
        """Check contents of items that are not blobs: external files, and hashes that are missing from the store."""
        limit = BLOB_BATCH[self._level]
        after = [str(part) for part in state.cursor] if isinstance(state.cursor, list) else []
        with self._store.read() as conn:
            page = blob_usage.external_or_missing(conn, self._scope, after, limit)
        state.count("sources", len(page))
        problems = {row["hash"]: problem for row in page if (problem := self._problem_of_source(row)) is not None}
        sizes = {row["hash"]: row["size"] for row in page}
        with self._store.read() as conn:
            links = content_ids.file_links(conn, list(problems))
        for content_hash, others in links.items():
            rows = ({"hash": content_hash, "link": link, "size": sizes[content_hash]} for link in others)
            if any(self._problem_of_source(row) is None for row in rows):
                del problems[content_hash]  # a version reads it there
        self._report(state, problems)
        return [page[-1]["hash"], page[-1]["link"]] if len(page) == limit else None

    def _problem_of_source(self, row: Mapping[str, Any] | RowMapping) -> str | None:
        path = external_files.path_of(row["link"]) if row["link"] else None
        if path is None:
            return "missing"
        return external_files.check(row["link"], row["hash"]) if self._level == 3 else _check_size(path, row["size"])

    def _report(self, state: JobState, problems: dict[str, str]) -> None:
        if not problems:
            return
        with self._store.read() as conn:
            references = blob_usage.references_to(conn, list(problems))
        for blob_hash, problem in problems.items():
            self._add_problem(state, {"hash": blob_hash, "problem": problem, **references[blob_hash]})

    def _add_problem(self, state: JobState, problem: IntegrityProblem) -> None:
        state.count("problems", 1)
        self.problems.append(problem)


def _check_size(path: str, size: int | None) -> str | None:
    """Compare a file's size with an expected one; return the problem as text, None if there is none."""
    try:
        actual = os.stat(path).st_size
    except OSError as error:
        return f"the source {path} cannot be read: {error.strerror or error}"
    return None if actual == size else f"the source {path} has changed"
