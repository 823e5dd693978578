"""``api.app.workflow``: the workflow methods of the SDK, with the SDK's parameters, recording through the outbox.

A call is one write to the journal; the look-ups that the SDK makes before each request are left to the sender.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, TypedDict, cast

from autoflow.api.protocols import RecordingApi
from autoflow.guard import Guard
from autoflow.model.card import WireMeta, WorkflowMeta
from autoflow.model.entity_types import Direction, Kind
from autoflow.outbox.record_encoder import encode_members
from autoflow.runtime.context import current_run
from autoflow.runtime.entity_resolution import EntityIdentifier, UnrecognizedValue, resolve_entity
from autoflow.runtime.inference import task_number
from autoflow.wire.cards import valid_meta
from autoflow.wire.records import Subject, VersionReference

logger = logging.getLogger("autoflow")

Meta = WorkflowMeta | Mapping[str, Any] | None


class Receipt(TypedDict, total=False):
    """The result of a workflow method: the key of the record; empty when nothing could be recorded."""

    recorded: bool
    key: str


class _Entity(TypedDict, total=False):
    """The members of a record that identify its entity."""

    subject: Subject
    version: VersionReference


class Workflow:
    """Records the inputs and outputs of a task.

    Every method takes ``task_id`` (default: the current run's task) and ``meta``, a WorkflowMeta or its wire form (an
    invalid one is ignored with a warning). It returns ``{"recorded": True, "key": ...}``, ``{}`` when nothing could be
    recorded (the reason is logged), and None while recording is off. No method raises or blocks.
    """

    def __init__(self, api: RecordingApi) -> None:
        self._api = api
        self._enabled = True
        self._guard = Guard("recording through Api")

    def enable(self) -> None:
        """Turn recording on."""
        self._enabled = True

    def disable(self) -> None:
        """Turn recording off for this `Api` object."""
        self._enabled = False

    def is_enabled(self) -> bool:
        """Return whether recording is on: disabled neither here nor by ``AUTOFLOW_SERVER=off``."""
        return self._enabled and self._api.outbox is not None

    def add_input_project(
        self,
        project: Any = None,
        version_id: int | None = None,
        version_num: int | None = None,
        task_id: int | None = None,
        meta: Meta = None,
    ) -> Receipt | None:
        """Record a project as an input, or one of its versions by id or (with the project) by number."""
        if version_id is not None and version_num is not None:
            return self._refused("input", "pass version_id or version_num, not both")
        if version_num is not None and project is None:
            return self._refused("input", "version_num needs project")
        return self._edge("input", "project", project, task_id, meta, version=version_id, number=version_num)

    def add_input_dataset(self, dataset: Any, task_id: int | None = None, meta: Meta = None) -> Receipt | None:
        """Record a dataset as an input."""
        return self._edge("input", "dataset", dataset, task_id, meta)

    def add_input_file(
        self, file: Any, model_weight: bool = False, task_id: int | None = None, meta: Meta = None
    ) -> Receipt | None:
        """Record a team file, by id, FileInfo or path, as an input."""
        return self._edge("input", "file", file, task_id, meta, model_weight=model_weight)

    def add_input_folder(self, path: str, task_id: int | None = None, meta: Meta = None) -> Receipt | None:
        """Record a folder in Team Files as an input."""
        return self._edge("input", "folder", path, task_id, meta)

    def add_input_task(self, input_task_id: int, task_id: int | None = None, meta: Meta = None) -> Receipt | None:
        """Record a task whose results are used as an input."""
        return self._edge("input", "task", input_task_id, task_id, meta)

    def add_input_job(self, id: int, task_id: int | None = None, meta: Meta = None) -> Receipt | None:  # noqa: A002
        """Record a labeling job as an input."""
        return self._edge("input", "job", id, task_id, meta)

    def add_output_project(
        self, project: Any, version_id: int | None = None, task_id: int | None = None, meta: Meta = None
    ) -> Receipt | None:
        """Record a project or one of its versions as an output."""
        return self._edge("output", "project", project, task_id, meta, version=version_id)

    def add_output_dataset(self, dataset: Any, task_id: int | None = None, meta: Meta = None) -> Receipt | None:
        """Record a dataset as an output."""
        return self._edge("output", "dataset", dataset, task_id, meta)

    def add_output_file(
        self, file: Any, model_weight: bool = False, task_id: int | None = None, meta: Meta = None
    ) -> Receipt | None:
        """Record a team file, by id, FileInfo or path, as an output."""
        return self._edge("output", "file", file, task_id, meta, model_weight=model_weight)

    def add_output_folder(self, path: str, task_id: int | None = None, meta: Meta = None) -> Receipt | None:
        """Record a folder in Team Files as an output."""
        return self._edge("output", "folder", path, task_id, meta)

    def add_output_task(self, output_task_id: int, task_id: int | None = None, meta: Meta = None) -> Receipt | None:
        """Record a task that this task created as an output."""
        return self._edge("output", "task", output_task_id, task_id, meta)

    def add_output_job(self, id: int, task_id: int | None = None, meta: Meta = None) -> Receipt | None:  # noqa: A002
        """Record a labeling job that this task created as an output."""
        return self._edge("output", "job", id, task_id, meta)

    def add_output_app(self, task_id: int | None = None, meta: Meta = None) -> Receipt | None:
        """Record the task's own session, where its results can be viewed, as an output."""
        return self._edge("output", "app", None, task_id, meta)

    # -- implementation

    def _edge(
        self,
        direction: Direction,
        kind: Kind,
        value: Any,
        task_id: Any,
        meta: Meta,
        *,
        model_weight: bool = False,
        version: int | None = None,
        number: int | None = None,
    ) -> Receipt | None:
        if not self.is_enabled():
            return None
        with self._guard:
            try:
                entity = self._entity(kind, value, version, number)
            except UnrecognizedValue as error:
                return self._refused(direction, str(error))
            members: dict[str, Any] = {"type": "edge", "direction": direction, "kind": kind, "repeat": True, **entity}
            if model_weight:
                members["model_weight"] = True
            if (wire := _wire(meta)) is not None:
                members["meta"] = wire
            key = self._write(members, task_number(task_id) if task_id is not None else None)
            return {"recorded": True, "key": key} if key else {}
        return {}

    def _write(self, members: dict[str, Any], task: int | None) -> str:
        """Record an edge of the current run in this `Api`'s destination; return the record's key."""
        run, outbox = current_run(), self._api.outbox
        if task is None and run.explicit_task_id is None:
            task = self._api.task_id
        if task is not None and task != run.explicit_task_id:
            members["own_task"] = task
        foreign = self._api.origin if self._api.origin != self._api.records.origin else ""
        members |= {**run.members(), "origin": foreign or None}
        present = {name: value for name, value in members.items() if value is not None and name != "name"}
        return outbox.key(outbox.record(encode_members(present))) if outbox is not None else ""

    @staticmethod
    def _entity(kind: Kind, value: Any, version: int | None, number: int | None) -> _Entity:
        """Return the entity that the arguments identify.

        Raises:
            UnrecognizedValue: the arguments identify no entity.
        """
        if kind == "app":
            return {"subject": {"id": 0}}
        if version:
            version_id = _version_number(version)
            return {"subject": {"id": version_id}, "version": {"id": version_id}}
        ident: EntityIdentifier | None = (
            resolve_entity(kind, value) if kind != "folder" or value != "" else ("path", "/")
        )
        if ident is None:
            raise UnrecognizedValue(f"{value!r} does not identify a {kind}")
        subject: Subject = {"id": ident} if isinstance(ident, int) else cast("Subject", dict([ident]))
        return {"subject": subject, "version": {"number": _version_number(number)}} if number else {"subject": subject}

    @staticmethod
    def _refused(direction: Direction, reason: str) -> Receipt:
        logger.warning("Workflow: %s not recorded: %s", direction, reason)
        return {}


def _version_number(version: Any) -> int:
    """Return a version's id or number as an int.

    Raises:
        UnrecognizedValue: the value is not a number.
    """
    try:
        number = resolve_entity("task", version)  # a kind that has numbers only
    except UnrecognizedValue:
        number = None
    if not isinstance(number, int):
        raise UnrecognizedValue(f"{version!r} is not a version id or number")
    return number


def _wire(meta: Meta) -> WireMeta | None:
    """Return card settings in wire form; None, with a warning, if they are not valid."""
    if meta is None:
        return None
    wire = meta.as_dict if isinstance(meta, WorkflowMeta) else meta
    if valid_meta(wire):
        return wire
    logger.warning("Workflow: the card settings in meta are not valid and are ignored")
    return None
