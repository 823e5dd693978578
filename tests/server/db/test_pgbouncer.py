"""PostgreSQL behind a real PgBouncer: pools by session and by transaction, with fewer server connections than clients.

Each `Server` has connections of its own, as the servers of several machines have.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import text

from autoflow.errors import ServerBusy
from autoflow.server.db import postgresql
from autoflow.server.db.engine import Store
from autoflow.server.server import Server
from tests import pgbouncer

SERVERS = 4
THREADS = 4  # of each server
TRANSACTIONS = 8  # of each thread


@pytest.fixture
def pooled(postgres, tmp_path):
    """Make PgBouncers: called with a pool's mode and size, returns the url of a new store by way of it."""
    with contextlib.ExitStack() as stack:
        pgbouncer.executable()

        def make(mode, size):
            url = stack.enter_context(postgres.database())
            return stack.enter_context(pgbouncer.running(tmp_path, url, mode, size))

        yield make


def add(server, name):
    return server.call("projects.add", {"workspaceId": 1, "name": name})["id"]


def total(server):
    return server.call("projects.list", {"workspaceId": 1})["total"]


@pytest.mark.parametrize(("mode", "size"), [("session", 1), ("session", 4), ("transaction", 4)])
def test_more_clients_than_server_connections(pooled, tmp_path, mode, size):
    """Reads and writes of many clients share a few server connections: each transaction succeeds, once."""
    url = pooled(mode, size)
    with contextlib.ExitStack() as stack:
        servers = [Server.open(tmp_path / "data", url) for _ in range(SERVERS)]
        for server in servers:
            stack.callback(server.close)

        def work(worker):
            server = servers[worker % SERVERS]
            for number in range(TRANSACTIONS):
                add(server, f"{worker}-{number}") if number % 2 else total(server)

        with ThreadPoolExecutor(SERVERS * THREADS) as executor:
            list(executor.map(work, range(SERVERS * THREADS)))
        assert total(servers[0]) == SERVERS * THREADS * TRANSACTIONS // 2


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_an_idle_store_occupies_no_server_connection(pooled, mode):
    """Stores that stay open use the only server connection one after the other."""
    url = pooled(mode, 1)
    stores = [Store(url) for _ in range(3)]
    for _ in range(2):
        for store in stores:
            with store.write() as conn:
                assert conn.execute(text("SELECT 1")).scalar_one() == 1
    for store in stores:
        store.close()


@pytest.mark.timing
@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_waiting_for_a_server_connection_is_bounded(pooled, monkeypatch, mode):
    """A client that gets no server connection is told so in bounded time, and is served when there is one again."""
    url = pooled(mode, 1)
    monkeypatch.setattr(postgresql, "CONNECT_TIMEOUT", 1.0)
    postgresql._bounded.cache_clear()
    holder, waiting = Store(url), Store(url)
    with holder.write() as held:
        held.execute(text("SELECT 1"))
        for transaction in (waiting.read, waiting.write):
            with pytest.raises(ServerBusy, match="default_pool_size"), transaction():
                pass
    with waiting.write() as conn:
        assert conn.execute(text("SELECT 1")).scalar_one() == 1
    holder.close()
    waiting.close()
    postgresql._bounded.cache_clear()


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_settings_hold_in_each_transaction_and_no_longer(postgres, pooled, mode):
    """Deadlines and durability do not depend on the server connection; nothing is left on it for the next client."""
    url = pooled(mode, 1)
    address = sqlalchemy.make_url(url)
    postgres.run(f"ALTER DATABASE {address.database} SET synchronous_commit = off")
    store = Store(url)
    names = ["statement_timeout", "lock_timeout", "synchronous_commit"]
    for transaction in (store.read, store.write):
        with transaction() as conn:
            values = [conn.execute(text(f"SHOW {name}")).scalar_one() for name in names]
            assert values == ["30s", "20s", "on"]
            for number in range(20):  # psycopg prepares a statement that it executes a fifth time
                assert conn.execute(text("SELECT 1 + :number"), {"number": number}).scalar_one() == number + 1
    plain = psycopg.connect(
        host=address.host, port=address.port, user=address.username, dbname=address.database, autocommit=True
    )
    with contextlib.closing(plain) as conn:
        assert [conn.execute(f"SHOW {name}").fetchone()[0] for name in names] == ["0", "0", "off"]
        assert conn.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()[0] == 0
    store.close()


def test_only_connections_by_way_of_a_pooler_are_closed(postgres, pooled):
    """A direct connection is used again by the next transaction; one by way of PgBouncer is closed."""
    with postgres.database() as direct:
        for url, is_reused in ((direct, True), (pooled("session", 2), False)):
            store = Store(url)
            connections = []
            for _ in range(2):
                with store.read() as conn:
                    connections.append(conn.connection.driver_connection)
            assert (connections[0] is connections[1]) == is_reused
            assert connections[0].closed != is_reused
            store.close()
