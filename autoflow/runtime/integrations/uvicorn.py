"""uvicorn: a graceful shutdown ends runs ordinarily, although the process then dies by the signal it handled."""

from __future__ import annotations

from typing import Any

from autoflow.guard import guard
from autoflow.outbox import outbox
from autoflow.runtime.integrations import patching


def install(server: Any) -> None:
    """Run our exit handlers before uvicorn raises the signal again, which leaves no time for `atexit`."""
    patching.wrap(server.Server, "shutdown", _shutdown)


async def _shutdown(original: Any, server: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return await original(server, *args, **kwargs)
    finally:
        if getattr(server, "_captured_signals", None):
            with guard:
                outbox.flush_at_exit()
