"""Records as typed changes of a run's task, checked as far as that needs no database."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from autoflow.model.entity_types import ENTITY_TYPES, WireType
from autoflow.model.model_name import check_model_name
from autoflow.model.run import RunFacts
from autoflow.server import timestamps
from autoflow.server.db import files, json_codec, run_contents, tasks
from autoflow.server.errors import Invalid
from autoflow.server.request_parser import RequestParser, as_number, as_text, clean_name, clean_text
from autoflow.wire import cards, methods

DIRECTIONS = tuple(methods.ADD_EDGE)
_FACTS = tuple(RunFacts.__annotations__)


class ByRun(NamedTuple):
    """The task of a run. A new run's task has a number from elsewhere, if there is a `number`.

    Args:
        run: the run's key.
        number, origin: the task's number, and the server that issued it.
        team, workspace: of a new task, at the origin.
    """

    run: str
    number: int | None = None
    origin: str = ""
    team: int | None = None
    workspace: int | None = None


class ByNumber(NamedTuple):
    """The task with a number from elsewhere, created if it is new; `team` is the team of a new one."""

    number: int
    origin: str = ""
    team: int | None = None


class EntityName(NamedTuple):
    """The entity of an edge as the request names it.

    Args:
        type: its type.
        id: a number, a path, or another server's text; None for the session of the edge's own task.
        origin: the server that issued the id; empty for this one.
        name: of another server's entity; empty if unknown.
    """

    type: WireType
    id: int | str | None
    origin: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """The beginning of a run."""

    task: ByRun
    at: str
    name: str
    facts: dict[str, Any]
    parent: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about a run."""

    task: ByRun
    at: str
    facts: dict[str, Any]
    contents: dict[str, bytes]  # pieces by their sha256


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a run."""

    task: ByRun
    at: str
    state: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Log:
    """A part of a run's log."""

    task: ByRun
    at: str
    lines: str


@dataclass(frozen=True, slots=True)
class CardSettings:
    """Settings of a task's own card, as JSON."""

    task: ByRun | ByNumber
    settings: str


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge; `meta` and `card_settings`, those of the task's own card, are JSON, None to keep what is stored.

    `model` is the name of the model that a written file is a version of, empty for none.
    """

    task: ByRun | ByNumber
    at: str
    direction: str
    entity: EntityName
    meta: str | None
    card_settings: str | None
    model: str = ""


Change = Start | Facts | Finish | Log | CardSettings | Edge


def _start(request: RequestParser, at: str) -> Start:
    task = ByRun(
        request.text("run"),
        request.optional_number("task"),
        request.text("origin", ""),
        as_number(request.fields.get("team")),
        as_number(request.fields.get("workspace")),
    )
    facts = {name: request.fields[name] for name in _FACTS if request.has(name)}
    name, parent = clean_name(request.fields.get("name")), as_text(request.fields.get("parent"))
    return Start(task, at, name, {**facts, **request.mapping("facts")}, parent or None)


def _facts(request: RequestParser, at: str) -> Facts:
    contents = run_contents.decode(request.mapping("contents"))
    return Facts(ByRun(request.text("run")), at, request.mapping("facts"), contents)


def _finish(request: RequestParser, at: str) -> Finish:
    state = request.text("state")
    if state not in tasks.STATES[1:]:
        raise Invalid(f'"state" must be one of {", ".join(tasks.STATES[1:])}')
    return Finish(ByRun(request.text("run")), at, state, clean_text(request.fields.get("error")) or None)


def _log(request: RequestParser, at: str) -> Log:
    return Log(ByRun(request.text("run")), at, clean_text(request.fields.get("lines")))


def _card_settings(request: RequestParser, _at: str) -> CardSettings:
    return CardSettings(_task(request), json_codec.dump(request.mapping("node")))


def _edge(request: RequestParser, at: str) -> Edge:
    direction = request.text("direction")
    if direction not in DIRECTIONS:
        raise Invalid(f'"direction" must be one of {", ".join(DIRECTIONS)}')
    entity = RequestParser(request.mapping("entity"), "entity.")
    made = edge(_task(request), direction, entity, request.mapping("meta"), at)
    model = clean_text(request.fields.get("model"))
    if not model:
        return made
    if direction != "output" or ENTITY_TYPES[made.entity.type].card_type != "file":
        raise Invalid('"model": only a file that a run wrote is a version of a model, and this is no such edge')
    try:
        return dataclasses.replace(made, model=check_model_name(model))
    except ValueError as error:
        raise Invalid(f'"model": {error}') from error


def _task(request: RequestParser) -> ByRun | ByNumber:
    """Return the task that a record names, else its run's."""
    if request.has("task"):
        return ByNumber(request.number("task"), request.text("origin", ""))
    return ByRun(request.text("run"))


def edge(
    task: ByRun | ByNumber, direction: str, entity: RequestParser, meta: Mapping[str, Any], timestamp: str
) -> Edge:
    """Return an edge; settings for the task's own card in its meta replace those the card has.

    Raises:
        Invalid: the entity is malformed, or the meta is nested too deep.
    """
    card_settings = meta.get(cards.NODE)
    settings = json_codec.dump(card_settings) if isinstance(card_settings, Mapping) else None
    return Edge(task, timestamp, direction, _entity(entity), json_codec.dump(meta) if meta else None, settings)


def _folder_path(value: Any, position: str) -> str:
    path = clean_text(value).strip()
    if not path.strip("/"):
        raise Invalid(f'"{position}id" must be a folder\'s path')
    return "/" + path.strip("/")


def _entity(request: RequestParser) -> EntityName:
    """Return the entity that an edge names by ``type``, ``id`` and, for another server's, ``origin``.

    Raises:
        Invalid: the type is unknown, or the id is missing or malformed.
    """
    entity_type: Any = request.text("type")
    if entity_type not in ENTITY_TYPES:
        raise Invalid(f'"{request.path}type": there is no type {entity_type!r}; there are {", ".join(ENTITY_TYPES)}')
    if entity_type == "app_session" and not request.has("id"):
        return EntityName(entity_type, None)
    if not request.has("id"):
        raise Invalid(f'"{request.path}id" is missing: which {entity_type} is meant?')
    origin = request.text("origin", "")
    value = request.fields["id"]
    number = as_number(value)
    ident: int | str
    if ENTITY_TYPES[entity_type].by_path:
        ident = _folder_path(value, request.path)
    elif origin:
        ident = number if number is not None else request.text("id")
    elif number is None and isinstance(value, str) and ENTITY_TYPES[entity_type].has_path:
        ident = files.normalize_path(request.text("id"))  # the SDK posts the path of an output file as its id
    else:
        ident = request.number("id")
    return EntityName(entity_type, ident, origin, clean_text(request.fields.get("name")) if origin else "")


_PARSE: Mapping[str, Callable[[RequestParser, str], Change]] = {
    "run": _start,
    "facts": _facts,
    "finish": _finish,
    "log": _log,
    "node": _card_settings,
    "edge": _edge,
}


def change(request: RequestParser) -> Change:
    """Return what a record changes.

    Raises:
        Invalid: it can never be applied.
    """
    record_type = request.text("type")
    if record_type not in _PARSE:
        raise Invalid(f'"type": there is no record type {record_type!r}; there are {", ".join(_PARSE)}')
    return _PARSE[record_type](request, timestamps.at(request.fields.get("at")))
