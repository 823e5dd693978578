"""``api.app.workflow``: the guide's thirteen methods, recording through the outbox.

Their parameters are the SDK's. A call costs one write; what the SDK looks up before it posts, the sender does.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autoflow.guard import Guard
from autoflow.model.card import WorkflowMeta
from autoflow.model.entity import Direction, Kind
from autoflow.runtime.context import current_run
from autoflow.runtime.entity_resolution import EntityRef, UnrecognizedValue, resolve_entity
from autoflow.runtime.inference import task_number
from autoflow.runtime.templating import encode
from autoflow.wire.cards import valid_meta

if TYPE_CHECKING:
    from autoflow.api.client import Api

logger = logging.getLogger("autoflow")

Meta = WorkflowMeta | Mapping[str, Any] | None


class Workflow:
    """Records the inputs and outputs of a task.

    Every method takes ``task_id``, the task's number (default the current run's), and ``meta``, a WorkflowMeta or its
    wire form (an invalid one is left out with a warning). It gives ``{"recorded": True, "key": ...}``, ``{}`` when
    nothing could be recorded (the reason is logged), and None while the workflow is disabled. None raises or waits.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._enabled = True
        self._guard = Guard("recording through Api")

    def enable(self) -> None:
        """Switch recording on."""
        self._enabled = True

    def disable(self) -> None:
        """Switch recording off for this Api object."""
        self._enabled = False

    def is_enabled(self) -> bool:
        """Whether recording is on: not disabled here, nor by ``AUTOFLOW_SERVER=off``."""
        return self._enabled and self._api.outbox is not None

    def add_input_project(
        self,
        project: Any = None,
        version_id: int | None = None,
        version_num: int | None = None,
        task_id: int | None = None,
        meta: Meta = None,
    ) -> dict[str, Any] | None:
        """A project, or one of its versions by id or, together with the project, by number."""
        if version_id is not None and version_num is not None:
            return self._refused("input", "only one of version_id and version_num can be given")
        if version_num is not None and project is None:
            return self._refused("input", "version_num goes with project")
        return self._edge("input", "project", project, task_id, meta, version=version_id, number=version_num)

    def add_input_dataset(self, dataset: Any, task_id: int | None = None, meta: Meta = None) -> dict[str, Any] | None:
        """A dataset."""
        return self._edge("input", "dataset", dataset, task_id, meta)

    def add_input_file(
        self, file: Any, model_weight: bool = False, task_id: int | None = None, meta: Meta = None
    ) -> dict[str, Any] | None:
        """A team file: its number, FileInfo or path."""
        return self._edge("input", "file", file, task_id, meta, model_weight=model_weight)

    def add_input_folder(self, path: str, task_id: int | None = None, meta: Meta = None) -> dict[str, Any] | None:
        """A folder in Team Files."""
        return self._edge("input", "folder", path, task_id, meta)

    def add_input_task(
        self, input_task_id: int, task_id: int | None = None, meta: Meta = None
    ) -> dict[str, Any] | None:
        """A task whose results are used."""
        return self._edge("input", "task", input_task_id, task_id, meta)

    def add_input_job(self, id: int, task_id: int | None = None, meta: Meta = None) -> dict[str, Any] | None:  # noqa: A002
        """A labeling job."""
        return self._edge("input", "job", id, task_id, meta)

    def add_output_project(
        self, project: Any, version_id: int | None = None, task_id: int | None = None, meta: Meta = None
    ) -> dict[str, Any] | None:
        """A project, or one of its versions."""
        return self._edge("output", "project", project, task_id, meta, version=version_id)

    def add_output_dataset(self, dataset: Any, task_id: int | None = None, meta: Meta = None) -> dict[str, Any] | None:
        """A dataset."""
        return self._edge("output", "dataset", dataset, task_id, meta)

    def add_output_file(
        self, file: Any, model_weight: bool = False, task_id: int | None = None, meta: Meta = None
    ) -> dict[str, Any] | None:
        """A team file: its number, FileInfo or path."""
        return self._edge("output", "file", file, task_id, meta, model_weight=model_weight)

    def add_output_folder(self, path: str, task_id: int | None = None, meta: Meta = None) -> dict[str, Any] | None:
        """A folder in Team Files."""
        return self._edge("output", "folder", path, task_id, meta)

    def add_output_task(
        self, output_task_id: int, task_id: int | None = None, meta: Meta = None
    ) -> dict[str, Any] | None:
        """A task that this one made."""
        return self._edge("output", "task", output_task_id, task_id, meta)

    def add_output_job(self, id: int, task_id: int | None = None, meta: Meta = None) -> dict[str, Any] | None:  # noqa: A002
        """A labeling job that this task made."""
        return self._edge("output", "job", id, task_id, meta)

    def add_output_app(self, task_id: int | None = None, meta: Meta = None) -> dict[str, Any] | None:
        """The task's own session, where its results can be looked at."""
        return self._edge("output", "app", None, task_id, meta)

    # -- underneath

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
    ) -> dict[str, Any] | None:
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
        """Write an edge of the current run to where this Api's records go."""
        run, outbox = current_run(), self._api.outbox
        if task is None and run.explicit_task_id is None:
            task = self._api.task_id
        if task is not None and task != run.explicit_task_id:
            members["own_task"] = task
        foreign = self._api.origin if self._api.origin != self._api.records.origin else ""
        members |= {**run.members(), "origin": foreign or None}
        given = {name: value for name, value in members.items() if value is not None and name != "name"}
        return outbox.key(outbox.record(encode(given)[1:-1])) if outbox is not None else ""

    @staticmethod
    def _entity(kind: Kind, value: Any, version: int | None, number: int | None) -> dict[str, Any]:
        """The members that name the entity.

        Raises:
            UnrecognizedValue: the arguments name none.
        """
        if kind == "app":
            return {"subject": {"id": 0}}
        if version:
            ident = _number_of_version(version)
            return {"subject": {"id": ident}, "version": {"id": ident}}
        found: EntityRef | None = resolve_entity(kind, value) if kind != "folder" or value != "" else ("path", "/")
        if found is None:
            raise UnrecognizedValue(f"{value!r} is no {kind}")
        subject = {"id": found} if isinstance(found, int) else dict([found])
        return (
            {"subject": subject, "version": {"number": _number_of_version(number)}} if number else {"subject": subject}
        )

    @staticmethod
    def _refused(direction: Direction, reason: str) -> dict[str, Any]:
        logger.warning("Workflow: the %s is not recorded: %s", direction, reason)
        return {}


def _number_of_version(version: Any) -> int:
    """A version's id or number.

    Raises:
        UnrecognizedValue: it is none.
    """
    try:
        found = resolve_entity("task", version)  # a kind that has numbers only
    except UnrecognizedValue:
        found = None
    if not isinstance(found, int):
        raise UnrecognizedValue(f"{version!r} is no version")
    return found


def _wire(meta: Meta) -> dict[str, Any] | None:
    """Settings in wire form; None with a warning when they are not valid."""
    if meta is None:
        return None
    wire = meta.as_dict if isinstance(meta, WorkflowMeta) else meta
    if valid_meta(wire):
        return dict(wire)  # type: ignore[arg-type]
    logger.warning("Workflow: the card's settings are not valid and are left out")
    return None
