"""Taking in uploaded bytes: into the folder first, then named in a transaction; what came to no name is removed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from sqlalchemy import Connection

from autoflow.platform.blobs import BlobFolder, Received
from autoflow.platform.store import blobs


class Intake:
    """The files of one upload."""

    def __init__(self, folder: BlobFolder) -> None:
        self.folder = folder
        self.unnamed: dict[str, Received] = {}

    def take(self, stream: BinaryIO) -> Received:
        """Write one stream into the folder."""
        received = self.folder.receive(stream)
        self.unnamed[received.generation] = received
        return received

    def name(self, rows: Connection, received: Received, **known: Any) -> None:
        """Name a file in the transaction. Should that fail, the file stays: better too many than one too few."""
        if blobs.claim(rows, received, **known):
            del self.unnamed[received.generation]


@contextlib.contextmanager
def taking_in(folder: BlobFolder) -> Iterator[Intake]:
    """Around one upload, transaction included."""
    intake = Intake(folder)
    try:
        yield intake
    finally:
        for received in intake.unnamed.values():
            folder.discard(received)
