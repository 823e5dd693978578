"""Receive request bodies into a temporary file, so that a slow client holds neither a thread nor memory.

The rest of a body that is refused before its end is still received, up to a limit: a client that is sending reads no
response.
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

from autoflow.errors import ServerBusy
from autoflow.server import bounded_json
from autoflow.server.budget import Budget
from autoflow.server.errors import TooLarge

MAX_JSON = 16 * 1024 * 1024
MAX_SPOOLED = 32 * 1024 * 1024  # bytes of an upload that are received before it is read
MAX_IN_MEMORY = 64 * 1024  # bytes; a longer body is written to a file
WRITE_SIZE = 256 * 1024  # bytes written to the file at once
READ_SIZE = 1024 * 1024
READ_TIMEOUT = 60.0  # seconds without a byte
MIN_RATE = 4096  # bytes a second, on average, once `READ_TIMEOUT` has passed
MAX_DRAINED = 64 * 1024 * 1024  # bytes of a refused body that are still received
DRAIN_TIMEOUT = 20.0  # seconds
DISK = Budget("disk space for request bodies", total=4 << 30, share=2 << 30)


class RequestBody:
    """The body of one request, read once; must be closed."""

    def __init__(self, request: Request) -> None:
        self.client = ""  # the client whose share of `DISK` it counts against
        self.size = 0
        self.complete = False
        self._stream: AsyncIterator[bytes] = request.stream()
        self._file = tempfile.SpooledTemporaryFile(MAX_IN_MEMORY, prefix="autoflow-")
        self._reserved = 0
        self._waited = 0.0
        self._timed_out = False

    async def chunk(self) -> bytes:
        """Receive the next bytes; empty at the end.

        Raises:
            ServerBusy: 408, the client sends nothing or too slowly.
            ClientDisconnect: the client closed the connection.
        """
        before = time.monotonic()
        try:
            with anyio.fail_after(READ_TIMEOUT):
                async for chunk in self._stream:
                    if chunk:
                        return self._count(chunk, time.monotonic() - before)
        except TimeoutError:
            self._timed_out = True
            raise ServerBusy(f"no byte of the request body arrived for {READ_TIMEOUT:.0f} s", status=408) from None
        self.complete = True
        return b""

    def _count(self, chunk: bytes, seconds: float) -> bytes:
        self.size += len(chunk)
        self._waited += seconds
        if self._waited > READ_TIMEOUT + self.size / MIN_RATE:
            self._timed_out = True
            raise ServerBusy(f"the request body arrived at less than {MIN_RATE} bytes a second", status=408)
        return chunk

    async def receive(self, limit: int) -> None:
        """Receive the body, to its end or until it is longer than `limit` bytes.

        Raises:
            ServerBusy: 408 as `chunk`; 503 and 507, no disk space is left for it.
        """
        pending = bytearray()
        while self.size <= limit and (chunk := await self.chunk()):
            pending += chunk
            if len(pending) >= WRITE_SIZE:
                await self._write(bytes(pending))
                pending.clear()
        await self._write(bytes(pending))
        self._file.seek(0)

    async def _write(self, data: bytes) -> None:
        try:
            if self.size <= MAX_IN_MEMORY:
                self._file.write(data)
                return
            DISK.take(self.client, len(data))
            self._reserved += len(data)
            await anyio.to_thread.run_sync(self._file.write, data)
        except OSError as error:
            raise ServerBusy(f"no disk space for the request body: {error}", status=507) from error

    async def receive_upload(self) -> None:
        """Receive an upload, or its beginning if it is longer than `MAX_SPOOLED`; raises as `receive`."""
        await self.receive(MAX_SPOOLED)

    async def receive_json(self) -> None:
        """Receive a JSON body.

        Raises:
            TooLarge: it is longer than `MAX_JSON`.
            ServerBusy: as `receive`.
        """
        await self.receive(MAX_JSON)
        if self.size > MAX_JSON:
            details = {"limit": MAX_JSON}
            raise TooLarge(f"the body is longer than {MAX_JSON} bytes", details)

    def cost(self) -> int:
        """Return how much memory its JSON values take, see `bounded_json.memory_cost`; for a thread."""
        cost = sum(map(bounded_json.memory_cost, iter(functools.partial(self._file.read, READ_SIZE), b"")))
        self._file.seek(0)
        return cost

    def read(self) -> bytes:
        """Return all bytes that were received; for a thread."""
        return self._file.read()

    def pull(self) -> bytes:
        """Return the next bytes, received before or now; empty at the end. For a thread of the event loop."""
        data = self._file.read(READ_SIZE)
        if data or self.complete:
            return data
        return anyio.from_thread.run(self.chunk)

    async def drain(self) -> bool:
        """Receive and drop the rest of it, within limits; return whether the end was reached."""
        size = 0
        with anyio.move_on_after(DRAIN_TIMEOUT), contextlib.suppress(ClientDisconnect, ServerBusy):
            while size < MAX_DRAINED and not self._timed_out and not self.complete:
                size += len(await self.chunk())
        return self.complete

    def close(self) -> None:
        """Delete the temporary file."""
        self._file.close()
        DISK.give(self.client, self._reserved)
        self._reserved = 0
