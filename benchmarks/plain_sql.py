"""The limit of ingest on PostgreSQL: batches of records as plain set-based SQL, without HTTP, by several processes.

A batch takes five statements: keys, runs, the ids of the runs, the projects that its edges name, edges. Its records are
encoded as JSON and decoded again, as a server would have to, and are validated by nothing.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

BATCH = 500
PROJECTS = 1000

_TABLES = """
CREATE TABLE record_keys (key text PRIMARY KEY);
CREATE TABLE tasks (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, run text UNIQUE, team_id int DEFAULT 1);
CREATE TABLE projects (id bigint PRIMARY KEY, team_id int);
CREATE TABLE edges (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, task_id bigint NOT NULL REFERENCES tasks (id), direction text,
    origin text, type text, entity text, entity_key text, meta text, at text, updated_ns bigint,
    UNIQUE (task_id, direction, origin, type, entity));
CREATE INDEX edges_by_entity ON edges (entity_key);
CREATE SEQUENCE change_count;
"""
_KEYS = "INSERT INTO record_keys SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING RETURNING key"
_RUNS = "INSERT INTO tasks (run) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_TASKS = "SELECT run, id FROM tasks WHERE run = ANY(%s)"
_PROJECTS = "SELECT id FROM projects WHERE id = ANY(%s) AND team_id = 1"
_EDGES = """
INSERT INTO edges (task_id, direction, origin, type, entity, entity_key, meta, at, updated_ns)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
    %s::bigint[])
ON CONFLICT (task_id, direction, origin, type, entity) DO UPDATE
SET meta = excluded.meta, updated_ns = excluded.updated_ns WHERE excluded.meta IS NOT NULL
"""


def records(name: str, worker: int, batch: int) -> list[dict[str, Any]]:
    """Return the records of a batch, as autoflow's sender has them: five runs that read and write projects.

    Args:
        name: unique to the worker and its load.
        worker: its number.
        batch: the number of the batch.
    """
    return [
        {
            "key": f"{name}.{batch}.{number}",
            "type": "edge",
            "run": f"{name}-{batch}-{number // 100}",
            "direction": "input" if number % 2 else "output",
            "entity": {"type": "project", "id": (worker * 7919 + batch * BATCH + number) % PROJECTS + 1},
            "meta": {"customRelationSettings": {"title": "x"}},
        }
        for number in range(BATCH)
    ]


def create(address: str) -> None:
    """Create the tables in an empty database."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as conn:
        conn.execute(_TABLES)
        conn.execute(f"INSERT INTO projects SELECT number, 1 FROM generate_series(1, {PROJECTS}) AS number")


def insert_batches(address: str, worker: int, until: float) -> int:
    """Insert batches until a time of the monotonic clock; return the number of records."""
    import psycopg

    count = 0
    name = f"{os.getpid()}.{time.monotonic_ns()}"
    with psycopg.connect(address) as conn:
        while time.monotonic() < until:
            _insert(conn, json.loads(json.dumps(records(name, worker, count // BATCH))))
            count += BATCH
    return count


def _insert(conn: Any, batch: list[dict[str, Any]]) -> None:
    with conn.transaction():
        new = {key for (key,) in conn.execute(_KEYS, ([record["key"] for record in batch],))}
        runs = sorted({record["run"] for record in batch if record["key"] in new})
        conn.execute(_RUNS, (runs,))
        tasks = dict(conn.execute(_TASKS, (runs,)).fetchall())
        named = {record["entity"]["id"] for record in batch}
        known = {number for (number,) in conn.execute(_PROJECTS, (sorted(named),))}
        edges = {}
        for record in batch:
            entity = record["entity"]
            if record["key"] in new and entity["id"] in known:
                identity = (tasks[record["run"]], record["direction"], "", entity["type"], str(entity["id"]))
                edges[identity] = json.dumps(record["meta"])
        rows = [
            (*identity, f"{identity[3]}:{identity[4]}", meta, "2026-11-27T00:00:00Z", time.time_ns())
            for identity, meta in sorted(edges.items())
        ]
        conn.execute(_EDGES, [list(column) for column in zip(*rows, strict=True)])
        conn.execute("SELECT nextval('change_count')")
