"""Inference of a run's task id, and of the server that issued the ids of its entities."""

from __future__ import annotations

from typing import Any

from autoflow import settings
from autoflow.runtime.destination import Destination, parse_origin, same_server
from autoflow.runtime.entity_resolution import UnrecognizedValue, resolve_entity

# origin of the Api created last in this process, see `origin_of`
_latest_api_origin: str | None = None


def remember_api(origin: str) -> None:
    """Remember the server of a new Api: the app's ids come from there."""
    global _latest_api_origin
    _latest_api_origin = origin


def reset() -> None:
    """Reset the state of this process, for tests."""
    global _latest_api_origin
    _latest_api_origin = None


def api_origin(api: Any) -> str | None:
    """Return the origin of an Api object: ours has one, the SDK's has a server address."""
    origin = getattr(api, "origin", None)
    if isinstance(origin, str):
        return origin
    address = getattr(api, "server_address", None)
    return parse_origin(address) if isinstance(address, str) and address else None


def origin_of(destination: Destination, api: Any = None) -> str:
    """Return the server that issued the ids of the app's entities.

    It is the Api's, else that of the Api created last, else ``SERVER_ADDRESS``, else the destination.

    Returns:
        The origin, empty when it is the destination's own.
    """
    origin = api_origin(api) or _latest_api_origin
    if origin is None and (address := settings.instance()) is not None:
        origin = parse_origin(address)
    return "" if origin is None or same_server(origin, destination.origin) else origin


def task_number(task_id: Any = None, api: Any = None) -> int | None:
    """Return the task's id: the argument, else ``SUPERVISELY_TASK_ID`` or ``TASK_ID``, else the Api object's."""
    for candidate in (task_id, settings.task(), getattr(api, "task_id", None)):
        try:
            entity = resolve_entity("task", candidate)
        except UnrecognizedValue:
            continue
        if isinstance(entity, int):
            return entity
    return None
