"""Taking in uploaded bytes: first written and made durable, then named in a transaction; what came to no name goes.

While a file has no row its generation tells whose session wrote it, and the session's lease that the writer is at
work: the collector leaves it alone. The transaction that names files begins by seeing that the lease still holds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, cast

from sqlalchemy import Connection

from autoflow.errors import ServerBusy
from autoflow.server.blobs import ReceivedBlob
from autoflow.server.blobs.content import Probe
from autoflow.server.db import blobs
from autoflow.server.db.blobs import NewBlob
from autoflow.server.db.upload_leases import UploadLease
from autoflow.server.operations import OperationContext


class _Kept:
    """A stream whose reading keeps the lease: a large file may take longer than it lasts."""

    def __init__(self, stream: BinaryIO, keep: Callable[[], None]) -> None:
        self._stream = stream
        self._keep = keep

    def read(self, size: int) -> bytes:
        self._keep()
        return self._stream.read(size)


class UploadSession:
    """The files of one upload."""

    def __init__(self, context: OperationContext) -> None:
        self._place = context
        self._lease: UploadLease | None = None
        self.unnamed: dict[str, ReceivedBlob] = {}

    def receive(self, stream: BinaryIO, probe: Probe | None = None) -> ReceivedBlob:
        """Write one stream; `probe` is given its bytes to read from, and what it gives is the file's `probed`.

        Raises:
            ServerBusy: it cannot be kept now.
        """
        if self._lease is None:
            self._lease = self._place.upload_leases.lease()
        kept = cast(BinaryIO, _Kept(stream, self._lease.keep))
        received = self._place.blobs.receive(kept, self._lease.generation(), probe)
        self.unnamed[received.generation] = received
        return received

    def discard(self, received: ReceivedBlob) -> None:
        """Remove one that will not be named."""
        del self.unnamed[received.generation]
        self._place.blobs.discard(received)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """The transaction in which files are named: all taken so far are durable before it begins.

        Raises:
            ServerBusy: they are not, or this process was taken to be dead.
        """
        try:
            self._place.blobs.sync(list(self.unnamed.values()))
            with self._place.store.write() as conn:
                if self._lease is not None:
                    self._lease.hold(conn)
                yield conn
        except ServerBusy:
            if self._lease is not None:
                self._lease.over = True  # what is left of it shall not wait for this process to end
            raise

    def register(self, conn: Connection, brought: Iterable[tuple[ReceivedBlob, dict[str, Any]]]) -> None:
        """Name files in the transaction, each with what is known of it (see `blobs.register`).

        Should that fail, the files stay for the collector: better too many than one too few.
        """
        for generation in blobs.register(conn, [NewBlob(*one) for one in brought]):
            del self.unnamed[generation]


@contextlib.contextmanager
def upload_session(context: OperationContext) -> Iterator[UploadSession]:
    """Around one upload, transaction included."""
    session = UploadSession(context)
    try:
        yield session
    finally:
        for received in session.unnamed.values():
            context.blobs.discard(received)
