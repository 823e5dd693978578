"""The event streams that apps of the SDK's first generation hold open, and the commands that are sent on them.

They are in memory: a command reaches an app that is connected to the same server process. The ``api_token`` in a
command is the token that the app itself connected with: no app gets the token of the user who sent the command.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import anyio
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from autoflow.errors import ServerBusy
from autoflow.server.errors import Conflict
from autoflow.server.http.app_messages import KEEP_ALIVE, general_event
from autoflow.server.methods.admin.app_commands import AppCommand, NoAppConnected

KEEP_ALIVE_INTERVAL = 10.0  # seconds; the SDK takes a stream that is silent for 30 s for broken
CONNECT_TIMEOUT = 10.0  # seconds that a command waits for its app to connect
MAX_STREAMS = 256  # a quarter of `connections.MAX_CONNECTIONS`; each is a coroutine, and holds no thread
MAX_QUEUED = 100  # commands that one app has not received yet
_SUCCESS = b'{"success":true}'


class AppStream(NamedTuple):
    """An open stream.

    Args:
        messages: what is to be sent on it.
        token: the one that the app connected with.
    """

    messages: asyncio.Queue[bytes]
    token: str


class _Pending(NamedTuple):
    """A command whose response is awaited."""

    task_id: int
    response: asyncio.Future[bytes]


class AppStreams:
    """The open streams by task, and the commands that await a response; used by the event loop alone."""

    def __init__(self) -> None:
        self._count = 0
        self._streams: dict[int, list[AppStream]] = {}
        self._pending: dict[str, _Pending] = {}
        self._connected = asyncio.Condition()

    def check_free(self) -> None:
        """Check that one more stream may be opened.

        Raises:
            ServerBusy: `MAX_STREAMS` are open.
        """
        if self._count >= MAX_STREAMS:
            raise ServerBusy(
                f"{MAX_STREAMS} apps hold an event stream open, which is the most of this server", status=503
            )

    async def _wait_until_connected(self, command: AppCommand) -> None:
        """Wait until the app of a command is connected, at most `CONNECT_TIMEOUT`.

        Raises:
            NoAppConnected: it is not.
        """
        with anyio.move_on_after(min(CONNECT_TIMEOUT, command.timeout)):
            async with self._connected:
                await self._connected.wait_for(lambda: command.task_id in self._streams)
        if command.task_id not in self._streams:
            raise NoAppConnected(command)

    @contextlib.contextmanager
    def opened(self, task_id: int | None, stream: AppStream) -> Iterator[None]:
        """Count a stream, and let commands to its task find it; a stream of no task gets none."""
        self._count += 1
        if task_id is not None:
            self._streams.setdefault(task_id, []).append(stream)
        try:
            yield
        finally:
            self._count -= 1
            if task_id is not None:
                self._streams[task_id].remove(stream)
                if not self._streams[task_id]:
                    del self._streams[task_id]

    async def announce(self) -> None:
        """Wake the commands that wait for an app to connect."""
        async with self._connected:
            self._connected.notify_all()

    async def send(self, command: AppCommand) -> bytes:
        """Send a command on the newest stream of its task; return the app's response, which is JSON.

        Raises:
            Conflict: the app does not connect, or does not respond in time, or has `MAX_QUEUED` commands to receive.
        """
        await self._wait_until_connected(command)
        stream = self._streams[command.task_id][-1]
        request_id = secrets.token_hex(16)
        data = json.dumps({**command.message, "api_token": stream.token}).encode()
        response: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        try:
            stream.messages.put_nowait(general_event(request_id, data))
        except asyncio.QueueFull:
            raise Conflict(f"the app of task {command.task_id} does not read the commands sent to it") from None
        if command.skips_response:
            return _SUCCESS
        self._pending[request_id] = _Pending(command.task_id, response)
        try:
            with anyio.fail_after(command.timeout):
                return await response
        except TimeoutError:
            raise Conflict(
                f"the app of task {command.task_id} got {command.name!r} and did not respond within "
                f"{command.timeout:g} s; send a command that has no response with skipResponse"
            ) from None
        finally:
            del self._pending[request_id]

    def respond(self, task_id: int | None, request_id: str, response: bytes) -> None:
        """Take an app's response to a command; ignore one that nobody awaits, or of another task's app."""
        pending = self._pending.get(request_id)
        if pending is not None and pending.task_id == task_id and not pending.response.done():
            pending.response.set_result(response)


class EventStreamResponse(StreamingResponse):
    """A stream of the commands to an app, kept alive by empty messages.

    Args:
        streams: all streams.
        task_id: the app's task, None if it named none that it may write to.
        token: the one that the app connected with.
    """

    def __init__(self, streams: AppStreams, task_id: int | None, token: str) -> None:
        super().__init__(self._messages(), media_type="application/octet-stream")
        self._streams = streams
        self._task_id = task_id
        self._stream = AppStream(asyncio.Queue(MAX_QUEUED), token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send messages until the client is gone."""
        with self._streams.opened(self._task_id, self._stream):
            await self._streams.announce()
            await super().__call__(scope, receive, send)

    async def _messages(self) -> AsyncIterator[bytes]:
        message = KEEP_ALIVE
        while True:
            yield message
            message = KEEP_ALIVE
            with anyio.move_on_after(KEEP_ALIVE_INTERVAL):
                message = await self._stream.messages.get()
