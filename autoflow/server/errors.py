"""The ways the server says no: `ServerRefused` with the status and a message that names what was wrong."""

from __future__ import annotations

import reprlib
from typing import Any

from autoflow.errors import ServerRefused

LONGEST = 1000  # characters of a message


def shortened(value: Any) -> str:
    """A value as a message shows it: its repr, cut in length and depth."""
    return _REPR.repr(value)


_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 100
_REPR.maxlevel = 3


def _cut(message: str) -> str:
    """A message without most of what a request may have put into it."""
    return message if len(message) <= LONGEST else f"{message[:LONGEST]} …"


def bad(message: str, details: Any = None) -> ServerRefused:
    """400: the request can never be right as it is."""
    return ServerRefused(_cut(message), status=400, details=details)


def unknown(what: str, number: object) -> ServerRefused:
    """404: no such entity here; `what` is its word, as in "project 999 is unknown on this server"."""
    return ServerRefused(
        f"{what} {_cut(str(number))} is unknown on this server", status=404, details={"type": what, "id": number}
    )


def taken(message: str) -> ServerRefused:
    """409: the name is used already."""
    return ServerRefused(_cut(message), status=409)
