"""uvicorn: a graceful shutdown is an ordinary end, although the process then dies by the signal that asked for it."""

from __future__ import annotations

from typing import Any

from autoflow.guard import guard
from autoflow.outbox import outbox
from autoflow.runtime.integrations import patching


def install(server: Any) -> None:
    """Do what is to be done at exit before uvicorn raises the signal again, which leaves no time for `atexit`."""
    patching.around(server.Server, "shutdown", _shutdown)


async def _shutdown(original: Any, server: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return await original(server, *args, **kwargs)
    finally:
        if getattr(server, "_captured_signals", None):
            with guard:
                outbox.leave_all()
