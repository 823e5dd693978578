"""Request bodies as they come in: to a temporary file, so that a slow client holds neither a thread nor memory.

A body that is refused unread is still taken off the connection, up to a point: a client that is sending reads no
answer.
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
import time
from collections.abc import AsyncIterator

import anyio
import anyio.from_thread
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request

from autoflow.errors import ServerBusy, ServerRefused
from autoflow.server import bounded_json
from autoflow.server.budget import Budget

LARGEST_JSON = 16 * 1024 * 1024
SPOOLED = 32 * 1024 * 1024  # bytes of a body that are received before anything is done with it
IN_MEMORY = 64 * 1024  # bytes of a body that need no file
WRITE = 256 * 1024  # bytes that are written to the file at once
READ = 1024 * 1024
SILENCE = 60.0  # seconds without a byte
SLOWEST = 4096  # bytes a second, on the average after `SILENCE`
DRAINED = 64 * 1024 * 1024
DRAINING = 20.0  # seconds
DISK = Budget("room for bodies", total=4 << 30, share=2 << 30)


class Incoming:
    """One request's body, read once. It has to be closed."""

    def __init__(self, request: Request) -> None:
        self.client = ""  # whose share of `DISK` it takes
        self.size = 0
        self.complete = False
        self._stream: AsyncIterator[bytes] = request.stream()
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY, prefix="autoflow-")
        self._taken = 0
        self._read = 0
        self._waited = 0.0
        self._silent = False

    async def chunk(self) -> bytes:
        """The next bytes, empty at the end.

        Raises:
            ServerBusy: 408, nothing came for too long, or too little.
            ClientDisconnect: the client is gone.
        """
        before = time.monotonic()
        try:
            with anyio.fail_after(SILENCE):
                async for chunk in self._stream:
                    if chunk:
                        return self._counted(chunk, time.monotonic() - before)
        except TimeoutError:
            self._silent = True
            raise ServerBusy(f"the request went on for {SILENCE:.0f} s without a byte", status=408) from None
        self.complete = True
        return b""

    def _counted(self, chunk: bytes, seconds: float) -> bytes:
        self.size += len(chunk)
        self._waited += seconds
        if self._waited > SILENCE + self.size / SLOWEST:
            self._silent = True
            raise ServerBusy(f"the request came with less than {SLOWEST} bytes a second", status=408)
        return chunk

    async def receive(self, limit: int) -> None:
        """Receive the body, to its end or until it is longer than `limit` bytes.

        Raises:
            ServerBusy: 408 as `chunk`; 503, 507: there is no room for it.
        """
        pending = bytearray()
        while self.size <= limit and (chunk := await self.chunk()):
            pending += chunk
            if len(pending) >= WRITE:
                await self._write(bytes(pending))
                pending.clear()
        await self._write(bytes(pending))
        self._file.seek(0)

    async def _write(self, data: bytes) -> None:
        try:
            if self.size <= IN_MEMORY:
                self._file.write(data)
                return
            DISK.take(self.client, len(data))
            self._taken += len(data)
            await anyio.to_thread.run_sync(self._file.write, data)
        except OSError as error:
            raise ServerBusy(f"there is no room for the request: {error}", status=507) from error

    async def receive_upload(self) -> None:
        """Receive a body of files, or its beginning if it is longer than `SPOOLED`; raises as `receive`."""
        await self.receive(SPOOLED)

    async def receive_json(self) -> None:
        """Receive a body of JSON.

        Raises:
            ServerRefused: 413, it is longer than `LARGEST_JSON`.
            ServerBusy: as `receive`.
        """
        await self.receive(LARGEST_JSON)
        if self.size > LARGEST_JSON:
            details = {"limit": LARGEST_JSON}
            raise ServerRefused(f"the body is longer than {LARGEST_JSON} bytes", status=413, details=details)

    def cost(self) -> int:
        """The memory that its values take, see `parsing.cost`; for a thread."""
        needed = sum(map(bounded_json.memory_cost, iter(functools.partial(self._file.read, READ), b"")))
        self._file.seek(0)
        return needed

    def read(self) -> bytes:
        """All that was received; for a thread."""
        return self._file.read()

    def pull(self) -> bytes:
        """The next bytes of what was received, then of what comes; empty at the end. For a thread of the event loop."""
        data = self._file.read(READ)
        if data or self.complete:
            return data
        return anyio.from_thread.run(self.chunk)

    async def drain(self) -> bool:
        """Take off what is left of it, if that is not much; whether nothing is left."""
        size = 0
        with anyio.move_on_after(DRAINING), contextlib.suppress(ClientDisconnect, ServerBusy):
            while size < DRAINED and not self._silent and not self.complete:
                size += len(await self.chunk())
        return self.complete

    def close(self) -> None:
        """Remove what was received."""
        self._file.close()
        DISK.give(self.client, self._taken)
        self._taken = 0
