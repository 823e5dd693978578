"""A PostgreSQL that vanishes without a word: writes fail in bounded time, and go on when it is back.

The way to it is a proxy, which stops forwarding and keeps its connections open, as a firewall that
forgot them does; the database itself is the real one, also stopped by SIGSTOP.
"""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
import sqlalchemy
from sqlalchemy import text

from autoflow.errors import ServerBusy
from autoflow.server.db import opening, postgresql
from autoflow.server.db.engine import Store
from autoflow.server.server import Server
from tests.database_proxy import Proxy

pytestmark = pytest.mark.timing


@pytest.fixture
def proxied(postgres, monkeypatch):
    """A proxy, and the url of a new store by way of it; deadlines are those of a test."""
    for name, seconds in (("STATEMENT_TIMEOUT", 1.0), ("GRACE", 0.5), ("PING_TIMEOUT", 0.5), ("CONNECT_TIMEOUT", 2.0)):
        monkeypatch.setattr(postgresql, name, seconds)
    monkeypatch.setattr(opening, "RETRY_INTERVAL", 0.1)
    monkeypatch.setitem(postgresql._SETTINGS, "idle_in_transaction_session_timeout", "2s")
    postgresql._bounded.cache_clear()
    with postgres.database() as url:
        address = sqlalchemy.make_url(url)
        proxy = Proxy(f"{address.query['host']}/.s.PGSQL.5432")
        yield proxy, address.set(host="127.0.0.1", port=proxy.port, query={})
        proxy.close()
    postgresql._bounded.cache_clear()


def add(server, name):
    return server.call("projects.add", {"workspaceId": 1, "name": name})["id"]


def until_written(server, name, seconds=60.0):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return add(server, name)
        except ServerBusy:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_a_connection_that_vanished_ends_in_bounded_time(proxied, tmp_path, caplog):
    """While nothing goes through calls are busy, none hangs, and the log has one line; afterwards writes go on."""
    proxy, url = proxied
    server = Server.open(tmp_path, url)
    add(server, "before")
    proxy.frozen.set()
    begun = time.monotonic()
    for number in range(3):
        with pytest.raises(ServerBusy):
            add(server, f"lost{number}")
    assert time.monotonic() - begun < 30
    assert len([line for line in caplog.messages if "cannot be used" in line]) == 1
    proxy.frozen.clear()
    until_written(server, "after")
    assert server.call("projects.list", {"workspaceId": 1})["total"] == 2
    assert any("can be used again" in line for line in caplog.messages)
    server.close()


def test_writers_of_a_process_do_not_wait_for_a_vanished_one(proxied, tmp_path):
    """A write that lost its connection in the middle gives the turn back, and what it held in the database is free."""
    proxy, url = proxied
    server = Server.open(tmp_path, url)
    add(server, "before")

    def lose():
        with server.store.write() as conn:
            proxy.frozen.set()
            conn.execute(text("SELECT 1"))

    with pytest.raises(ServerBusy):
        lose()
    proxy.frozen.clear()
    threads = [threading.Thread(target=until_written, args=(server, f"after{number}")) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.call("projects.list", {"workspaceId": 1})["total"] == 5
    server.close()


def test_a_stopped_backend_ends_in_bounded_time(proxied, tmp_path):
    """A process of the database that was stopped in the middle of a read answers nobody, and is not waited for."""
    _, url = proxied
    store = Store(url)

    def ask():
        with store.read() as conn:
            number = conn.execute(text("SELECT pg_backend_pid()")).scalar_one()
            os.kill(number, signal.SIGSTOP)
            try:
                conn.execute(text("SELECT 1"))
            finally:
                os.kill(number, signal.SIGCONT)

    with pytest.raises(ServerBusy):
        ask()
    with store.write() as conn:
        assert conn.execute(text("SELECT 1")).scalar_one() == 1
    store.close()


def test_a_statement_has_a_deadline_and_maintenance_its_own(postgres, monkeypatch):
    """A statement that takes too long is ended by the database; one of maintenance is not."""
    monkeypatch.setitem(postgresql._SETTINGS, "statement_timeout", "100ms")
    with postgres.database() as url:
        store = Store(url)
        with pytest.raises(ServerBusy, match="statement timeout"), store.read() as conn:
            conn.execute(text("SELECT pg_sleep(5)"))
        with store._engine.connect().execution_options(**{postgresql.LONG: True}) as conn, conn.begin():
            conn.execute(text("SELECT pg_sleep(0.2)"))
        store.close()


@pytest.mark.parametrize(("has", "gets"), [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")])
def test_what_is_acknowledged_is_durable(postgres, has, gets):
    """Whatever the database's own setting is, a commit waits for the disk; a stronger setting stays."""
    with postgres.database() as url:
        name = sqlalchemy.make_url(url).database
        postgres.run(f"ALTER DATABASE {name} SET synchronous_commit = {has}")
        store = Store(url)
        with store.read() as conn:
            assert conn.execute(text("SHOW synchronous_commit")).scalar_one() == gets
        store.close()


def test_a_database_that_is_down_at_the_start_is_waited_for(proxied, tmp_path):
    """A store that is opened lazily is busy until the database answers, and then is there."""
    proxy, url = proxied
    proxy.frozen.set()
    server = Server.open(tmp_path, str(url.render_as_string(hide_password=False)), lazy=True)
    assert not server.ready()["ready"]
    proxy.frozen.clear()
    until_written(server, "first")
    server.close()
