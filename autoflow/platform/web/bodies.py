"""What comes in, a chunk at a time: nothing larger than its limit is kept, and nobody keeps a request open by silence.

A body that is refused unread is still taken off the connection, up to a point: a client that is sending reads no
answer.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
from starlette.requests import ClientDisconnect, Request

from autoflow.errors import ServerBusy, ServerRefused
from autoflow.platform.refusals import bad

LARGEST_JSON = 16 * 1024 * 1024
SILENCE = 60.0  # seconds without a byte
DRAINED = 64 * 1024 * 1024
DRAINING = 20.0  # seconds


class Incoming:
    """One request's body, read once."""

    def __init__(self, request: Request) -> None:
        self._stream: AsyncIterator[bytes] = request.stream()
        self._silent = False

    async def chunk(self) -> bytes:
        """The next bytes, empty at the end.

        Raises:
            ServerBusy: 408, nothing came for too long.
            ClientDisconnect: the client is gone.
        """
        try:
            with anyio.fail_after(SILENCE):
                async for chunk in self._stream:
                    if chunk:
                        return chunk
        except TimeoutError:
            self._silent = True
            raise ServerBusy(f"the request went on for {SILENCE:.0f} s without a byte", status=408) from None
        return b""

    async def whole(self, limit: int) -> bytes:
        """All of it.

        Raises:
            ServerRefused: 413, it is longer than `limit`.
        """
        chunks: list[bytes] = []
        size = 0
        while chunk := await self.chunk():
            size += len(chunk)
            if size > limit:
                raise ServerRefused(f"the body is longer than {limit} bytes", status=413, details={"limit": limit})
            chunks.append(chunk)
        return b"".join(chunks)

    async def drain(self) -> bool:
        """Take off what is left of it, if that is not much; whether nothing is left."""
        size = 0
        with anyio.move_on_after(DRAINING), contextlib.suppress(ClientDisconnect, ServerBusy):
            while size < DRAINED and not self._silent:
                chunk = await self.chunk()
                if not chunk:
                    return True
                size += len(chunk)
        return False


def parse(content: bytes) -> Any:
    """Read a JSON body; an empty one is an empty object.

    Raises:
        ServerRefused: 400, it is no JSON.
    """
    try:
        return json.loads(content) if content.strip() else {}
    except RecursionError:
        raise bad("the body is nested too deep") from None
    except ValueError as error:
        raise bad(f"the body is no JSON: {error}") from None
