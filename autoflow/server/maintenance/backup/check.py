"""Verifies a backup by reading all of it, without a store."""

from __future__ import annotations

import hashlib

from autoflow.errors import BackupError
from autoflow.server.db import schema
from autoflow.server.maintenance.backup.create import BlobRow, Progress, iter_blobs
from autoflow.server.maintenance.backup.folder import CHUNK_BYTES, BackupFolder
from autoflow.server.maintenance.backup.manifest import Manifest
from autoflow.server.maintenance.backup.parallel import for_each
from autoflow.server.maintenance.backup.rows import check_table


def check_backup(folder: BackupFolder, manifest: Manifest, progress: Progress) -> list[str]:
    """Compare every file of rows, and the content of every blob, with its hash; return the problems, a line each."""
    problems: list[str] = []
    for table, entry in manifest.tables.items():
        try:
            check_table(folder.rows_path(manifest.name, table), entry)
        except BackupError as error:
            problems.append(str(error))
    if problems:
        return problems
    count = 0

    def check_blob(blob: BlobRow) -> str | None:
        digest = hashlib.sha256()
        try:
            with folder.open_blob(blob.sha256) as file:
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
        except BackupError as error:
            return str(error)
        return None if digest.hexdigest() == blob.sha256 else f"the content of blob {blob.sha256} has changed"

    def settle(problem: str | None) -> None:
        nonlocal count
        count += 1
        progress("blobs checked", count, manifest.blobs)
        if problem is not None:
            problems.append(problem)

    rows = iter_blobs(folder, manifest.name, manifest.tables[schema.blobs.name])
    for_each((blob for blob in rows if blob.hash not in manifest.missing), check_blob, settle, lambda: None)
    return problems
