"""Writes a backup: the rows of one snapshot, then the blobs that they name, while other processes write.

A backup that was killed leaves no manifest. The next one reads a new snapshot, and copies only the blobs that the
folder does not have.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from sqlalchemy import URL, Connection, select
from sqlalchemy import exc as failures

from autoflow.distribution import VERSION
from autoflow.errors import BackupError, ServerBusy
from autoflow.server import timestamps
from autoflow.server.blobs import BlobStore
from autoflow.server.db import identity, schema, setup
from autoflow.server.db.backup_leases import BackupLease
from autoflow.server.db.blobs import DAMAGED
from autoflow.server.db.engine import Store, make_engine
from autoflow.server.db.error_translation import server_busy
from autoflow.server.errors import Busy
from autoflow.server.maintenance.backup.folder import BackupFolder
from autoflow.server.maintenance.backup.manifest import Manifest, TableFile
from autoflow.server.maintenance.backup.parallel import for_each
from autoflow.server.maintenance.backup.rows import read_table, write_table
from autoflow.wire.content_hash import hex_of

Progress = Callable[[str, int, "int | None"], object]
# Leases of processes, which end with them.
SKIPPED = frozenset({schema.upload_leases.name})


class BlobRow(NamedTuple):
    """A blob that a snapshot names."""

    hash: str
    size: int
    generation: str
    damaged: bool

    @property
    def sha256(self) -> str:
        """The hash in hexadecimal digits."""
        return hex_of(self.hash)


class Created(NamedTuple):
    """A new backup, and how many of its blobs, and bytes of them, were copied now."""

    manifest: Manifest
    copied: int
    copied_bytes: int


class _Copied(NamedTuple):
    blob: BlobRow
    is_new: bool = False
    problem: str | None = None


def check_is_store(url: URL) -> None:
    """Check that a database has a store, as opening it would create an empty one.

    Raises:
        BackupError: there is none.
        ServerBusy: the database does not answer.
    """
    engine = make_engine(url)
    path = setup.sqlite_path(engine)
    address = path or url.render_as_string(hide_password=True)
    try:
        if (path is not None and not os.path.exists(path)) or setup.revision(engine) is None:
            raise BackupError(f"there is no store in {address}: see --data and --database")
    except (failures.DBAPIError, failures.TimeoutError) as error:
        raise server_busy(error) from error
    finally:
        engine.dispose()


def create_backup(store: Store, blobs: BlobStore, folder: BackupFolder, progress: Progress) -> Created:
    """Write a backup of a store, and verify each blob that is copied.

    Raises:
        BackupError: the folder cannot be used for it.
        ServerBusy: the database or the blobs cannot be read now; the next call continues.
    """
    store.open()
    assert store.key is not None
    with folder.prepare(store.key):
        lease = BackupLease(store)
        try:
            return _Creation(store, blobs, folder, progress, lease).run()
        finally:
            lease.end()


class _Creation:
    """One backup that is being written."""

    def __init__(
        self, store: Store, blobs: BlobStore, folder: BackupFolder, progress: Progress, lease: BackupLease
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._folder = folder
        self._progress = progress
        self._lease = lease

    def run(self) -> Created:
        created_at = timestamps.now()
        name = self._folder.begin(created_at)
        with self._store.snapshot() as conn:
            database = identity.read(conn)
            assert database is not None
            mark = identity.mark_of(conn, database.key)
            tables = self._write_rows(conn, name)
        entry = tables[schema.blobs.name]
        results = self._copy_blobs(iter_blobs(self._folder, name, entry), entry["rows"])
        manifest = Manifest(
            name=name,
            created_at=created_at,
            autoflow=VERSION,
            revision=schema.REVISION,
            store=mark.key,
            changes=mark.changes,
            numbers=mark.numbers,
            tables=tables,
            blobs=entry["rows"],
            blob_bytes=results.total_bytes,
            missing=results.missing,
        )
        self._folder.complete(manifest)
        return Created(manifest, results.copied, results.copied_bytes)

    def _write_rows(self, conn: Connection, name: str) -> dict[str, TableFile]:
        tables: dict[str, TableFile] = {}
        rows = 0

        def count(more: int) -> None:
            nonlocal rows
            rows += more
            self._lease.renew_if_due()
            self._progress("rows", rows, None)

        for table in schema.metadata.sorted_tables:
            if table.name not in SKIPPED:
                with self._folder.create_rows(name, table.name) as file:
                    tables[table.name] = write_table(conn, table, file, count)
        return tables

    def _copy_blobs(self, rows: Iterator[BlobRow], total: int) -> _Results:
        results = _Results(partial(self._progress, "blobs"), total)
        for_each(rows, self._copy, results.add, self._lease.renew_if_due)
        return results

    def _copy(self, blob: BlobRow) -> _Copied:
        """Copy a blob unless the folder has it."""
        if self._folder.has_blob(blob.sha256, blob.size):
            return _Copied(blob)
        problem: str | None = DAMAGED
        if not blob.damaged:
            problem = self._copy_file(blob)
        if problem is None:
            return _Copied(blob, is_new=True)
        current = self._current(blob)
        if current.generation != blob.generation and not current.damaged:  # uploaded again since the snapshot
            problem = self._copy_file(current)
        return _Copied(blob, is_new=problem is None, problem=problem)

    def _copy_file(self, blob: BlobRow) -> str | None:
        """Copy the file of a blob; return what is wrong with it.

        Raises:
            ServerBusy: it cannot be read now.
        """
        chunks = self._blobs.read(blob.hash, blob.generation, 0, blob.size)
        try:
            return self._folder.write_blob(blob.sha256, chunks)
        except ServerBusy:
            if self._blobs.size(blob.hash, blob.generation) is None:
                return "missing"
            raise

    def _current(self, blob: BlobRow) -> BlobRow:
        """Return the present row of a blob.

        Raises:
            Busy: it was collected, as the lease ended while this process was stopped.
        """
        table = schema.blobs
        query = select(table.c.size, table.c.generation, table.c.state).where(table.c.hash == blob.hash)
        with self._store.read() as conn:
            row = conn.execute(query).first()
        if row is None:
            raise Busy("the backup was held up, and content was collected meanwhile: run it again")
        return BlobRow(blob.hash, row.size, row.generation, row.state == DAMAGED)


class _Results:
    """The sums over all blobs of a backup."""

    def __init__(self, progress: Callable[[int, int], object], total: int) -> None:
        self._progress = progress
        self._total = total
        self._count = 0
        self.total_bytes = 0
        self.copied = 0
        self.copied_bytes = 0
        self.missing: dict[str, str] = {}

    def add(self, result: _Copied) -> None:
        """Count a blob."""
        blob, is_new, problem = result
        self._count += 1
        self.total_bytes += blob.size
        if problem is not None:
            self.missing[blob.hash] = problem
        elif is_new:
            self.copied += 1
            self.copied_bytes += blob.size
        self._progress(self._count, self._total)


def iter_blobs(folder: BackupFolder, name: str, entry: TableFile) -> Iterator[BlobRow]:
    """Return the blobs that a backup names.

    Raises:
        BackupError: the file that names them is damaged.
    """
    for row in read_table(folder.rows_path(name, schema.blobs.name), entry):
        yield BlobRow(row["hash"], row["size"], row["generation"], row["state"] == DAMAGED)
