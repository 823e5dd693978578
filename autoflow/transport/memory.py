"""A server that keeps what it is given in a list: for tests, and where nothing should leave the process.

Children of a test's process cannot reach its list: they append what they deliver to files of a folder that it reads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autoflow import settings
from autoflow.errors import ServerRefused
from autoflow.wire import methods
from autoflow.wire.parts import Part

ORIGIN = "memory"


def folder_of_parent() -> str | None:
    """Return the folder where this process leaves its records for the one that keeps them; None in that one itself."""
    found = settings.memory()
    return found[1] if found is not None and found[0] != os.getpid() else None


class MemoryTransport:
    """Takes records as our server does.

    Runs are numbered from 1 in the order they are first seen; a file or a project that is named instead of numbered
    exists and is identified by its name; nothing else can be looked up.
    """

    origin = ORIGIN

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self._tasks: dict[str, int] = {}

    def call(self, method: str, body: Mapping[str, Any] | Sequence[Any], *, timeout: float | None = None) -> Any:
        """See `Transport.call`."""
        if method == methods.INSTANCE_VERSION:
            return {"version": "6.18.3", methods.AUTOFLOW_MARK: ORIGIN}
        if method == methods.RUNS_ENSURE and isinstance(body, Mapping):
            task = body.get("task") or self._tasks.setdefault(body["run"], len(self._tasks) + 1)
            return {"task": task, "teamId": 1, "workspaceId": 1, "appId": None}
        if method == methods.FILE_LIST and isinstance(body, Mapping):
            return [{"id": body["path"], "path": body["path"], "name": body["path"].rsplit("/", 1)[-1], "teamId": 1}]
        if method in {methods.PROJECT_LIST, methods.DATASET_LIST} and isinstance(body, Mapping):
            return {"entities": [{"id": one["value"], one["field"]: one["value"]} for one in body["filter"]]}
        raise ServerRefused(f"{method} is not known in memory", status=404, details={})

    def deliver(self, records: Sequence[dict[str, Any]]) -> Mapping[str, Any]:
        """See `Transport.deliver`."""
        folder = folder_of_parent()
        if folder is None:
            self.records.extend(records)
        else:
            _append(os.path.join(folder, f"{os.getpid()}.jsonl"), records)
        return {
            "results": [{"key": record["key"], "status": "applied"} for record in records],
            "tasks": {record["run"]: self.call(methods.RUNS_ENSURE, record)["task"] for record in records},
        }

    def upload(self, method: str, parts: Sequence[Part], query: Mapping[str, str | int] | None = None) -> Any:
        """Refused: there is no storage."""
        raise ServerRefused(f"{method} is not known in memory", status=404, details={})

    def download(self, method: str, body: Mapping[str, Any]) -> Iterator[bytes]:
        """Refused: there is no storage."""
        raise ServerRefused(f"{method} is not known in memory", status=404, details={})

    def token_fingerprint(self) -> int:
        """There is no token."""
        return 0

    def close(self) -> None:
        """Nothing is held."""


def _append(path: str, records: Sequence[dict[str, Any]]) -> None:
    lines = "".join(json.dumps(record) + "\n" for record in records).encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, lines)
    finally:
        os.close(descriptor)
