"""Waits of a write for answers of PostgreSQL: each wait costs the latency of the network."""

from __future__ import annotations

import contextlib
import itertools

import pytest
import sqlalchemy
from sqlalchemy import insert, select, text

from autoflow.server.db import pipeline, scopes
from autoflow.server.db.access import LOCAL
from autoflow.server.db.schema import apps
from autoflow.server.errors import Conflict
from autoflow.server.server import Server
from autoflow.wire import methods
from tests.database_proxy import Proxy
from tests.server.conftest import Filled

MOST = 4  # round trips of a single edge of a task that exists
WARM = 8  # requests until statements are prepared
MEASURED = 5


@pytest.fixture(scope="module")
def proxied(tmp_path_factory, postgres):
    """A server whose database is behind a proxy, and the proxy."""
    with postgres.database() as url:
        address = sqlalchemy.make_url(url)
        proxy = Proxy(f"{address.query['host']}/.s.PGSQL.5432")
        behind = address.set(host="127.0.0.1", port=proxy.port, query={})
        server = Server.open(tmp_path_factory.mktemp("proxied"), behind.render_as_string(hide_password=False))
        yield server, proxy
        server.close()
        proxy.close()


def edges_of_a_number(client, project):
    """Yield edges as the SDK posts them, the settings of a card with each."""
    method = methods.ADD_EDGE["output"]
    for number in itertools.count():
        meta = {"customNodeSettings": {"title": f"<h4>{number}</h4>", "mainLink": {"url": "/", "title": "x"}}}
        yield lambda n=number, m=meta: client.call(
            method, node={"type": "task", "id": 7}, type="folder", id=f"/f/{n}", meta=m
        )


def records_of_a_run(client, project):
    """Yield records as our sender posts them."""
    for number in itertools.count():
        record = {"key": f"k{number}", "type": "edge", "run": "r", "direction": "input"}
        record["entity"] = {"type": "project", "id": project}
        yield lambda r=record: client.call("autoflow.records.add", records=[r])


@pytest.mark.parametrize("kind", [edges_of_a_number, records_of_a_run])
def test_a_single_edge_waits_a_few_times_for_the_database(proxied, kind):
    """An edge of a known task and entity takes at most four round trips, its commit included."""
    server, proxy = proxied
    client = Filled(server)
    requests = kind(client, client.project(kind.__name__))
    for request in itertools.islice(requests, WARM):
        request()
    counts = []
    for request in itertools.islice(requests, MEASURED):
        before = proxy.round_trips
        request()
        counts.append(proxy.round_trips - before)
    assert max(counts) <= MOST, counts


def test_a_task_that_is_not_the_expected_one_is_locked(proxied):
    """A process may remember a wrong task of a run: the right one is looked up and locked."""
    server, _proxy = proxied
    record = {"type": "edge", "run": "moved", "direction": "output", "entity": {"type": "folder", "id": "/moved"}}
    response = server.call("autoflow.records.add", {"records": [{**record, "key": "a"}]})
    server.store.known_tasks.put(scopes.run("moved"), (10**9,))
    assert server.call("autoflow.records.add", {"records": [{**record, "key": "b"}]})["tasks"] == response["tasks"]
    assert server.store.known_tasks.get(scopes.run("moved")) == (response["tasks"]["moved"],)


def test_connections_that_were_just_lost_fail_no_write(proxied, postgres):
    """A connection in use a moment ago is not pinged; if it broke since, the write begins again on another."""
    server, _proxy = proxied
    client = Filled(server)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(server.store.read()).execute(text("SELECT 1"))
    database = server.store._engine.url.database
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"
    assert len(postgres.run(ended.format(database))) >= 3
    for name in ("x", "y", "z"):
        client.project(name)


def test_an_error_of_a_deferred_statement_is_the_transaction_s(proxied):
    """It is raised when the transaction ends, which changes nothing, and its connection can be used again."""
    server, _proxy = proxied
    store = server.store.for_caller(LOCAL)

    def write(names, error=None):
        with store.write(scope=()) as conn:
            for name in names:
                pipeline.defer(conn, insert(apps).inline(), {"team_id": 1, "name": name, "created_by": 1})
            if error is not None:
                raise error

    with pytest.raises(Conflict):
        write(["first", "twice", "twice"])
    with pytest.raises(ZeroDivisionError):
        write(["first"], ZeroDivisionError())
    with store.read() as conn:
        assert conn.execute(select(apps.c.name).where(apps.c.name.in_(["first", "twice"]))).all() == []
