"""Errors of the database, classified by their codes, never by their texts."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from enum import Enum

from sqlalchemy import exc as failures

from autoflow.errors import ServerBusy
from autoflow.server.errors import Busy, Conflict, Invalid

_BUSY, _LOCKED, _INTERRUPTED, _CORRUPT, _NOTADB = 5, 6, 9, 11, 26  # SQLite's primary result codes
_PRIMARY = 0xFF  # of an extended code
_DAMAGED_STATES = {"XX001", "XX002"}
_BUSY_STATES = {"55P03", "57014", "40001", "40P01"}


class Failure(Enum):
    """Meanings of an error of the database."""

    BUSY = "others hold a lock; a retry may succeed"
    AWAY = "the database, its disk or its network does not answer"
    DAMAGED = "its file or an index of it is damaged, or it is not a database"


def classify(error: BaseException) -> Failure:
    """Return the meaning of an error of the database."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.Error):
        return _classify_sqlite(cause)
    state = getattr(cause, "sqlstate", None)
    if state in _DAMAGED_STATES:
        return Failure.DAMAGED
    return Failure.BUSY if state in _BUSY_STATES or isinstance(cause, failures.TimeoutError) else Failure.AWAY


def _classify_sqlite(error: sqlite3.Error) -> Failure:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # Python 3.10: the module raises the base class itself for these codes and no others of interest
        return Failure.DAMAGED if type(error) is sqlite3.DatabaseError else Failure.BUSY
    primary = code & _PRIMARY
    if primary in {_CORRUPT, _NOTADB}:
        return Failure.DAMAGED
    return Failure.BUSY if primary in {_BUSY, _LOCKED, _INTERRUPTED} else Failure.AWAY


def first_line(error: BaseException) -> str:
    """Return the first line of a driver's message: the following lines may contain values of other rows."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def server_busy(error: Exception, details: str = "") -> ServerBusy:
    """Return the error for a failure after which a retry may succeed."""
    message = f"the server's database is unavailable: {first_line(error)}{details}"
    return Busy(message, retry_after=1.0)


@contextlib.contextmanager
def translate_data_errors() -> Iterator[None]:
    """Translate errors of statements that write values of a client.

    Raises:
        Invalid: the database cannot hold a value.
        Conflict: a constraint is violated; as its rows are of one scope, a retry would fail, too.
    """
    try:
        yield
    except failures.DataError as error:
        raise Invalid(f"the database cannot hold that: {first_line(error)}") from error
    except failures.IntegrityError as error:
        raise Conflict(f"it conflicts with existing data: {first_line(error)}") from error
