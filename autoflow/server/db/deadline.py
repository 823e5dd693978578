"""A time limit for transactions, so that no request holds the write lock, or a thread, indefinitely.

The time is checked before each statement. Within a statement SQLite calls a progress handler, and PostgreSQL has its
own timeout. A transaction over the limit is rolled back as after any other error.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy import exc as failures

from autoflow.server.errors import Invalid

READ_SECONDS = 30.0  # seconds
WRITE_SECONDS = 15.0  # seconds of holding the write lock: fewer than others wait for it
_INSTRUCTIONS = 20_000  # of SQLite's virtual machine between two checks: about a millisecond
_LIMIT = "autoflow_time_limit"  # of a connection, while a transaction has one
_CANCELLED = "57014"  # PostgreSQL's code for a statement that its timeout ended


def install(engine: Engine) -> None:
    """Check the time limit of a transaction, if it has one, before each of its statements."""
    event.listen(engine, "before_cursor_execute", _check)


def _check(conn: Connection, *_arguments: Any) -> None:
    limit = conn.info.get(_LIMIT)
    if limit is not None and time.monotonic() > limit[0]:
        raise Invalid(limit[1])


@contextlib.contextmanager
def time_limit(conn: Connection, seconds: float) -> Iterator[None]:
    """Limit the duration of a transaction for one request.

    Raises:
        Invalid: it took longer than `seconds`.
    """
    until = time.monotonic() + seconds
    message = f"the request takes longer than {seconds:.0f} s and was rolled back: ask for less at once"
    driver = conn.connection.driver_connection
    about_connection = conn.info
    about_connection[_LIMIT] = until, message
    if isinstance(driver, sqlite3.Connection):
        driver.set_progress_handler(lambda: time.monotonic() > until, _INSTRUCTIONS)
    try:
        yield
    except failures.OperationalError as error:
        if time.monotonic() > until or getattr(error.orig, "sqlstate", None) == _CANCELLED:
            raise Invalid(message) from error
        raise
    finally:
        del about_connection[_LIMIT]
        if isinstance(driver, sqlite3.Connection):
            driver.set_progress_handler(None, 0)
