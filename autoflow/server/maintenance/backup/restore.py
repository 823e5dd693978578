"""Restores a backup to an empty place: blobs first, then all rows in one transaction.

What is written is verified: each blob by its hash, each file of rows by the manifest, and at the end the rows of all
versions by their digests. Until the transaction commits there is no store; a restore that was killed is continued by
the next one, which keeps the blobs that it has written.

The restored store has the id of the original. Ids that the original assigned after the backup may be known to people
and apps, so `identity.MARGIN` ids are skipped, or more if this machine has a newer mark of the original.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import URL, Connection, update

from autoflow.errors import BackupError
from autoflow.server import private_files
from autoflow.server.blobs import BlobStore, ReceivedBlob
from autoflow.server.blobs.content import CHUNK_BYTES, blob_path
from autoflow.server.db import counters, identity, loading, schema, setup
from autoflow.server.db.blobs import DAMAGED, LIVE
from autoflow.server.db.engine import Store, make_engine
from autoflow.server.db.identity import Mark, Witness
from autoflow.server.db.upload_leases import UploadLeases
from autoflow.server.maintenance.backup.create import BlobRow, Progress, iter_blobs
from autoflow.server.maintenance.backup.folder import BackupFolder
from autoflow.server.maintenance.backup.manifest import Manifest
from autoflow.server.maintenance.backup.parallel import for_each
from autoflow.server.maintenance.backup.rows import read_table, total_rows
from autoflow.server.maintenance.blob_usage import Scope
from autoflow.server.maintenance.integrity_check import IntegrityCheck
from autoflow.server.maintenance.resumable_job import JobState
from autoflow.server.operations import OperationContext
from autoflow.wire.content_hash import encode_hash
from autoflow.wire.contract.admin import IntegrityProblem

_SYNC_BATCH = 500  # blobs that are made durable at once


class Restored(NamedTuple):
    """A restored store: its backup, how many blobs were written now, and what is wrong with its versions."""

    manifest: Manifest
    written: int
    problems: Sequence[IntegrityProblem]


class Restore:
    """One restore of a backup.

    Args:
        folder, manifest: the backup.
        url: database of the new store.
        blobs: its blobs.
        witnesses, remedy: see `Store`.
        new_id: whether it becomes a store of its own, with a new id.
        progress: is called with what is done.
    """

    def __init__(
        self,
        folder: BackupFolder,
        manifest: Manifest,
        url: URL,
        blobs: BlobStore,
        witnesses: Sequence[Witness],
        remedy: str,
        progress: Progress,
        *,
        new_id: bool = False,
    ) -> None:
        self._folder = folder
        self._manifest = manifest
        self._url = url
        self._blobs = blobs
        self._witnesses = witnesses
        self._remedy = remedy
        self._progress = progress
        self._key = secrets.token_hex(16) if new_id else manifest.store
        self._existing: set[str] = set()  # paths of blobs that an earlier restore has written
        self._path = url.database if url.drivername.startswith("sqlite") else None

    def run(self) -> Restored:
        """Restore the backup.

        Raises:
            BackupError: the backup is damaged or of a newer autoflow, or the place is not empty.
            ServerBusy, OSError: the place cannot be written; a next call continues.
        """
        if self._manifest.revision > schema.REVISION:
            raise BackupError(
                f"the backup has revision {self._manifest.revision}, this autoflow restores up to {schema.REVISION}: "
                "upgrade autoflow"
            )
        mark = self._check_empty()
        written = self._write_blobs()
        self._load(mark)
        return Restored(self._manifest, written, self._verify())

    def _address(self) -> str:
        return self._path or self._url.render_as_string(hide_password=True)

    # -- the empty place

    def _check_empty(self) -> Mark | None:
        """Check that there is no store, and no blob but those of this backup; return a newer mark of the same store.

        Raises:
            BackupError: there is one.
        """
        if self._path is not None:
            is_used = any(os.path.exists(self._path + suffix) for suffix in ("", "-wal"))
        else:
            engine = make_engine(self._url)
            try:
                is_used = setup.revision(engine) is not None
            finally:
                engine.dispose()
        if is_used:
            raise BackupError(f"there is a store in {self._address()}: a backup is restored to an empty place only")
        marks = identity.marks_of(self._witnesses)
        for witness, mark in marks:
            if mark is not None and (witness.blobs or mark.key != self._key):
                raise BackupError(
                    f"{witness.address} says that the store {mark.key} is here: restore to another place, or, if that "
                    "store is gone for good, remove this file first"
                )
        self._check_blobs()
        return next((mark for _, mark in marks if mark is not None), None)

    def _check_blobs(self) -> None:
        files = list(self._blobs.files())
        self._existing = {file.path for file in files if file.hash is not None}
        foreign = set(self._existing)
        if foreign:
            foreign -= {blob_path(blob.hash, blob.generation) for blob in self._rows_of_blobs()}
        if foreign:
            raise BackupError(
                f"there are {len(foreign):,} blobs in {self._blobs.address} that this backup does not have: a backup "
                "is restored to an empty place only"
            )
        for file in files:
            if file.hash is None:  # a restore that was killed had begun to write it
                self._blobs.remove(file.path)

    # -- blobs

    def _rows_of_blobs(self) -> Iterator[BlobRow]:
        return iter_blobs(self._folder, self._manifest.name, self._manifest.tables[schema.blobs.name])

    def _write_blobs(self) -> int:
        """Write the blobs that are not there yet; return how many."""
        count = written = 0
        unsynced: list[ReceivedBlob] = []

        def settle(received: ReceivedBlob | None) -> None:
            nonlocal count, written
            count += 1
            if received is not None:
                written += 1
                unsynced.append(received)
            if len(unsynced) >= _SYNC_BATCH:
                self._sync(unsynced)
            self._progress("blobs", count, self._manifest.blobs)

        available = (blob for blob in self._rows_of_blobs() if blob.hash not in self._manifest.missing)
        for_each(available, self._write_blob, settle, lambda: None)
        self._sync(unsynced)
        return written

    def _sync(self, received: list[ReceivedBlob]) -> None:
        self._blobs.sync(received)
        received.clear()

    def _write_blob(self, blob: BlobRow) -> ReceivedBlob | None:
        """Write a blob under its name in the original store; return None if it is there already.

        Raises:
            BackupError: the backup's file is damaged.
        """
        path = blob_path(blob.hash, blob.generation)
        if path in self._existing:
            if self._is_written(blob):
                return None
            self._blobs.remove(path)
        with self._folder.open_blob(blob.sha256) as file:
            received = self._blobs.receive(file, blob.generation)
        if received.hash != blob.hash:
            self._blobs.discard(received)
            raise BackupError(f"the backup is damaged: the content of blob {blob.sha256} has changed")
        return received

    def _is_written(self, blob: BlobRow) -> bool:
        """Return whether an earlier restore has written a blob completely."""
        digest = hashlib.sha256()
        for chunk in self._blobs.read(blob.hash, blob.generation, 0, blob.size + CHUNK_BYTES):
            digest.update(chunk)
        return bool(encode_hash(digest) == blob.hash)

    # -- rows

    def _load(self, mark: Mark | None) -> None:
        """Load all rows: into a new file that is renamed at the end, or in one transaction of a database server."""
        if self._path is None:
            self._load_into(self._url, mark)
            return
        private_files.make_folder(os.path.dirname(self._path))
        temporary = f"{self._path}.restoring"
        for suffix in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary + suffix)
        private_files.create(temporary)
        self._load_into(self._url.set(database=temporary), mark)
        os.rename(temporary, self._path)

    def _load_into(self, url: URL, mark: Mark | None) -> None:
        engine = make_engine(url)
        rows = 0

        def count(more: int) -> None:
            nonlocal rows
            rows += more
            self._progress("rows", rows, total_rows(self._manifest.tables))

        try:
            setup.set_journal_mode(engine)
            with setup.writing(engine) as conn:
                manifest = self._manifest
                loading.load(conn, manifest.revision, self._numbers(mark), manifest.tables, self._rows, count)
                self._set_identity(conn, mark)
        finally:
            engine.dispose()

    def _rows(self, table: str) -> Iterable[dict[str, Any]]:
        rows = read_table(self._folder.rows_path(self._manifest.name, table), self._manifest.tables[table])
        return map(self._with_state, rows) if table == schema.blobs.name else rows

    def _with_state(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row of `blobs`, as damaged if the backup lacks its content, so that an upload repairs it."""
        if row["hash"] in self._manifest.missing:
            return {**row, "state": DAMAGED}
        return {**row, "state": LIVE} if row["state"] == DAMAGED else row

    def _numbers(self, mark: Mark | None) -> Mapping[str, int]:
        """Return the last id that the store is known to have assigned, by table or counter."""
        numbers = dict(self._manifest.numbers)
        for name, value in (mark.numbers if mark is not None else {}).items():
            numbers[name] = max(value, numbers.get(name, 0))
        return numbers

    def _set_identity(self, conn: Connection, mark: Mark | None) -> None:
        if mark is not None:
            is_behind = (schema.counters.c.name == counters.CHANGE, schema.counters.c.value < mark.changes)
            conn.execute(update(schema.counters).where(*is_behind).values(value=mark.changes))
        conn.execute(update(schema.identity).values(key=self._key, marked=False))

    # -- at the end

    def _verify(self) -> Sequence[IntegrityProblem]:
        """Open the store, which marks it, and check the rows of all versions."""
        store = Store(self._url, witnesses=self._witnesses, remedy=self._remedy)
        try:
            context = OperationContext(store, self._blobs, UploadLeases(store))
            check = IntegrityCheck(context, 1, Scope())
            for stage in check.stages:
                state = JobState()
                while (cursor := stage(state)) is not None:
                    state.cursor = cursor
                    self._progress("versions checked", state.counts.get("versions", 0), None)
            return check.problems
        finally:
            store.close()
