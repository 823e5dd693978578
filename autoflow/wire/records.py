"""Records, which the journal stores and `autoflow.records.add` applies.

A record is a JSON object. Every record has ``key`` (unique for ever: the journal's name and a counter), ``type``,
``run`` (the run's key) and ``at`` (wall clock, nanoseconds since the epoch). By type:

``run``      a run began: ``name``, ``task`` (a number issued at the origin, or null), ``team``, ``workspace``,
             ``origin`` (server that issued these numbers; empty for this one), ``parent`` (a run's key or null) and
             the facts known at the start (`model.run.RunFacts`)
``facts``    ``facts``: what the sender gathered about the run (`RunFacts`); ``contents``: pieces of contents that facts
             name, in base64 by their sha256 (`model.run_contents`)
``finish``   ``state`` (finished, failed, ended: a parent process ended or reaped it, lost) and ``error`` (one line,
             or null)
``log``      ``lines``: a chunk of the run's log, text
``node``     ``node``: settings of the run's own card, wire form
``edge``     on the server's wire: ``direction``, ``entity`` = {"type": WireType, "id": number or path, "origin": ""},
             ``meta`` (wire form, or null), ``task`` when the edge names a task other than its run's, ``model`` when
             the file is a version of a model of that name

In the journal an edge has the form of `CapturedEdge`; the sender completes it.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from autoflow.model.card import WireMeta, WireSettings
from autoflow.model.entity_types import Direction, Kind, WireType
from autoflow.model.run import RunFacts, RunState


class _RunKey(TypedDict):
    run: str


class RunMembers(_RunKey, total=False):
    """The members that name the run and its task, in every record of the run; the name is in its first only.

    `wire.contract.records.EnsureRunRequest` has their meanings.
    """

    name: str | None
    task: int
    team: int
    workspace: int
    origin: str


class _Record(RunMembers):
    at: int


class _StartRecord(_Record):
    type: Literal["run"]
    parent: str | None


class StartRecord(_StartRecord, total=False):
    """The beginning of a run, with the facts known then (`model.run.RunFacts`) as further members."""

    folder: str


class _FactsRecord(_Record):
    type: Literal["facts"]
    facts: RunFacts


class FactsRecord(_FactsRecord, total=False):
    """Facts that the sender gathered about a run, and pieces of the contents that facts name."""

    contents: dict[str, str]


class FinishRecord(_Record):
    """The end of a run."""

    type: Literal["finish"]
    state: RunState
    error: str | None


class LogRecord(_Record):
    """A part of a run's log."""

    type: Literal["log"]
    lines: str


class CapturedNode(_Record):
    """Settings of a run's own card in the journal: WorkflowSettings by property, texts in JSON form (`model.text`)."""

    type: Literal["node"]
    card: dict[str, Any]


class Subject(TypedDict, total=False):
    """Name of a captured value's entity; the first key present is used, in this order."""

    id: int
    path: str
    name: str


class VersionReference(TypedDict, total=False):
    """A version of a project, by one of the two."""

    id: int
    number: int


class _EdgeHead(_Record):
    type: Literal["edge"]
    direction: Direction
    kind: Kind


class CapturedEdge(_EdgeHead, total=False):
    """An edge in the journal: texts may be incomplete (`model.text`), the entity may need a lookup.

    Its `task` is the run's, as an edge may come before the run's own record.
    """

    own_task: int  # a task other than the run's, named by the edge
    model_weight: bool
    model: str  # name of the model that a written file is a version of
    subject: Subject
    version: VersionReference
    card: dict[str, Any]  # WorkflowSettings by property, texts in JSON form
    node: dict[str, Any]
    meta: WireMeta  # taken as it is
    repeat: bool  # recorded by `Api`: never merged with an equal edge


# A record in the journal.
Record = StartRecord | FactsRecord | FinishRecord | LogRecord | CapturedNode | CapturedEdge


class NodeRecord(_Record):
    """Settings of a run's own card, complete."""

    key: str
    type: Literal["node"]
    node: WireSettings


class _EdgeEntity(TypedDict):
    type: WireType
    id: int | str
    origin: str


class EdgeEntity(_EdgeEntity, total=False):
    """The entity of an edge; the origin is empty for the server's own. A file of a machine has its name too."""

    name: str


class _EdgeRecord(_RunKey):
    key: str
    at: int
    type: Literal["edge"]
    direction: Direction
    entity: EdgeEntity
    meta: WireMeta | None


class EdgeRecord(_EdgeRecord, total=False):
    """An edge, complete; with the task that it names, if that is not its run's, and the model of a file."""

    task: int
    model: str
