"""A server that keeps records in a list: for tests, and where nothing should leave the process.

Child processes of a test cannot reach the list: they append their records to files in a folder that the test reads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autoflow import settings
from autoflow.errors import ServerRefused
from autoflow.wire import methods
from autoflow.wire.contract.records import RUNS_ENSURE, AddRecordsResponse, EnsureRunResponse
from autoflow.wire.parts import Part

ORIGIN = "memory"


def folder_of_parent() -> str | None:
    """Return the folder where this child process leaves its records for a test; None in the test's own process."""
    memory = settings.memory()
    return memory[1] if memory is not None and memory[0] != os.getpid() else None


class MemoryTransport:
    """Takes records as autoflow's server does.

    Runs are numbered from 1 in order of appearance; a file or a project that is referred to by name exists, and its
    name is its id; nothing else can be looked up.
    """

    origin = ORIGIN

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self._tasks: dict[str, int] = {}

    def call(self, method: str, body: Mapping[str, Any] | Sequence[Any], *, timeout: float | None = None) -> Any:
        """See `Transport.call`."""
        if method == methods.INSTANCE_VERSION:
            return {"version": "6.99.0", methods.AUTOFLOW_MARK: ORIGIN}
        if method == RUNS_ENSURE.name and isinstance(body, Mapping):
            return self._ensure_run(body["run"], body.get("task"))
        if method == methods.FILE_LIST and isinstance(body, Mapping):
            return [{"id": body["path"], "path": body["path"], "name": body["path"].rsplit("/", 1)[-1], "teamId": 1}]
        if method in {methods.PROJECT_LIST, methods.DATASET_LIST} and isinstance(body, Mapping):
            return {"entities": [{"id": term["value"], term["field"]: term["value"]} for term in body["filter"]]}
        raise ServerRefused(f"{method} is not supported in memory", status=404, details={})

    def deliver(self, records: Sequence[Mapping[str, Any]]) -> AddRecordsResponse:
        """See `Transport.deliver`."""
        folder = folder_of_parent()
        if folder is None:
            self.records.extend(dict(record) for record in records)
        else:
            _append(os.path.join(folder, f"{os.getpid()}.jsonl"), records)
        return {
            "results": [{"key": record["key"], "status": "applied", "reason": None} for record in records],
            "tasks": {record["run"]: self._ensure_run(record["run"], record.get("task"))["task"] for record in records},
        }

    def _ensure_run(self, run: str, task: int | None) -> EnsureRunResponse:
        number = task or self._tasks.setdefault(run, len(self._tasks) + 1)
        return {"task": number, "number": number, "teamId": 1, "workspaceId": 1, "appId": None}

    def upload(self, method: str, parts: Sequence[Part], query: Mapping[str, str | int] | None = None) -> Any:
        """Refuse: there is no storage."""
        raise ServerRefused(f"{method} is not supported in memory", status=404, details={})

    def download(self, method: str, body: Mapping[str, Any]) -> Iterator[bytes]:
        """Refuse: there is no storage."""
        raise ServerRefused(f"{method} is not supported in memory", status=404, details={})

    def token_fingerprint(self) -> int:
        """Return 0: there is no token."""
        return 0

    def close(self) -> None:
        """Do nothing: no connection is open."""


def _append(path: str, records: Sequence[Mapping[str, Any]]) -> None:
    lines = "".join(json.dumps(record) + "\n" for record in records).encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, lines)
    finally:
        os.close(descriptor)
