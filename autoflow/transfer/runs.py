"""Copies the runs of a store as records, which have keys made of their ids: sent again, they change nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from autoflow.errors import TransferError
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.runtime.destination import same_server
from autoflow.transfer.ids import TargetIds
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.contract import records as record_contract
from autoflow.wire.contract import store_transfers as contract

_RECORDS = 500  # of one request
_PIECES = 16
_MAPPED: Mapping[str, contract.CopyType] = {
    "project": "project",
    "project_version": "version",
    "dataset": "dataset",
    "file": "file",
    "model_weight": "file",
    "task": "task",
    "app_session": "task",
}

Record = dict[str, Any]


class RunCopier:
    """Copies runs.

    Args:
        source, target: the servers.
        store: random id of the source's store.
        ids: the ids of copies.
    """

    def __init__(self, source: Transport, target: Transport, store: str, ids: TargetIds) -> None:
        self._source = source
        self._target = target
        self._store = store
        self._ids = ids
        self.tasks: dict[int, int] = {}
        self.copied = 0

    def missing(self) -> list[contract.SourceRun]:
        """Return the runs that the target lacks, or has in an earlier state."""
        after: int | None = 0
        changed: list[contract.SourceRun] = []
        while after is not None:
            response = call(self._source, contract.TRANSFER_RUNS, contract.TransferRunsRequest(after=after))
            after = response["after"]
            known = self._ids.find("task", [run["id"] for run in response["runs"]])
            self.tasks.update((source, number) for source, (number, _) in known.items())
            changed += [run for run in response["runs"] if known.get(run["id"], (0, ""))[1] != _fingerprint(run)]
        return changed

    def run(self) -> None:
        """Copy the runs that the target lacks: first all tasks, as an edge may name a later one."""
        changed = self.missing()
        for part in _parts((self._start(run) for run in changed), _RECORDS):
            tasks = self._send(part)
            by_key = {self._key(run["id"]): run["id"] for run in changed}
            self.tasks.update((by_key[key], number) for key, number in tasks.items() if key in by_key)
        for run in changed:
            for part in _parts(self._records(run), _RECORDS):
                self._send(part)
            self._ids.link("task", [(run["id"], self.tasks[run["id"]], _fingerprint(run))])
            self.copied += 1

    def _key(self, task_id: int) -> str:
        return f"push.{self._ids.team}.{self._store}.{task_id}"

    def _record(self, task_id: int, kind: str, mark: object, at: str, **members: Any) -> Record:
        run = self._key(task_id)
        return {"key": f"{run}.{kind}.{mark}", "type": kind, "run": run, "at": _nanoseconds(at), **members}

    def _start(self, run: contract.SourceRun) -> Record:
        at = run["startedAt"] or run["createdAt"]
        members: Record = {"name": run["name"], "facts": run["facts"], "parent": None}
        if run["origin"] and not same_server(run["origin"], self._target.origin):
            members |= {"task": run["number"], "origin": run["origin"]}
        return self._record(run["id"], "run", at, at, **members)

    def _records(self, run: contract.SourceRun) -> Iterator[Record]:
        task_id, at = run["id"], run["startedAt"] or run["createdAt"]
        facts = json.dumps(run["facts"], sort_keys=True)
        for number, part in enumerate(_parts(sorted(_pieces(run["facts"])), _PIECES)):
            request = record_contract.RunContentsRequest(task=task_id, pieces=part)
            contents = call(self._source, record_contract.RUN_CONTENTS, request)["contents"]
            mark = f"{_sha256(facts)[:16]}.{number}"
            yield self._record(task_id, "facts", mark, at, facts={}, contents=contents)
        yield self._record(task_id, "facts", _sha256(facts)[:16], at, facts=run["facts"])
        if run["node"]:
            yield self._record(task_id, "node", _sha256(json.dumps(run["node"]))[:16], at, node=run["node"])
        entities = self._entities(run["edges"])
        for edge in run["edges"]:
            mark = f"{edge['id']}.{_sha256(json.dumps(edge['meta']))[:16]}"
            members = {"direction": edge["direction"], "entity": entities[edge["id"]], "meta": edge["meta"]}
            yield self._record(task_id, "edge", mark, edge["at"], **members)
        yield from self._log(run)
        if run["state"] not in {"running", "queued"}:
            end = {"state": run["state"], "error": run["error"]}
            yield self._record(task_id, "finish", run["finishedAt"] or at, run["finishedAt"] or at, **end)

    def _log(self, run: contract.SourceRun) -> Iterator[Record]:
        after: int | None = 0 if run["log"] else None
        while after is not None:
            response = call(
                self._source, contract.TRANSFER_LOG, contract.TransferLogRequest(task=run["id"], after=after)
            )
            for number, at, lines in response["parts"]:
                yield self._record(run["id"], "log", number, at, lines=lines)
            after = response["after"]

    def _entities(self, edges: Iterable[contract.SourceEdge]) -> dict[int, Record]:
        """Return the entities of edges as the target knows them, by the ids of the edges."""
        own = [edge for edge in edges if not edge["origin"]]
        known: dict[str, dict[int, int]] = {"task": self.tasks}
        for kind in ("project", "version", "dataset", "file"):
            ids = sorted({int(edge["entity"]) for edge in own if _MAPPED.get(edge["type"]) == kind})
            known[kind] = {source: copy[0] for source, copy in self._ids.find(kind, ids).items()} if ids else {}
        return {edge["id"]: self._entity(edge, known) for edge in edges}

    def _entity(self, edge: contract.SourceEdge, known: Mapping[str, Mapping[int, int]]) -> Record:
        """Return an entity; one that was not copied keeps its number, as one of the store that it is in."""
        kind, origin = edge["type"], edge["origin"]
        if origin:
            is_target = same_server(origin, self._target.origin)
            return {"type": kind, "id": edge["entity"], "origin": "" if is_target else origin}
        if any(entity_type.by_path for name, entity_type in ENTITY_TYPES.items() if name == kind):
            return {"type": kind, "id": edge["entity"], "origin": ""}
        number = known.get(_MAPPED.get(kind, ""), {}).get(int(edge["entity"]))
        if number is not None:
            return {"type": kind, "id": number, "origin": ""}
        return {"type": kind, "id": edge["entity"], "origin": f"https://{self._store}.invalid"}

    def _send(self, records: list[Record]) -> dict[str, int]:
        request = record_contract.AddRecordsRequest(records=records)
        response = call(self._target, record_contract.RECORDS_ADD, request)
        for result in response["results"]:
            if result["status"] == "refused":
                raise TransferError(f"{self._target.origin} refused record {result['key']}: {result['reason']}")
        return dict(response["tasks"])


def _fingerprint(run: contract.SourceRun) -> str:
    return _sha256(json.dumps(run, sort_keys=True))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _nanoseconds(text: str) -> int:
    time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(time.timestamp() * 1000) * 1_000_000


def _pieces(value: Any) -> set[str]:
    """Return the names of pieces of contents in facts (`model.run_contents`)."""
    if isinstance(value, dict):
        own = value.get("pieces")
        names = {name for name in own if isinstance(name, str)} if isinstance(own, list) else set()
        return names.union(*map(_pieces, value.values()))
    return set().union(*map(_pieces, value)) if isinstance(value, list) else set()


def _parts(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    part: list[Any] = []
    for value in values:
        part.append(value)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
