"""Errors that operations of the server raise, each with the status code that the wire reports it by.

All are kinds of `ServerRefused` (the same request will fail again) or `ServerBusy` (it may succeed later): the embedded
transport delivers them as they are, `http.responses` turns them into responses.
"""

from __future__ import annotations

import reprlib
from typing import Any

from autoflow.errors import NotAllowed, ServerBusy, ServerRefused

MAX_MESSAGE = 1000  # characters

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 100
_REPR.maxlevel = 3


def shortened(value: Any) -> str:
    """Return a value's repr for a message, cut in length and depth."""
    return _REPR.repr(value)


def _cut(message: str) -> str:
    """Return a message cut to `MAX_MESSAGE`: it may quote what a request sent."""
    return message if len(message) <= MAX_MESSAGE else f"{message[:MAX_MESSAGE]} …"


class Invalid(ServerRefused):
    """400: the request can never succeed as it is."""

    def __init__(self, message: str, details: Any = None) -> None:
        super().__init__(_cut(message), status=400, details=details)


class Unauthenticated(NotAllowed):
    """401: the server does not accept the token, or there is none."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=401)


class Forbidden(NotAllowed):
    """403: the caller's token does not permit it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=403)


class NotFound(ServerRefused):
    """404: the caller sees no such thing; `noun` names its type, as in "project 999 is unknown on this server"."""

    def __init__(self, noun: str, ident: object, message: str | None = None) -> None:
        text = message or f"{noun} {_cut(str(ident))} is unknown on this server"
        super().__init__(text, status=404, details={"type": noun, "id": ident})


class UnknownMethod(ServerRefused):
    """404: the wire of this server has no such method."""

    def __init__(self, method: str) -> None:
        message = f"there is no method {method!r} on this server"
        super().__init__(message, status=404, details={"method": method})


class Conflict(ServerRefused):
    """409: the request contradicts the stored state, as a name that is in use does."""

    def __init__(self, message: str, details: Any = None) -> None:
        super().__init__(_cut(message), status=409, details=details)


class Gone(ServerRefused):
    """410: an external file was removed or changed since it was registered."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=410)


class TooLarge(ServerRefused):
    """413: the request needs more than one request may have."""

    def __init__(self, message: str, details: Any = None) -> None:
        super().__init__(message, status=413, details=details)


class Busy(ServerBusy):
    """503: the server cannot do it now; `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message, status=503, retry_after=retry_after)


class StorageFailed(ServerBusy):
    """500: a disk or a bucket failed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=500)


class StorageFull(ServerBusy):
    """507: a disk has no room."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=507)
