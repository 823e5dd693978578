"""Upload sessions: files are written and made durable, then registered in a transaction; the rest is deleted.

While no row names a file, its generation names the upload lease it was written under, and the garbage collector leaves
it alone until that lease has ended. The transaction that registers files begins by checking the lease.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, cast

from sqlalchemy import Connection

from autoflow.errors import ServerBusy
from autoflow.server.blobs import ReceivedBlob
from autoflow.server.blobs.content import Probe
from autoflow.server.db import blobs
from autoflow.server.db.blobs import NewBlob
from autoflow.server.db.scopes import Scopes
from autoflow.server.db.upload_leases import UploadLease
from autoflow.server.operations import OperationContext


class _LeasedStream:
    """A stream that renews the upload lease while it is read: a large file may take longer than the lease lasts."""

    def __init__(self, stream: BinaryIO, lease: UploadLease) -> None:
        self._stream = stream
        self._lease = lease

    def read(self, size: int) -> bytes:
        self._lease.renew_if_due()
        return self._stream.read(size)


class UploadSession:
    """The files of one upload; those that are not registered are deleted at its end."""

    def __init__(self, context: OperationContext) -> None:
        self._context = context
        self._lease: UploadLease | None = None
        self.unregistered: dict[str, ReceivedBlob] = {}

    def receive(self, stream: BinaryIO, probe: Probe | None = None) -> ReceivedBlob:
        """Write a stream to the blob store; see `BlobStore.receive`.

        Raises:
            ServerBusy: it cannot be written now.
        """
        if self._lease is None:
            self._lease = self._context.upload_leases.current()
        leased = cast(BinaryIO, _LeasedStream(stream, self._lease))
        received = self._context.blobs.receive(leased, self._lease.generation(), probe)
        self.unregistered[received.generation] = received
        return received

    def discard(self, received: ReceivedBlob) -> None:
        """Delete a file that will not be registered."""
        del self.unregistered[received.generation]
        self._context.blobs.discard(received)

    @contextlib.contextmanager
    def transaction(self, scope: Scopes = None) -> Iterator[Connection]:
        """Open the write transaction in which files are registered, after making all received files durable.

        Args:
            scope: see `Store.write`; the registered blobs are in none.

        Raises:
            ServerBusy: the files could not be made durable, or the upload lease has ended.
        """
        try:
            self._context.blobs.sync(list(self.unregistered.values()))
            with self._context.store.write(scope=scope) as conn:
                if self._lease is not None:
                    self._lease.check(conn)
                yield conn
        except ServerBusy:
            if self._lease is not None:
                self._lease.ended = True  # so that what it leaves is collected before this process ends
            raise

    def register(self, conn: Connection, files: Iterable[tuple[ReceivedBlob, dict[str, Any]]]) -> None:
        """Insert rows for received files, each with what is known of it (see `blobs.register`).

        If the transaction fails, the files are left for the garbage collector: a file that may be referenced is never
        deleted here.
        """
        for generation in blobs.register(conn, [NewBlob(*file) for file in files]):
            del self.unregistered[generation]


@contextlib.contextmanager
def upload_session(context: OperationContext) -> Iterator[UploadSession]:
    """Open an upload session; at its end, delete the files that were not registered."""
    session = UploadSession(context)
    try:
        yield session
    finally:
        for received in session.unregistered.values():
            context.blobs.discard(received)
