"""The folder that backups of a store are written to and read from."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from autoflow.errors import BackupError
from autoflow.server import private_files
from autoflow.server.blobs import durable, file_system
from autoflow.server.maintenance.backup.manifest import FORMAT, Manifest

_MARKER, _LOCK, _MANIFEST = "backup.json", "lock", "manifest.json"
_BACKUPS, _BLOBS, _NEW, _ROWS = "backups", "blobs", "new", "rows"
CHUNK_BYTES = 1 << 20


class BackupFolder:
    """A folder of backups; nothing is written before `prepare`."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(os.path.expanduser(path))
        self._blobs = os.path.join(self.path, _BLOBS)
        self._new = os.path.join(self.path, _NEW)

    # -- reading

    def store(self) -> str | None:
        """Return the id of the store whose backups are here; None if the folder is empty or missing.

        Raises:
            BackupError: it has other files, or is of a newer autoflow.
        """
        content = private_files.read(os.path.join(self.path, _MARKER))
        if content is None:
            if os.path.isdir(self.path) and set(os.listdir(self.path)) - {_LOCK}:
                raise BackupError(f"{self.path} is not empty, and not a folder of backups: choose another one")
            return None
        try:
            marker = json.loads(content)
            version, store = int(marker["format"]), str(marker["store"])
        except (ValueError, TypeError, KeyError) as error:
            raise BackupError(f"{self.path}/{_MARKER} cannot be read: {error}") from error
        if version > FORMAT:
            raise BackupError(f"{self.path} has backups of format {version}: upgrade autoflow")
        return store

    def names(self) -> list[str]:
        """Return the names of the complete backups, the oldest first."""
        return [name for name in self._folders() if os.path.exists(self._in_backup(name, _MANIFEST))]

    def manifest(self, name: str | None = None) -> Manifest:
        """Return the manifest of a backup, the last one without a name.

        Raises:
            BackupError: there is no such complete backup.
        """
        names = self.names()
        if not names:
            raise BackupError(f"{self.path} has no complete backup")
        if name is None:
            name = names[-1]
        if name not in names:
            raise BackupError(f"{self.path} has no complete backup {name}; there are {', '.join(names)}")
        path = self._in_backup(name, _MANIFEST)
        return Manifest.decode(private_files.read(path) or b"", path)

    def rows_path(self, name: str, table: str) -> str:
        """Return the path of the file with the rows of a table."""
        return self._in_backup(name, _ROWS, f"{table}.jsonl.gz")

    def has_blob(self, sha256: str, size: int) -> bool:
        """Return whether there is a blob of this hash and size; its content is not read."""
        try:
            return os.stat(self._blob(sha256)).st_size == size
        except OSError:
            return False

    @contextlib.contextmanager
    def open_blob(self, sha256: str) -> Iterator[BinaryIO]:
        """Open a blob for reading.

        Raises:
            BackupError: it is missing or cannot be read.
        """
        try:
            with open(self._blob(sha256), "rb", buffering=0) as file:
                yield file
        except OSError as error:
            raise BackupError(f"the backup is damaged: {self._blob(sha256)}: {error.strerror or error}") from error

    # -- writing

    @contextlib.contextmanager
    def prepare(self, store: str) -> Iterator[None]:
        """Hold the folder for a backup of a store, and remove what killed backups left, but for their blobs.

        Raises:
            BackupError: it is another store's, not a backup folder, or in use by another backup.
        """
        import fcntl

        owner = self.store()
        if owner is not None and owner != store:
            raise BackupError(f"{self.path} has backups of the store {owner}, and this is {store}: choose another one")
        private_files.make_folder(self.path)
        lock_path = os.path.join(self.path, _LOCK)
        with open(os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, private_files.FILE), "ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(f"another backup is being written to {self.path}") from None
            if owner is None:
                marker = json.dumps({"format": FORMAT, "store": store})
                private_files.write_atomically(os.path.join(self.path, _MARKER), marker.encode() + b"\n")
            complete = set(self.names())
            for leftover in [self._new, *(self._in_backup(name) for name in self._folders() if name not in complete)]:
                shutil.rmtree(leftover, ignore_errors=True)
            private_files.make_folder(self._new)
            yield

    def begin(self, created_at: str) -> str:
        """Create the folder of a new backup; return its name, which sorts after those of earlier backups."""
        last = max((int(name.partition("-")[0]) for name in self._folders()), default=0)
        digits = "".join(character for character in created_at[:19] if character not in "-:")
        name = f"{last + 1:06d}-{digits}Z"
        private_files.make_folder(self._in_backup(name, _ROWS))
        return name

    def create_rows(self, name: str, table: str) -> BinaryIO:
        """Create the file for the rows of a table."""
        return open(self.rows_path(name, table), "xb", opener=private_files.opener)

    def write_blob(self, sha256: str, chunks: Iterable[bytes]) -> str | None:
        """Write a blob and verify it; return what is wrong with it, in which case it is not stored."""
        temporary = os.path.join(self._new, f"{sha256}.{secrets.token_hex(4)}")
        digest = hashlib.sha256()
        try:
            with open(temporary, "xb", buffering=0, opener=private_files.opener) as file:
                for chunk in chunks:
                    digest.update(chunk)
                    view = memoryview(chunk)
                    while view:
                        view = view[file.write(view) :]
            if digest.hexdigest() != sha256:
                return "content"
            private_files.make_folder(os.path.dirname(self._blob(sha256)))
            os.replace(temporary, self._blob(sha256))
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
        return None

    def complete(self, manifest: Manifest) -> None:
        """Make everything durable, then write the manifest, which completes the backup."""
        network = file_system.file_system_type(self.path) in file_system.NETWORK
        if network or not durable.sync_all(self.path):
            for folder, _, names in os.walk(self.path):
                for name in (*names, "."):
                    durable.sync(os.path.join(folder, name))
        private_files.write_atomically(self._in_backup(manifest.name, _MANIFEST), manifest.encode())
        shutil.rmtree(self._new, ignore_errors=True)

    def _folders(self) -> list[str]:
        try:
            names = os.listdir(os.path.join(self.path, _BACKUPS))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in names if name.partition("-")[0].isdecimal())

    def _in_backup(self, name: str, *parts: str) -> str:
        return os.path.join(self.path, _BACKUPS, name, *parts)

    def _blob(self, sha256: str) -> str:
        return os.path.join(self._blobs, sha256[:2], sha256)
