"""Collection of the app's `logging` output as the log of its run.

The log record factory is wrapped: a handler on the root logger would change what the app's own `logging.basicConfig()`
does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from autoflow.guard import Guard
from autoflow.process.forks import ProcessLock
from autoflow.runtime import context, masking
from autoflow.runtime.run import Run

LONGEST_LINE = 8192

_runs: dict[str, Run] = {}  # runs whose log is collected, by key
_previous: Callable[..., logging.LogRecord] | None = None
_busy = threading.local()
_installing = ProcessLock()
_guard = Guard("recording a log line")


def start_collecting(run: Run) -> None:
    """Start collecting the log of a run."""
    global _previous
    with _installing:
        _runs[run.key] = run
        if logging.getLogRecordFactory() is not _factory:
            _previous = logging.getLogRecordFactory()
            logging.setLogRecordFactory(_factory)


def stop_collecting(run: Run) -> None:
    """Stop collecting; the last run restores the app's record factory, unless the app has set another since."""
    global _previous
    with _installing:
        _runs.pop(run.key, None)
        if not _runs and _previous is not None and logging.getLogRecordFactory() is _factory:
            logging.setLogRecordFactory(_previous)
            _previous = None


def _factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = (_previous or logging.LogRecord)(*args, **kwargs)
    if record.name != "autoflow" and not getattr(_busy, "now", False):
        _busy.now = True
        try:
            with _guard:
                _record_line(record)
        finally:
            _busy.now = False
    return record


def _record_line(record: logging.LogRecord) -> None:
    run = _runs.get(context.enclosing_run().key)
    if run is None or run.is_over or run.outbox is None or not run.outbox.takes_logs:
        return
    time = datetime.fromtimestamp(record.created, timezone.utc).strftime("%H:%M:%S.%f")[:-3]
    line = f"{time} {record.levelname} {record.name}: {record.getMessage()}"
    run.write_record("log", lines=masking.text(line[:LONGEST_LINE]).encode("utf-8", "replace").decode())
