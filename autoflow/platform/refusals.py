"""The ways the platform says no: `ServerRefused` with the status and a message that names what was wrong."""

from __future__ import annotations

from typing import Any

from autoflow.errors import ServerRefused


def bad(message: str, details: Any = None) -> ServerRefused:
    """400: the request can never be right as it is."""
    return ServerRefused(message, status=400, details=details)


def unknown(what: str, number: object) -> ServerRefused:
    """404: no such entity here; `what` is its word, as in "project 999 is unknown on this platform"."""
    return ServerRefused(
        f"{what} {number} is unknown on this platform", status=404, details={"type": what, "id": number}
    )


def taken(message: str) -> ServerRefused:
    """409: the name is used already."""
    return ServerRefused(message, status=409)
