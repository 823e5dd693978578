"""`multiprocessing.Pool` and `ThreadPool`: a task belongs to the run that submitted it."""

from __future__ import annotations

from typing import Any

from autoflow.runtime.integrations import patching


def install(pool: Any) -> None:
    """Carry the run with the function; `apply`, `map` and `starmap` go through these."""
    for name in ("apply_async", "_map_async", "imap", "imap_unordered"):
        patching.around(pool.Pool, name, patching.carrying)
