"""Records, which the journal stores and `autoflow.records.add` applies.

A record is a JSON object. Every record has ``key`` (unique for ever: the journal's name and a counter), ``type``,
``run`` (the run's key) and ``at`` (wall clock, nanoseconds since the epoch). By type:

``run``      a run began: ``name``, ``task`` (a number issued at the origin, or null), ``team``, ``workspace``,
             ``origin`` (server that issued these numbers; empty for this one), ``parent`` (a run's key or null) and
             the facts known at the start (`model.run.RunFacts`)
``facts``    ``facts``: what the sender gathered about the run (`RunFacts`)
``finish``   ``state`` (finished, failed, ended: a parent process ended or reaped it, lost) and ``error`` (one line,
             or null)
``log``      ``lines``: a chunk of the run's log, text
``node``     ``node``: settings of the run's own card, wire form
``edge``     on the server's wire: ``direction``, ``entity`` = {"type": WireType, "id": number or path, "origin": ""},
             ``meta`` (wire form, or null), ``task`` when the edge names a task other than its run's

In the journal an edge has the form of `CapturedEdge`; the sender completes it.
"""

from __future__ import annotations

from typing import Any, TypedDict


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


class Subject(TypedDict, total=False):
    """Name of a captured value's entity; the first key present is used, in this order."""

    id: int
    path: str
    name: str


class CapturedEdge(TypedDict, total=False):
    """An edge in the journal: texts may be incomplete (`model.text`), the entity may need a lookup."""

    key: str
    type: str
    run: str
    at: int
    task: int  # of the run, with team and workspace: an edge may come before its run's own record
    team: int
    workspace: int
    own_task: int  # a task other than the run's, named by the edge
    origin: str
    direction: str
    kind: str
    model_weight: bool
    subject: Subject
    version: dict[str, Any]  # {"id": 12} or {"number": 3}
    card: dict[str, Any]  # WorkflowSettings by property, texts in JSON form
    node: dict[str, Any]
    meta: dict[str, Any]  # wire form, taken as it is
    repeat: bool  # recorded by `Api`: never merged with an equal edge
