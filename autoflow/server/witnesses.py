"""The witnesses that store a store's mark (`db.identity`): its blobs, and a file of the machine that serves it."""

from __future__ import annotations

import hashlib
import os

from autoflow.server import private_files
from autoflow.server.blobs import BlobStore

NOTES = "stores"  # a folder in AUTOFLOW_HOME


class BlobsWitness:
    """The mark among the blobs."""

    blobs = True

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    @property
    def address(self) -> str:
        """See `Witness`."""
        return self._blobs.address

    def read(self) -> bytes | None:
        """See `Witness`."""
        return self._blobs.read_mark()

    def write(self, mark: bytes) -> None:
        """See `Witness`."""
        self._blobs.write_mark(mark)

    def is_used(self) -> bool:
        """See `Witness`."""
        return any(file.hash is not None for file in self._blobs.files())


class MachineWitness:
    """A file that notes which store this machine had at an address.

    It is outside of the store's folder, so that it survives the loss of that folder.

    Args:
        folder: the folder of these files.
        database: the address of the store's database, without a password.
    """

    blobs = False

    def __init__(self, folder: str, database: str) -> None:
        self._path = os.path.join(folder, hashlib.sha256(os.fsencode(database)).hexdigest()[:16] + ".json")

    @property
    def address(self) -> str:
        """See `Witness`."""
        return self._path

    def read(self) -> bytes | None:
        """See `Witness`."""
        return private_files.read(self._path)

    def write(self, mark: bytes) -> None:
        """See `Witness`."""
        private_files.write_atomically(self._path, mark)

    def is_used(self) -> bool:
        """See `Witness`."""
        return False
