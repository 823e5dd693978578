"""The impact of one image: the first thousand results, among 100,000 and a million items and edges.

The store is filled by SQL, below the server: one project whose items are all different, with 20 versions, and runs that
read and write files. 50 runs read the versions and write 10 files each, which 1,000 runs read.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from typing import Any

from measure import Goal, machine, progress, publish, table
from server import postgresql
from sqlalchemy import Connection, text

from autoflow.server.server import Server

SIZES = tuple(int(size) for size in os.environ.get("BENCH_SIZES", "100000,1000000").split(","))
REPEATS = 15
VERSIONS, READERS, WRITTEN = 20, 50, 10
EDGES_OF_RUN = 5
PART = 50_000  # rows of a statement
_AT = "'2026-01-01T00:00:00.000Z'"


def _insert(conn: Connection, table_name: str, count: int, **columns: str) -> None:
    """Insert rows of SQL expressions over ``i``, a part at a time, as each statement has a deadline."""
    names, values = ", ".join(columns), ", ".join(columns.values())
    for first in range(0, count, PART):
        last = min(first + PART, count) - 1
        numbers = f"WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) "
        insert = f"INSERT INTO {table_name} ({names}) "
        head = insert + numbers if conn.dialect.name == "sqlite" else numbers + insert
        conn.execute(text(f"{head} SELECT {values} FROM n"))


def _edges(conn: Connection, count: int, first_task: str, direction: str, entity: str, kind: str = "file") -> None:
    _insert(
        conn,
        "edges",
        count,
        task_id=first_task,
        direction=f"'{direction}'",
        origin="''",
        type=f"'{kind}'",
        entity=f"CAST({entity} AS TEXT)",
        entity_key=f"'{kind}:' || CAST({entity} AS TEXT)",
        at="'2026-02-01T00:00:00.000Z'",
        updated_ns="0",
    )


def fill(server: Server, size: int) -> None:
    """Fill a store with items and edges, about `size` of each."""
    project = server.call("projects.add", {"workspaceId": 1, "name": "Lemons"})["id"]
    dataset = server.call("datasets.add", {"projectId": project, "name": "ds"})["id"]
    runs = size // EDGES_OF_RUN
    with server._context.store.write() as conn:
        _insert(
            conn,
            "items",
            size,
            project_id=str(project),
            dataset_id=str(dataset),
            name="'image ' || i",
            hash="'hash ' || i",
            valid_from="1",
            created_by="1",
            created_at=_AT,
            updated_at=_AT,
        )
        _insert(
            conn,
            "versions",
            VERSIONS,
            project_id=str(project),
            number="i + 1",
            epoch="i + 1",
            change_seq="i",
            created_by="1",
            project_updated_at=_AT,
            created_at=f"{_AT}",
            updated_at=_AT,
        )
        of_image = READERS + READERS * WRITTEN * 2
        _insert(
            conn,
            "tasks",
            runs + of_image,
            id="i + 1",
            number="i + 1",
            name="'run'",
            team_id="1",
            workspace_id="1",
            state="'finished'",
            started_at=_AT,
            created_at=_AT,
            updated_at=_AT,
            created_by="1",
        )
        _edges(conn, READERS, "i + 1", "input", f"(i % {VERSIONS} + 1)", "project_version")
        files = READERS * WRITTEN
        _edges(conn, files, f"i % {READERS} + 1", "output", "(i + 1)")
        _edges(conn, 2 * files, f"{READERS} + i + 1", "input", f"(i % {files} + 1)")
        # the rest of the store: runs that read and write other files
        for direction, step in (("input", 2), ("output", 3)):
            for turn in range(step):
                entity = f"({files} + 1 + (i * 7 + {turn * 13}) % {size})"
                _edges(conn, runs, f"{of_image} + i + 1", direction, entity)
    with server._context.store._engine.connect() as conn:
        conn.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def measure(server: Server) -> tuple[list[float], list[float], dict[str, Any]]:
    """Return times of the impact of one image, processor times of this process, in seconds, and the last answer."""
    with server._context.store.read() as conn:
        image = conn.execute(text("SELECT id FROM items ORDER BY id LIMIT 1 OFFSET 777")).scalar_one()
    times, processor_times = [], []
    for _ in range(REPEATS + 1):
        start, processor_start = time.perf_counter(), time.process_time()
        answer = server.call("autoflow.impact", {"ref": f"image:{image}"})
        times.append(time.perf_counter() - start)
        processor_times.append(time.process_time() - processor_start)
    return times[1:], processor_times[1:], answer


def main() -> None:
    """Measure on both databases, and publish."""
    rows, goals = [], []
    with postgresql() as made:
        databases = [("SQLite", lambda: None)] + ([("PostgreSQL", made)] if made is not None else [])
        for name, new_database in databases:
            for size in SIZES:
                with tempfile.TemporaryDirectory(prefix="autoflow-impact-") as folder:
                    server = Server.open(folder, new_database())
                    progress(f"{name}: filling {size:,}")
                    fill(server, size)
                    times, processor_times, answer = measure(server)
                    server.close()
                median, worst = statistics.median(times) * 1000, max(times) * 1000
                processor = f"{statistics.median(processor_times) * 1000:.0f} ms"
                shown = len(answer["graph"]["cards"])
                progress(f"{name}, {size:,}: {median:.0f} ms, {worst:.0f} ms at most, {shown} cards")
                rows.append((name, f"{size:,}", f"{shown:,}", f"{median:.0f} ms", f"{worst:.0f} ms", processor))
                if size == max(SIZES):
                    met = median <= 200
                    goals.append(Goal(f"impact of one image, {name}", "≤ 200 ms", f"{median:.0f} ms", met))
    header = ("database", "items and edges", "cards", "median", "slowest of 15", "processor time of the server")
    publish(f"## Impact of one image\n\n{machine()}\n\n{table(header, rows)}\n", goals)


if __name__ == "__main__":
    main()
