"""A set of records has the results and the rows of its records applied one by one, on both databases."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from autoflow.errors import ServerRefused
from autoflow.server import timestamps
from autoflow.server.db import counters, schema
from autoflow.server.db.access import LOCAL
from autoflow.server.lineage.records import ingest
from autoflow.wire.parts import Part
from tests.server.lineage import one_by_one

NOW = "2026-01-01T00:00:00.000Z"
ORIGIN = "https://sly.example"
# what differs between two executions of the same, and does not matter
_IGNORED = {
    schema.edges: {"id", "updated_ns"},
    schema.logs: {"id"},
    schema.task_facts: {"id"},
    schema.apps: {"id"},
    schema.tasks: {"app_id"},
}
_ORDERED = (schema.edges, schema.logs, schema.task_facts)
_TASK_IDS = {"id", "task_id", "number", "entity", "entity_key"}
_TABLES = (*_IGNORED, schema.task_numbers, schema.runs, schema.entities, schema.record_keys)


@pytest.fixture(scope="module")
def store(module_server):
    """A server with two teams, three users, and tasks of each kind."""
    tokens = module_server.tokens
    callers = {
        "ann": tokens.caller(tokens.create("ann", ["lemons"])),
        "eve": tokens.caller(tokens.create("eve", ["oranges"])),
        "both": tokens.caller(tokens.create("both", ["lemons", "oranges"])),
        "local": LOCAL,
    }
    callers["reproduction"] = callers["ann"]._replace(since=NOW)

    def call(who, method, **body):
        return module_server.call(method, body, callers[who])

    for who in ("ann", "eve"):
        workspace = call(who, "workspaces.list", teamId=min(callers[who].teams))["entities"][0]["id"]
        call(who, "projects.add", workspaceId=workspace, name="p")
        parts = [Part("name", "w.pt"), Part("path", "/"), Part("file", io.BytesIO(b"w"), "w.pt", "x/y")]
        module_server.upload("file-storage.bulk.upload", parts, {"teamId": min(callers[who].teams)}, callers[who])
        call(
            who,
            "autoflow.records.add",
            records=[
                {"key": f"{who}.1", "type": "run", "run": f"ended by {who}", "name": "A", "parameters": {"a": 1}},
                {"key": f"{who}.2", "type": "finish", "run": f"ended by {who}", "state": "finished"},
                {"key": f"{who}.3", "type": "run", "run": f"of {who}", "name": "B"},
            ],
        )
        call(who, "autoflow.tasks.ensure", id=8)
        call(who, "autoflow.runs.ensure", run=f"elsewhere {who}", task=55, origin=ORIGIN)
    call("eve", "autoflow.tasks.ensure", id=9)
    if module_server.store.is_remote:  # beyond all numbers that records name, which are never assigned then
        with module_server.store.write() as conn:
            counters.skip_to(conn, counters.TASK, 10_000)
    return SimpleNamespace(store=module_server.store, callers=callers)


_runs = st.sampled_from(["ended by ann", "of ann", "of eve", "elsewhere ann", "new", "newer", "newest"])
_numbers = st.sampled_from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 55, "8", 0, 2**53])
_settings = st.sampled_from([{}, {"title": "a"}, {"title": "b"}])
_metas = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "customRelationSettings": _settings,
            "customNodeSettings": _settings,
        },
    ),
)
_origins = st.sampled_from([None, "", ORIGIN])
_entities = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["project", "dataset", "file", "task", "job", "app_session", "model_weight"]),
            "id": _numbers,
        },
        optional={"origin": _origins, "name": st.sampled_from(["", "x", "y"])},
    ),
    st.fixed_dictionaries(
        {"type": st.just("folder"), "id": st.sampled_from(["a", "/b/", "/"])}, optional={"origin": _origins}
    ),
    st.fixed_dictionaries({"type": st.just("file"), "id": st.sampled_from(["/w.pt", "w.pt", "/none", "../x"])}),
    st.sampled_from([{"type": "app_session"}, {"type": "nothing", "id": 1}, {}]),
)
_facts = st.dictionaries(st.sampled_from(["a", "b"]), st.integers(0, 2), max_size=2)
_records = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.just("edge"),
            "direction": st.sampled_from(["input", "output"]),
            "entity": _entities,
            "meta": _metas,
        },
        optional={"task": _numbers, "origin": _origins},
    ),
    st.fixed_dictionaries(
        {"type": st.just("run")},
        optional={
            "name": st.sampled_from(["A", "B", "C", None]),
            "task": _numbers,
            "origin": _origins,
            "team": st.sampled_from([1, 2, 3, 99]),
            "workspace": st.sampled_from([1, 2, 3, 99]),
            "facts": _facts,
            "parameters": _facts,
            "parent": st.sampled_from([None, "p", "q"]),
        },
    ),
    st.fixed_dictionaries({"type": st.just("facts"), "facts": st.one_of(_facts, st.just(3))}),
    st.fixed_dictionaries(
        {
            "type": st.just("finish"),
            "state": st.sampled_from(["finished", "failed", "ended", "lost", "running"]),
        },
        optional={"error": st.just("e")},
    ),
    st.fixed_dictionaries({"type": st.just("log"), "lines": st.sampled_from(["x", "y"])}),
    st.fixed_dictionaries(
        {"type": st.just("node"), "node": _settings}, optional={"task": _numbers, "origin": _origins}
    ),
    st.fixed_dictionaries({"type": st.just("nonsense")}),
)
_keyed = st.tuples(_records, _runs, st.integers(1, 30), st.integers(0, 3)).map(
    lambda drawn: {**drawn[0], "run": drawn[1], "key": f"k{drawn[2]}", "at": 10**18 + drawn[3] * 10**9}
)
_batches = st.lists(st.lists(_keyed | st.just("no record"), max_size=12), min_size=1, max_size=2)


def _ranks(conn):
    """The ids that the server has assigned to tasks, each with its rank among them."""
    outside = select(schema.task_numbers.c.number)
    query = select(schema.tasks.c.id).where(schema.tasks.c.id.not_in(outside)).order_by(schema.tasks.c.id)
    ids = list(conn.execute(query).scalars())
    ranks = {task_id: f"own {rank}" for rank, task_id in enumerate(ids)}
    return {
        **ranks,
        **{str(task_id): name for task_id, name in ranks.items()},
        **{f"task:{task_id}": name for task_id, name in ranks.items()},
        **{f"app_session:{task_id}": name for task_id, name in ranks.items()},
    }


def _rows(conn):
    """The rows of all tables that records change, without what does not matter.

    A refused record leaves a gap in PostgreSQL's ids of tasks, and a set leaves another one: these are counted anew.
    """
    is_sqlite = conn.dialect.name == "sqlite"
    tables = {"last id": counters.value(conn, counters.TASK) if is_sqlite else None}
    own = {} if is_sqlite else _ranks(conn)
    app_names = dict(conn.execute(select(schema.apps.c.id, schema.apps.c.name)).all())
    for table in _TABLES:
        query = select(table).order_by(table.c.id) if table in _ORDERED else select(table)
        names = [column.name for column in table.c if column.name not in _IGNORED.get(table, ())]
        rows = [
            tuple(own.get(row[name], row[name]) if name in _TASK_IDS else row[name] for name in names)
            for row in conn.execute(query).mappings()
        ]
        tables[table.name] = rows if table in _ORDERED else sorted(rows, key=repr)
    tables["app of task"] = {
        own.get(row.id, row.id): app_names.get(row.app_id)
        for row in conn.execute(select(schema.tasks.c.id, schema.tasks.c.app_id))
    }
    return tables


def _undone(store, caller, work):
    """Return the result of work in a transaction and the rows that it leaves, and roll it back."""
    with store.write(caller) as conn:
        undone = conn.begin_nested()
        results = work(conn), _rows(conn)
        undone.rollback()
    return results


def _in_sets(batches):
    def work(conn):
        statuses = []
        for batch in batches:
            applied = ingest.apply(conn, [ingest.parse_record(record) for record in batch], lambda: None)
            for outcome in applied.outcomes:
                status = "duplicate" if outcome.duplicate else "applied"
                statuses.append("refused" if outcome.refusal is not None else status)
        return statuses

    return work


def _one_by_one(batches):
    return lambda conn: [
        result["status"] for batch in batches for record in batch for result in one_by_one.apply_each(conn, [record])
    ]


@settings(max_examples=60, phases=(Phase.explicit, Phase.generate))
@given(batches=_batches, who=st.sampled_from(["ann", "eve", "both", "local", "reproduction"]))
def test_a_set_equals_its_records_one_by_one(store, batches, who):
    """Duplicates, refused records, several runs, numbers from elsewhere and tasks of other teams included."""
    caller = store.callers[who]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timestamps, "now", lambda: NOW)
        assert _undone(store.store, caller, _in_sets(batches)) == _undone(store.store, caller, _one_by_one(batches))


def _statements(store, count):
    """The number of statements that a set of edges, runs, logs and entities takes."""
    records = [
        record
        for number in range(count)
        for run in (f"many {number}",)
        for record in (
            {"type": "run", "run": run, "name": f"app {number}", "task": 1000 + number, "facts": {"a": number}},
            {"type": "edge", "run": run, "direction": "input", "entity": {"type": "task", "id": 5000 + number}},
            {"type": "edge", "run": f"x {number}", "direction": "input", "entity": {"type": "project", "id": 1}},
            {"type": "edge", "run": run, "direction": "output", "entity": {"type": "file", "id": "/w.pt"}},
            {"type": "log", "run": run, "lines": "x"},
            {"type": "finish", "run": run, "state": "finished"},
        )
    ]
    for number, record in enumerate(records):
        record["key"] = f"many.{count}.{number}"
    statements = []

    def work(conn):
        event.listen(conn, "before_cursor_execute", lambda *args: statements.append(args[2]))
        ingest.apply(conn, [ingest.parse_record(record) for record in records], lambda: None)
        return len(statements)

    return _undone(store.store, LOCAL, work)[0]


def test_the_number_of_statements_does_not_grow(store):
    """A set of 240 records takes as many statements as a set of sixty."""
    assert _statements(store, 40) <= _statements(store, 10) < 20


def test_a_record_that_the_database_refuses_does_not_affect_others(store):
    """Each record is applied in a savepoint then."""

    def work(conn):
        records = [ingest.parse_record({"type": "log", "run": "r", "lines": "x", "key": key}) for key in "abc"]
        with pytest.raises(ServerRefused), conn.begin_nested():
            raise ServerRefused("as the database does", status=409)
        return ingest.apply_each(conn, records, lambda: None).outcomes

    outcomes, rows = _undone(store.store, LOCAL, work)
    assert [outcome.refusal for outcome in outcomes] == [None] * 3
    assert len(rows["logs"]) == 3
