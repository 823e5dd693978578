"""What a run can find out by itself: its task's number, and whose numbers its entities are."""

from __future__ import annotations

from typing import Any

from autoflow import settings
from autoflow.runtime.destination import Destination, parse_origin, same_server
from autoflow.runtime.entity_resolution import UnrecognizedValue, resolve_entity

# origin of the Api made last in this process, see `origin_of`
_api_at_hand: str | None = None


def remember_api(origin: str) -> None:
    """Note the server an Api was made for: the app's numbers come from there."""
    global _api_at_hand
    _api_at_hand = origin


def reset() -> None:
    """Start anew, for tests."""
    global _api_at_hand
    _api_at_hand = None


def api_origin(api: Any) -> str | None:
    """The origin of an Api object: ours says it, the SDK's has a server address."""
    origin = getattr(api, "origin", None)
    if isinstance(origin, str):
        return origin
    address = getattr(api, "server_address", None)
    return parse_origin(address) if isinstance(address, str) and address else None


def origin_of(destination: Destination, api: Any = None) -> str:
    """Whose numbers the app's entities are: the Api at hand, else ``SERVER_ADDRESS``, else the destination's.

    Returns:
        The origin, empty when it is the destination's own.
    """
    origin = api_origin(api) or _api_at_hand
    if origin is None and (address := settings.instance()) is not None:
        origin = parse_origin(address)
    return "" if origin is None or same_server(origin, destination.origin) else origin


def task_number(given: Any = None, api: Any = None) -> int | None:
    """The task's number: as given, else ``SUPERVISELY_TASK_ID``, ``TASK_ID``, else the Api object's."""
    for candidate in (given, settings.task(), getattr(api, "task_id", None)):
        try:
            found = resolve_entity("task", candidate)
        except UnrecognizedValue:
            continue
        if isinstance(found, int):
            return found
    return None
