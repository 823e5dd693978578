"""Bytes of a row by table and index, and times of calls, by slopes over growing stores, for `docs/scale.md`.

One store on SQLite and one on PostgreSQL are filled in steps, by SQL, below the server. The slope of a table is its
growth from the first step to the last, divided by its new rows; `TEAM_DAY` turns slopes into bytes a day of a team.
Hashes and record keys are spread over their indexes as real ones are, and facts and cards have the length of real ones.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from importlib import metadata as packages
from typing import Any, NamedTuple

from measure import machine, progress, publish, table
from server import postgresql
from sqlalchemy import Connection, Engine, UniqueConstraint, text

from autoflow.server.db import app_tables, audit_tables, counters, erasure_tables, model_tables, webhook_tables
from autoflow.server.db.access import LOCAL, Caller
from autoflow.server.db.engine import make_engine
from autoflow.server.db.postgresql import LONG, MAINTENANCE_TIMEOUT
from autoflow.server.db.schema import metadata
from autoflow.server.server import Server

DECLARED = (app_tables, audit_tables, erasure_tables, model_tables, webhook_tables)  # imported for their tables
SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "50000,100000,200000").split(","))  # edges
PART = 25_000  # rows of a statement
REPEATS = 15
GROUP = 100  # edges of a team, which are connected: a chain of ten runs
FACTS_BYTES = 5172  # of a run of examples/demo.py, on the average
ANNOTATION_BYTES = 300  # deflated: assumed

# Rows that a team of ten people adds in a day, as docs/scale.md assumes.
TEAM_DAY = {
    "tasks": 100,
    "runs": 100,
    "edges": 300,
    "record_keys": 10_800,
    "logs": 10_000,
    "run_values": 2_000,
    "files": 50,
    "blobs": 1_050,
    "items": 1_000,
    "items_history": 2_000,
    "documents": 3_000,
    "versions": 5,
    "audit_log": 10,
}
TEAMS = (10, 1_000, 100_000)

_AT = "'2026-01-01T00:00:00.000Z'"
_SPREAD = "(i * 2654435761) % 4294967296"  # a permutation of the numbers below 2**32
_HASH = f"CAST(1000000000 + {_SPREAD} AS TEXT) || 'r4sj2l0vAyc3QGtUhEcdaDCBKWZNCcrUx0='"
_PROCESS = "CAST(1000000000 + (i / 8 * 2654435761) % 4294967296 AS TEXT) || 'd14af8' || ':'"
_RANDOM_BYTES = {
    "sqlite": f"randomblob({ANNOTATION_BYTES})",
    "postgresql": f"substr(decode(repeat(md5(random()::text), {ANNOTATION_BYTES // 16 + 1}), 'hex'), 1, 300)",
}
_TIMES = {"created_at": _AT, "updated_at": _AT}
_IMAGES = 1_000  # of a project
_ITEM = {
    "id": "i + 1",
    "project_id": f"i / {_IMAGES} + 1",
    "dataset_id": f"i / {_IMAGES} + 1",
    "name": "'image_' || i || '.png'",
    "hash": _HASH,
    "mime": "'image/png'",
    "size": "123456",
    "width": "1920",
    "height": "1080",
    "meta": "'{}'",
    "tags": """'[{"id": 899, "tagId": 1, "value": "6"}]'""",
    "annotation": _HASH,
    "blob_id": "i + 1",
    "document_id": "i + 1",
    "labels": "3",
    "description": "''",
    "created_by": "1",
    **_TIMES,
}
# Tables in the order of their foreign keys: rows for each edge, and SQL for their columns over ``i``.
FILL: Mapping[str, tuple[float, dict[str, str]]] = {
    "teams": (1 / GROUP, {"id": "i + 2", "name": "'Team ' || i", **_TIMES}),
    "workspaces": (1 / GROUP, {"id": "i + 2", "team_id": "i + 2", "name": "'Lemons'", **_TIMES}),
    "projects": (
        0.25 / _IMAGES,
        {"id": "i + 1", "workspace_id": "1", "name": "'Lemons ' || i", "created_by": "1", **_TIMES},
    ),
    "datasets": (
        0.25 / _IMAGES,
        {
            "id": "i + 1",
            "project_id": "i + 1",
            "name": "'train'",
            "created_by": "1",
            "valid_from": "1",
            **_TIMES,
        },
    ),
    "blobs": (
        0.25,
        {
            "id": "i + 1",
            "hash": _HASH,
            "size": "123456",
            "generation": "'521c7f4857a8-39f'",
            "mime": "'image/png'",
            "width": "1920",
            "height": "1080",
            "created_at": _AT,
        },
    ),
    "documents": (0.25, {"id": "i + 1", "hash": _HASH, "body": "?"}),
    "items": (0.25, {**_ITEM, "valid_from": "1 + i % 2"}),
    "items_history": (0.25, {**_ITEM, "valid_from": "1 + i % 2", "valid_to": "3"}),
    "versions": (
        0.0025,
        {
            "project_id": "i / 10 + 1",
            "number": "i % 10 + 1",
            "epoch": "i % 10 + 1",
            "change_seq": "i",
            "digest": f"{_HASH} || 'aa59828a2d99f6da5649'",
            "name": "'Train digits'",
            "description": "'Saved before task ' || i",
            "created_by": "1",
            "project_updated_at": _AT,
            **_TIMES,
        },
    ),
    "files": (
        0.25,
        {
            "team_id": "1",
            "path": "'/experiments/' || (i / 5) || '/checkpoints/best_' || i || '.pth'",
            "name": "'best_' || i || '.pth'",
            "hash": _HASH,
            "size": "123456",
            "mime": "'application/octet-stream'",
            "current": "TRUE",
            "user_id": "1",
            **_TIMES,
        },
    ),
    "tasks": (
        0.1,
        {
            "id": "i + 1",
            "number": "i + 1",
            "name": "'Train model ' || (i % 97) || ' on lemons ' || (i % 1009)",
            "team_id": "i / 10 + 2",
            "workspace_id": "i / 10 + 2",
            "state": "'finished'",
            "facts": f"replace(:facts, '#', {_HASH})",
            "started_at": _AT,
            "finished_at": _AT,
            "created_by": "1",
            **_TIMES,
        },
    ),
    "runs": (
        0.1,
        {
            "key": f"CAST(1000000000 + {_SPREAD} AS TEXT) || '4e692e8dfdbe31'",
            "task_id": "i + 1",
            "created_at": _AT,
            "created_by": "1",
        },
    ),
    "record_keys": (1, {"team_id": "1", "key": f"{_PROCESS} || (i % 8)"}),
    "run_values": (0.5, {"task_id": "i / 20 + 1", "name": "'metrics.map_' || (i % 20)", "number": "i * 0.37"}),
    "logs": (
        0.5,
        {"task_id": "i / 20 + 1", "at": _AT, "lines": "'10:12:13 INFO train: epoch ' || i || :line", "created_by": "1"},
    ),
    "edges": (
        1,
        {
            "task_id": "i / 10 + 1",
            "direction": "CASE i % 2 WHEN 0 THEN 'input' ELSE 'output' END",
            "type": f"CASE WHEN i % 2 = 0 AND i % {GROUP} < 10 THEN 'folder' ELSE 'file' END",
            "entity": "?",
            "entity_key": "?",
            "meta": ":card",
            "at": _AT,
            "updated_ns": "1795778689467048973",
            "created_by": "1",
        },
    ),
    "audit_log": (
        0.1,
        {
            "at": _AT,
            "team_id": "1",
            "user_id": "1",
            "who": "'ann'",
            "action": "'version.delete'",
            "entity": "'version:' || i",
            "name": "'Lemons'",
        },
    ),
}
# Every odd edge writes a file, which an even one of the next run reads; the first run of a team reads folders. Every
# other team reads a folder whose path the others read, too: each of them means its own.
_FILE = "CAST(CASE i % 2 WHEN 0 THEN i - 9 ELSE i END AS TEXT)"
_FOLDER = f"CASE WHEN i % {2 * GROUP} = 0 THEN '/data/shared' ELSE '/data/' || i END"
_EDGE_ENTITY = {
    "entity": f"CASE WHEN i % 2 = 0 AND i % {GROUP} < 10 THEN {_FOLDER} ELSE {_FILE} END",
    "entity_key": f"CASE WHEN i % 2 = 0 AND i % {GROUP} < 10 THEN 'folder:' || {_FOLDER} ELSE 'file:' || {_FILE} END",
}


# -- filling


def _facts() -> str:
    """Return facts of a run as long as real ones; ``#`` is to become something that differs."""
    listed = {dist.name: dist.version for dist in packages.distributions()}
    facts: dict[str, Any] = {"name": "Train", "command": ["python", "train.py", "--seed", "#"], "packages": listed}
    while len(json.dumps(facts)) > FACTS_BYTES:
        listed.popitem()
    return json.dumps({**facts, "summary": "." * (FACTS_BYTES - len(json.dumps(facts)))})


def _card() -> str:
    """Return settings of a card as long as real ones."""
    icon = {"icon": "zmdi-archive", "color": "#33c94c", "backgroundColor": "#d9f7e4"}
    title = "Checkpoint, epoch twelve"
    settings = {"title": title, "icon": icon, "mainLink": {"url": "/files/9/true", "title": "Open"}}
    return json.dumps({"customRelationSettings": settings})


def _rows(size: int, each: float) -> int:
    return math.ceil(size * each)


def fill(conn: Connection, first: int, last: int) -> None:
    """Add the rows that belong to the edges from `first` to before `last`."""
    texts = {"facts": _facts(), "card": _card(), "line": "o" * 50}
    for name, (each, columns) in FILL.items():
        made = {"documents": {"body": _RANDOM_BYTES[conn.dialect.name]}, "edges": _EDGE_ENTITY}
        columns = {**columns, **made.get(name, {})}
        stop = _rows(last, each)
        for begin in range(_rows(first, each), stop, PART):
            end = min(begin + PART, stop) - 1
            statement = (
                f"INSERT INTO {name} ({', '.join(columns)}) "
                f"WITH RECURSIVE n(i) AS (SELECT CAST({begin} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {end})"
                f" SELECT {', '.join(columns.values())} FROM n"
            )
            used = {key: value for key, value in texts.items() if f":{key}" in statement}
            conn.execute(text(statement), used)


def settle(engine: Engine) -> None:
    """Bring statistics and visibility to what they are once the database has rested."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        if engine.dialect.name == "sqlite":
            conn.execute(text("ANALYZE"))
            return
        driver: Any = conn.connection.driver_connection
        driver.limit = MAINTENANCE_TIMEOUT
        conn.execute(text("SET statement_timeout = 0"))
        conn.execute(text("VACUUM ANALYZE"))
        conn.invalidate()  # the settings with it


# -- measuring


def sizes(conn: Connection) -> dict[str, dict[str, int]]:
    """Return the bytes of each table of `FILL` and of its indexes; the table itself has its own name."""
    result: dict[str, dict[str, int]] = defaultdict(dict)
    if conn.dialect.name == "sqlite":
        owners = {row.name: row.tbl_name for row in conn.execute(text("SELECT name, tbl_name FROM sqlite_master"))}
        for row in conn.execute(text("SELECT name, pgsize FROM dbstat WHERE aggregate = TRUE")):
            owner = owners.get(row.name, row.name)
            for indexed in ("projects", "datasets", "tasks", "files", "versions"):
                if owner.startswith(f"search_{indexed}"):
                    owner = indexed
            result[owner][row.name] = row.pgsize
        return result
    for name in FILL:
        own = conn.execute(text("SELECT pg_table_size(CAST(:name AS regclass))"), {"name": name}).scalar_one()
        result[name][name] = own
        query = "SELECT indexrelid::regclass::text AS name, pg_relation_size(indexrelid) AS size FROM pg_index WHERE "
        for row in conn.execute(text(query + "indrelid = CAST(:name AS regclass)"), {"name": name}):
            result[name][row.name] = row.size
    return result


def count(conn: Connection) -> dict[str, int]:
    """Return the rows of each table of `FILL`."""
    return {name: conn.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in FILL}


class Sizes(NamedTuple):
    """The rows of each table, and the bytes of it and of its indexes."""

    rows: dict[str, int]
    parts: dict[str, dict[str, int]]


def slopes(before: Sizes, after: Sizes) -> dict[str, tuple[float, float]]:
    """Return the bytes that a row adds to each table and to all its indexes."""
    result = {}
    for name in FILL:
        rows = max(1, after.rows[name] - before.rows[name])
        grown = {part: size - before.parts[name].get(part, 0) for part, size in after.parts[name].items()}
        own = grown.pop(name)
        result[name] = own / rows, sum(grown.values()) / rows
    return result


def times(server: Server, size: int, step: int) -> dict[str, float]:
    """Return the time of the fastest of some calls, in milliseconds: other work on the machine changes it least."""
    batch = [
        [
            {
                "key": f"scale{step}{turn}:{n}",
                "type": "edge",
                "run": f"scale-{step}-{turn}",
                "direction": "output",
                "entity": {"type": "folder", "id": f"/scale/{step}/{turn}/{n}"},
            }
            for n in range(500)
        ]
        for turn in range(REPEATS)
    ]
    groups = [turn * 7919 % (size // GROUP // 2) * 2 for turn in range(REPEATS)]
    calls: dict[str, Any] = {
        "`autoflow.records.add`, 500 edges": lambda turn: ("autoflow.records.add", {"records": batch[turn]}),
        "`autoflow.graph` of 100 edges": lambda turn: ("autoflow.graph", {"task": (groups[turn] + 1) * 10 + 5}),
        "the same, and a path that half of the teams read": lambda turn: (
            "autoflow.graph",
            {"task": groups[turn] * 10 + 5},
        ),
        "`autoflow.search`, a word of all teams": lambda _turn: ("autoflow.search", {"q": "lemons"}),
        "`images.list`, 100 of 1,000": lambda turn: (
            "images.list",
            {"datasetId": 1 + turn % max(1, size // 4 // _IMAGES), "per_page": 100},
        ),
        "`autoflow.changes`": lambda _turn: ("autoflow.changes", {}),
    }
    fastest = {}
    for name, call in calls.items():
        spent = []
        for turn in range(REPEATS):
            method, body = call(turn)
            group = body["task"] // 10 if "task" in body else 0
            caller = (
                LOCAL if method in ("images.list", "autoflow.records.add") else Caller(teams=frozenset([group + 2]))
            )
            begin = time.perf_counter()
            server.call(method, body, caller)
            spent.append((time.perf_counter() - begin) * 1000)
        fastest[name] = min(spent)
    return fastest


def measure(name: str, url: str | None) -> tuple[dict[str, tuple[float, float]], dict[str, list[float]]]:
    """Fill a store in steps; return the slopes of its tables and the times of calls at each step."""
    timed: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="autoflow-scale-") as folder:
        server = Server.open(folder, url)
        server.call("projects.list", {"workspaceId": 1})  # creates the store
        engine = make_engine(url or f"sqlite:///{folder}/platform.db")
        with server._context.store.write() as conn:
            counters.skip_to(conn, counters.TASK, 10**9)  # numbers of the tasks that calls create
        first, taken = 0, []
        for step, size in enumerate(SIZES):
            progress(f"{name}: {size:,} edges")
            with engine.connect().execution_options(**{LONG: True}) as conn, conn.begin():
                fill(conn, first, size)
            settle(engine)
            with engine.connect() as conn:
                taken.append(Sizes(count(conn), sizes(conn)))
            for call, value in times(server, size, step).items():
                timed[call].append(value)
            first = size
        engine.dispose()
        server.close()
    return slopes(taken[0], taken[-1]), timed


# -- computing


def partition_keys() -> list[tuple[str, str]]:
    """Return the tables of the schema, and what stands in the way of partitioning each by its team."""
    referenced = {key.column.table.name for declared in metadata.tables.values() for key in declared.foreign_keys}
    rows = []
    for name, declared in sorted(metadata.tables.items()):
        unique = [part for part in declared.constraints if isinstance(part, UniqueConstraint)]
        keys = [list(part.columns.keys()) for part in (declared.primary_key, *unique)]
        keys += [list(index.columns.keys()) for index in declared.indexes if index.unique]
        lacking = [f"({', '.join(key)})" for key in keys if "team_id" not in key]
        reasons = ["no team_id"] if "team_id" not in declared.c else []
        reasons += ["unique without it: " + " ".join(lacking)] if lacking and not reasons else []
        reasons += ["referenced by foreign keys"] if name in referenced else []
        rows.append((f"`{name}`", "; ".join(reasons) or "nothing"))
    return rows


def growth(slope: Mapping[str, tuple[float, float]]) -> list[tuple[str, str, str, str]]:
    """Return the rows and gigabytes that numbers of teams add."""
    day = sum(sum(slope[name]) * count for name, count in TEAM_DAY.items())
    rows = sum(TEAM_DAY.values())
    return [
        (f"{teams:,}", f"{rows * teams:,}", f"{day * teams / 1e9:,.2f}", f"{day * teams * 365 / 1e9:,.0f}")
        for teams in TEAMS
    ]


def main() -> None:
    """Measure both databases, and print the tables of `docs/scale.md`."""
    parts = [f"## Scale\n\n{machine()}; {' / '.join(f'{size:,}' for size in SIZES)} edges"]
    with postgresql() as made:
        databases = [("SQLite", None)] + ([("PostgreSQL", made())] if made is not None else [])
        measured = {name: measure(name, url) for name, url in databases}
    for name, (slope, timed) in measured.items():
        day = [
            (f"`{part}`", f"{own:,.0f}", f"{index:,.0f}", f"{TEAM_DAY[part] * (own + index) / 1e6:.2f}")
            for part, (own, index) in slope.items()
            if part in TEAM_DAY
        ]
        parts.append(f"### {name}: bytes a row\n\n{table(('table', 'row', 'indexes', 'MB a team and day'), day)}")
        parts.append(table(("teams", "rows a day", "GB a day", "GB a year"), growth(slope)))
        shown = [(call, *(f"{value:.1f}" for value in values)) for call, values in timed.items()]
        parts.append(table(("fastest call, ms", *(f"{size:,} edges" for size in SIZES)), shown))
    parts.append(table(("table", "what prevents partitioning by team"), partition_keys()))
    publish("\n\n".join(parts) + "\n", [])


if __name__ == "__main__":
    main()
