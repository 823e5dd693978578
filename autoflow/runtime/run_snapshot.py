"""What `@versioned` does: save a project's data, so that the edge can point at exactly what was read.

On our server a version is one short call; on a Supervisely instance the SDK's own Api makes it, as long as that
takes. Whatever fails, the edge falls back to the project's current version, else to the plain project.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from autoflow.errors import ServerBusy, ServerRefused, ServerUnreachable, VersionNotSaved
from autoflow.outbox.backoff import Backoff
from autoflow.outbox.lookups import probe
from autoflow.outbox.outbox import Outbox
from autoflow.runtime.entity_resolution import EntityRef, resolve_entity
from autoflow.runtime.run import Run
from autoflow.wire import methods

logger = logging.getLogger("autoflow")


KNOWN_SECONDS = 5.0


class Wish(NamedTuple):
    """What an author wants saved, and how."""

    title: str | None
    description: str | None
    types: tuple[str, ...]
    required: bool
    wait: float


class _Project(NamedTuple):
    """A project as far as saving needs it."""

    id: int
    type: str | None
    version: int | None  # the id of its current version


def has_versions(api: Any) -> bool:
    """Whether an object can save versions on an instance, as the SDK's Api does; ours cannot."""
    if type(api).__module__.startswith("autoflow."):
        return False
    return callable(getattr(getattr(getattr(api, "project", None), "version", None), "create", None))


def known(run: Run, name: str, seconds: float = KNOWN_SECONDS) -> Any:
    """Return a field of a version's text that only the server can tell: our server is asked for the run's number.

    Args:
        run: the run.
        name: the field.
        seconds: the longest wait for an answer.
    """
    if name != "task_id" or run.outbox is None or run.outbox.origin == "memory":
        return run.task_id if name == "task_id" else None
    transport = run.outbox.transport

    def ask() -> Any:
        if not probe(transport).is_autoflow:
            return None
        return transport.call(methods.RUNS_ENSURE, run.members()).get("task")

    try:
        return run.task_id or _ask(run.outbox, min(seconds, KNOWN_SECONDS), ask)
    except Exception as error:  # noqa: BLE001 - a text without the number is better than no version
        run.add_failure(error)
        return None


def save(run: Run, value: Any, direction: str, wish: Wish, apis: Iterable[Any]) -> EntityRef | None:
    """Save the project a value means, and have the run's edges of that direction point at the version.

    Args:
        run: the run this is done for.
        value: as for a project input.
        direction: input when the data is saved before it is read, output when after it was written.
        wish: what is wanted.
        apis: objects at hand that may be the SDK's Api.

    Returns:
        The project, as `resolve_entity` gives it; None when the value means none.

    Raises:
        VersionNotSaved: `wish.required`, and no version could be saved.
        UnrecognizedValue: the value can mean no project.
    """
    ident = resolve_entity("project", value)
    if ident is None:
        return None
    reason: Exception
    found: int | None = None
    try:
        found, reason = _attempt(run, ident, value, wish, apis)
    except Exception as error:  # noqa: BLE001 - whatever it was, the app's work goes on
        found, reason = _current(value), error
    if run.outbox is None and not wish.required:
        return ident
    if found is not None:
        run.versions[direction][ident] = found
        if reason is _SAVED:
            return ident
    if wish.required:
        raise VersionNotSaved(f"project {ident} could not be versioned: {reason}") from reason
    run.add_failure(reason)
    logger.warning("autoflow: project %s is not versioned: %s", ident, reason)
    return ident


_SAVED = Exception("saved")


def _attempt(run: Run, ident: EntityRef, value: Any, wish: Wish, apis: Iterable[Any]) -> tuple[int | None, Exception]:
    """The version to point at, and `_SAVED` or why it is not a new one."""
    if run.outbox is None:
        return None, RuntimeError("recording is off")
    if run.origin:
        return _current(value), RuntimeError(f"it belongs to {run.origin}, and records go to {run.outbox.origin}")
    transport = run.outbox.transport
    until = time.monotonic() + wish.wait
    outbox = run.outbox
    server = _ask(outbox, wish.wait, lambda: probe(transport).is_autoflow)
    project = _ask(outbox, until - time.monotonic(), lambda: _look_up(ident, value, transport.call))
    if project.type is not None and project.type not in wish.types:
        return project.version, RuntimeError(f"its type is {project.type}, not {' or '.join(wish.types)}")
    try:
        made = (
            _ask(outbox, until - time.monotonic(), lambda: _snapshot(transport.call, project.id, wish))
            if server
            else _through_sdk(project.id, wish, [*apis, run.api])
        )
    except Exception as error:  # noqa: BLE001 - the SDK's Api may raise anything
        return project.version, error
    if made is None:
        return project.version, RuntimeError("the server made no version")
    return made, _SAVED


def _current(value: Any) -> int | None:
    """The id of the current version, if the value carries it."""
    version = value.get("version") if isinstance(value, Mapping) else getattr(value, "version", None)
    found = version.get("id") if isinstance(version, Mapping) else None
    return found if isinstance(found, int) else None


def _look_up(ident: EntityRef, value: Any, call: Callable[..., Any]) -> _Project:
    """What saving must know of the project; asked of the server unless the value carries it."""
    own_type = value.get("type") if isinstance(value, Mapping) else getattr(value, "type", None)
    if isinstance(ident, int) and isinstance(own_type, str):
        return _Project(ident, own_type, _current(value))
    if isinstance(ident, int):
        answer = call(methods.PROJECT_INFO, {"id": ident})
    else:
        wanted = {"field": "name", "operator": "=", "value": ident[1]}
        answer = call(methods.PROJECT_LIST, {"filter": [wanted], "sort": "id", "sort_order": "asc"})
        rows = answer.get("entities") if isinstance(answer, Mapping) else None
        answer = next((row for row in rows or [] if row.get("name") == ident[1]), None)
    if not isinstance(answer, Mapping):
        raise ServerRefused(f"project {ident} is unknown", status=404)
    number = ident if isinstance(ident, int) else int(answer["id"])
    found = answer.get("type")
    return _Project(number, found if isinstance(found, str) else None, _current(answer) or _current(value))


def _snapshot(call: Callable[..., Any], project: int, wish: Wish) -> int:
    body = {"projectId": project, "title": wish.title, "description": wish.description}
    return int(call(methods.SNAPSHOT, body)["id"])


def _through_sdk(project: int, wish: Wish, apis: Iterable[Any]) -> int | None:
    """Have the SDK save it; that takes as long as it takes."""
    api = next((api for api in apis if has_versions(api)), None)
    if api is None and (sdk := sys.modules.get("supervisely")) is not None:
        api = sdk.Api.from_env()
    if api is None:
        raise RuntimeError("no Api with project.version is at hand: pass it to the function, or to workflow(api=...)")
    logger.info("autoflow: saving project %s before going on", project)
    made = api.project.version.create(project, wish.title, wish.description)
    logger.info("autoflow: project %s is saved as version %s", project, made)
    return made if type(made) is int and made > 0 else None


# calls of `@versioned` that wait for a server that is away have their own circuit breaker: the sender's opens late
_circuits: weakref.WeakKeyDictionary[Outbox, Backoff] = weakref.WeakKeyDictionary()
CHEAP_SECONDS = 0.2  # a failure as quick as this is no reason not to ask again
PAUSE = 6.0  # times as long as an answer was waited for in vain, none is waited for


def _ask(outbox: Outbox, seconds: float, work: Callable[[], Any]) -> Any:
    """Ask a server something, for at most so long, unless the circuit is open.

    Raises:
        ServerUnreachable: the server kept a call waiting before, and is not asked again yet.
        TimeoutError: it took longer.
    """
    circuit = _circuits.setdefault(outbox, Backoff())
    if circuit.wait() > 0:
        raise ServerUnreachable(f"{outbox.origin} did not answer before; it is asked again in {circuit.wait():.0f} s")
    if outbox.circuit_open:
        raise ServerUnreachable(f"{outbox.origin} takes no records now either")
    begun = time.monotonic()
    try:
        answer = _within(seconds, work)
    except (TimeoutError, ServerUnreachable, ServerBusy) as error:
        waited = time.monotonic() - begun
        if isinstance(error, TimeoutError) or waited > CHEAP_SECONDS:
            circuit.failed(getattr(error, "retry_after", None), pause=PAUSE * waited)
        raise
    circuit.succeeded()
    return answer


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """Do something for at most so long; what is not done by then goes on unwatched.

    Raises:
        TimeoutError: it took longer.
    """
    outcome: list[Any] = []

    def watch() -> None:
        try:
            outcome.append((work(), None))
        except Exception as error:  # noqa: BLE001 - handed to the waiting thread
            outcome.append((None, error))

    thread = threading.Thread(target=watch, name="autoflow-savepoint", daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if not outcome:
        raise TimeoutError(f"no answer within the {seconds:.3g} s left")
    result, error = outcome[0]
    if error is not None:
        raise error
    return result
