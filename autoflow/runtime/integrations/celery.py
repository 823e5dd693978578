"""Celery: a task belongs to the run that sent it, in whatever worker it runs; a message header names the run.

Both sides are receivers of Celery's signals. A worker imports Celery before the app, so its side is connected when
`autoflow` is imported; the worker need not enter `workflow`.
"""

from __future__ import annotations

from contextvars import Token
from typing import Any

from autoflow import settings
from autoflow.guard import guard
from autoflow.runtime import implicit
from autoflow.runtime.context import current, enclosing_run
from autoflow.runtime.lifecycle import run_from_pickle
from autoflow.runtime.run import Run

HEADER = "autoflow_run"

_tokens: dict[str, Token[Run | None]] = {}  # of the running tasks, by id


def install(signals: Any) -> None:
    """Connect to the signals that Celery sends around a task."""
    connections = {
        signals.before_task_publish: _publish,
        signals.task_prerun: _begin,
        signals.task_postrun: _end,
        signals.worker_process_shutdown: _leave,
    }
    for signal, receiver in connections.items():
        signal.connect(receiver, weak=False, dispatch_uid=f"autoflow-{receiver.__name__}")


def _publish(headers: dict[str, Any] | None = None, **_: Any) -> None:
    with guard:
        if headers is not None and settings.propagate():
            headers[HEADER] = enclosing_run().to_text()


def _begin(task_id: str, task: Any, **_: Any) -> None:
    with guard:
        text = task.request.get(HEADER)
        if text is not None and settings.propagate():
            _tokens[task_id] = current.set(run_from_pickle(text))


def _end(task_id: str, **_: Any) -> None:
    with guard:
        if (token := _tokens.pop(task_id, None)) is not None:
            current.reset(token)


def _leave(**_: Any) -> None:
    """End the implicit runs of a pool's child, which runs no exit handler of Python's."""
    implicit.finish_all()
