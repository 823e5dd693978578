"""The database's failures told apart: what can never be right is refused, whatever else is tried again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlalchemy import exc as failures

from autoflow.errors import ServerBusy
from autoflow.platform.refusals import bad, taken


def _said(error: Exception) -> str:
    """The first line of what the driver said: what follows it may name other rows' values."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def busy(error: Exception) -> ServerBusy:
    """What a failure is that may be over when it is tried again."""
    return ServerBusy(f"the platform's database does not take it now: {_said(error)}", status=503, retry_after=1.0)


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Around statements that write what came from outside.

    Raises:
        ServerRefused: 400, the database cannot hold a value; 409, it contradicts what is there: as writes follow one
            another, it always will.
    """
    try:
        yield
    except failures.DataError as error:
        raise bad(f"the database cannot hold that: {_said(error)}") from error
    except failures.IntegrityError as error:
        raise taken(f"that contradicts what is there: {_said(error)}") from error
