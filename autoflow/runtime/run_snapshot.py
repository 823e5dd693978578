"""Saving of a version for `@versioned`, so that the edge points at exactly the data that the run read or wrote.

On our server a version is one short call; on a Supervisely instance the SDK's own Api creates it, as long as that
takes. After any failure the edge points at the project's current version, else at the plain project.
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
from autoflow.outbox.outbox import Outbox
from autoflow.runtime.entity_resolution import EntityIdentifier, resolve_entity
from autoflow.runtime.recorder import Recorder
from autoflow.runtime.run import Run
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire import methods

logger = logging.getLogger("autoflow")

FIELD_SECONDS = 5.0  # limit of a lookup for a version's title or description
QUICK_FAILURE_SECONDS = 0.2  # a failure as quick as this does not open the circuit breaker
PAUSE_FACTOR = 6.0  # the circuit stays open for this many times the wait that failed


class SnapshotOptions(NamedTuple):
    """The options of `@versioned` at one call, see there."""

    title: str | None
    description: str | None
    types: tuple[str, ...]
    required: bool
    wait: float


class _Project(NamedTuple):
    """The properties of a project that saving needs."""

    id: int
    type: str | None
    version: int | None  # the id of its current version


def has_versions(api: Any) -> bool:
    """Return whether an object can save versions on an instance, as the SDK's Api can; ours cannot."""
    if type(api).__module__.startswith("autoflow."):
        return False
    return callable(getattr(getattr(getattr(api, "project", None), "version", None), "create", None))


def lookup_field(recorder: Recorder, name: str, *, seconds: float = FIELD_SECONDS) -> Any:
    """Return a field of a version's text that the call does not know: the task's id, which our server may assign.

    Args:
        recorder: the run's.
        name: the field.
        seconds: limit of the wait for the server.
    """
    if name != "task_id" or recorder.outbox is None or recorder.outbox.origin == "memory":
        return recorder.task_id if name == "task_id" else None
    connector = recorder.outbox.connector

    def ensure_task() -> Any:
        return connector.identify().task_number(recorder.members())

    try:
        return recorder.task_id or _call_server(recorder.outbox, min(seconds, FIELD_SECONDS), ensure_task)
    except Exception as error:  # noqa: BLE001 - a text without the id is better than no version
        recorder.add_failure(error)
        return None


def save_version(
    run: Run, value: Any, direction: str, options: SnapshotOptions, apis: Iterable[Any]
) -> EntityIdentifier | None:
    """Save a version of a project; the run's edges to the project then point at it.

    Args:
        run: the run that the version is saved for.
        value: as for a project input.
        direction: input when the data is saved before it is read, output when after it was written.
        options: of `@versioned`.
        apis: objects that may be the SDK's Api.

    Returns:
        The project; None when the value stands for none.

    Raises:
        VersionNotSaved: `options.required`, and no version could be saved.
        UnrecognizedValue: the value cannot stand for a project.
    """
    project = resolve_entity("project", value)
    if project is None:
        return None
    reason: Exception
    version: int | None = None
    try:
        version, reason = _attempt(run, project, value, options, apis)
    except Exception as error:  # noqa: BLE001 - no failure stops the app
        version, reason = _current_version(value), error
    if run.outbox is None and not options.required:
        return project
    if version is not None:
        run.versions[direction][project] = version
        if reason is _SAVED:
            return project
    if options.required:
        raise VersionNotSaved(f"project {project} could not be versioned: {reason}") from reason
    run.add_failure(reason)
    logger.warning("autoflow: project %s is not versioned: %s", project, reason)
    return project


_SAVED = Exception("saved")


def _attempt(
    run: Run, project: EntityIdentifier, value: Any, options: SnapshotOptions, apis: Iterable[Any]
) -> tuple[int | None, Exception]:
    """Return the version to point at, and `_SAVED` or the reason why it is not a new one."""
    if run.outbox is None:
        return None, RuntimeError("recording is off")
    if run.origin:
        return _current_version(value), RuntimeError(
            f"it belongs to {run.origin}, and records go to {run.outbox.origin}"
        )
    deadline = time.monotonic() + options.wait
    outbox = run.outbox
    transport = outbox.connector.transport
    if transport is None:
        return _current_version(value), RuntimeError(f"{outbox.origin} only takes records: it has no projects")
    own_methods = _call_server(outbox, options.wait, lambda: _has_own_methods(outbox))
    info = _call_server(outbox, deadline - time.monotonic(), lambda: _look_up(project, value, transport))
    if info.type is not None and info.type not in options.types:
        return info.version, RuntimeError(f"its type is {info.type}, not {' or '.join(options.types)}")
    try:
        saved = (
            _call_server(outbox, deadline - time.monotonic(), lambda: _snapshot(transport, info.id, options))
            if own_methods
            else _save_through_sdk(info.id, options, [*apis, run.api])
        )
    except Exception as error:  # noqa: BLE001 - the SDK's Api may raise anything
        return info.version, error
    if saved is None:
        return info.version, RuntimeError("the server made no version")
    return saved, _SAVED


def changed_since(run: Run, version: int, seconds: float) -> bool:
    """Return whether the project of a version is known to have been changed since; False if nobody can tell.

    Args:
        run: the run that saved the version.
        version: its id.
        seconds: limit of the wait for the server.
    """
    outbox = run.outbox
    if outbox is None or run.origin or (transport := outbox.connector.transport) is None:
        return False
    try:
        if not _call_server(outbox, seconds, lambda: _has_own_methods(outbox)):
            return False
        return _call_server(outbox, seconds, lambda: _is_unchanged(transport, version)) is False
    except Exception:  # noqa: BLE001 - the server is older, or busy; a doubt that nothing supports is none
        run.debug("whether version %s has been changed is not known", version)
        return False


def _is_unchanged(transport: Transport, version: int) -> bool:
    from autoflow.wire.contract.versions import VERSION_UNCHANGED, VersionUnchangedRequest  # as in `_snapshot`

    return call(transport, VERSION_UNCHANGED, VersionUnchangedRequest(id=version))["unchanged"]


def _has_own_methods(outbox: Outbox) -> bool:
    """Return whether versions are saved by autoflow's own methods, and not by the SDK."""
    return outbox.connector.identify().own_methods


def _current_version(value: Any) -> int | None:
    """Return the id of the project's current version, when the value carries it."""
    version = value.get("version") if isinstance(value, Mapping) else getattr(value, "version", None)
    version_id = version.get("id") if isinstance(version, Mapping) else None
    return version_id if isinstance(version_id, int) else None


def _look_up(project: EntityIdentifier, value: Any, transport: Transport) -> _Project:
    """Return a project's properties: from the value when it carries them, else from the server.

    Raises:
        ServerRefused: the server does not know the project.
    """
    value_type = value.get("type") if isinstance(value, Mapping) else getattr(value, "type", None)
    if isinstance(project, int) and isinstance(value_type, str):
        return _Project(project, value_type, _current_version(value))
    if isinstance(project, int):
        response = transport.call(methods.PROJECT_INFO, {"id": project})
    else:
        by_name = {"field": "name", "operator": "=", "value": project[1]}
        response = transport.call(methods.PROJECT_LIST, {"filter": [by_name], "sort": "id", "sort_order": "asc"})
        rows = response.get("entities") if isinstance(response, Mapping) else None
        response = next((row for row in rows or [] if row.get("name") == project[1]), None)
    if not isinstance(response, Mapping):
        raise ServerRefused(f"project {project} is unknown", status=404)
    project_id = project if isinstance(project, int) else int(response["id"])
    project_type = response.get("type")
    return _Project(
        project_id,
        project_type if isinstance(project_type, str) else None,
        _current_version(response) or _current_version(value),
    )


def _snapshot(transport: Transport, project_id: int, options: SnapshotOptions) -> int:
    from autoflow.wire.contract.versions import SNAPSHOT, SnapshotRequest  # not at each app's start

    request = SnapshotRequest(project_id=project_id, title=options.title, description=options.description)
    return int(call(transport, SNAPSHOT, request)["id"])


def _save_through_sdk(project_id: int, options: SnapshotOptions, apis: Iterable[Any]) -> int | None:
    """Save a version by the SDK's Api, without a time limit.

    Raises:
        RuntimeError: no such Api is available.
    """
    api = next((api for api in apis if has_versions(api)), None)
    if api is None and (sdk := sys.modules.get("supervisely")) is not None:
        api = sdk.Api.from_env()
    if api is None:
        raise RuntimeError("no Api with project.version was found: pass one to the function, or to workflow(api=...)")
    logger.info("autoflow: saving project %s before going on", project_id)
    version_id = api.project.version.create(project_id, options.title, options.description)
    logger.info("autoflow: project %s is saved as version %s", project_id, version_id)
    return version_id if type(version_id) is int and version_id > 0 else None


# `@versioned` has a circuit breaker of its own for each outbox: the sender's opens only after several failures
_circuits: weakref.WeakKeyDictionary[Outbox, Backoff] = weakref.WeakKeyDictionary()


def _call_server(outbox: Outbox, seconds: float, work: Callable[[], Any]) -> Any:
    """Return the result of a request to the outbox's server, limited in time and by a circuit breaker.

    Raises:
        ServerUnreachable: the circuit is open, because an earlier request timed out.
        TimeoutError: the request took longer.
    """
    circuit = _circuits.setdefault(outbox, Backoff())
    if circuit.wait() > 0:
        raise ServerUnreachable(f"{outbox.origin} did not answer; the next request is sent in {circuit.wait():.0f} s")
    if outbox.circuit_open:
        raise ServerUnreachable(f"{outbox.origin} does not take records at the moment")
    start = time.monotonic()
    try:
        result = run_with_timeout(seconds, work)
    except (TimeoutError, ServerUnreachable, ServerBusy) as error:
        waited = time.monotonic() - start
        if isinstance(error, TimeoutError) or waited > QUICK_FAILURE_SECONDS:
            circuit.failed(getattr(error, "retry_after", None), pause=PAUSE_FACTOR * waited)
        raise
    circuit.succeeded()
    return result


def run_with_timeout(seconds: float, work: Callable[[], Any]) -> Any:
    """Return the result of a function that is run in a thread; a thread that exceeds the limit is left running.

    Raises:
        TimeoutError: it took longer.
    """
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((work(), None))
        except Exception as error:  # noqa: BLE001 - raised again in the waiting thread
            outcome.append((None, error))

    thread = threading.Thread(target=run, name="autoflow-snapshot", daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if not outcome:
        raise TimeoutError(f"no answer within the {seconds:.3g} s left")
    result, error = outcome[0]
    if error is not None:
        raise error
    return result
