"""Cost of versions by the number of items: create, compare and restore with 1 % of the items changed.

Goals (design, promise 5): creating costs the same for 20 thousand items and a million, 5 ms at a million and 25 ms over
HTTP; finding that nothing changed 1 ms; 10,000 changes of a million 100 ms; a million items restored in 10 s with no
write lock over 100 ms. `VERSIONS_ITEMS=20000,1000000` says the sizes, `VERSIONS_FOLDER` where stores are built.

Where the Supervisely SDK is installed its own way of making a version, which downloads the project's annotations and
uploads an archive of them, takes turns with ours on one project of 2,000 items, both over HTTP to the same server.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy
from measure import Goal, machine, progress, publish, table

sys.path.insert(0, str(Path(__file__).parents[1]))

from autoflow.server.db import engine
from autoflow.server.db.content_ids import with_content_ids
from autoflow.server.db.item_content import format_digest, sum_row_hashes
from autoflow.server.db.schema import blobs, documents, items, projects
from autoflow.server.server import Server

SIZES = [int(size) for size in os.environ.get("VERSIONS_ITEMS", "20000,1000000").split(",")]
FOLDER = os.environ.get("VERSIONS_FOLDER")
REPEATS = 20
SDK_ITEMS, SDK_REPEATS = 2_000, 5
SHARE = 100  # one item of so many is changed
TIMESTAMP = "2026-01-01T00:00:00.000Z"
DRAWN = [
    {"id": k, "classId": 1, "geometryType": "rectangle", "points": {"exterior": [[1, 2], [30 + k, 40]], "interior": []}}
    for k in (1, 2, 3)
]
BODY = zlib.compress(json.dumps({"objects": [{**entry, "tags": []} for entry in DRAWN]}).encode())


_BY_SDK = """
import os, sys, time
os.environ["SUPERVISELY_SKIP_HTTPS_USER_HELPER_CHECK"] = "1"
import supervisely as sly
sly.logger.setLevel("ERROR")
api = sly.Api(sys.argv[1], "t" * 128)
print("ready", flush=True)
for line in sys.stdin:
    begin = time.perf_counter()
    made = api.project.version.create(int(line), "benchmark")
    assert made is not None
    print("took", time.perf_counter() - begin, flush=True)
"""


class Made(NamedTuple):
    """A store with a project of many items."""

    server: Server
    folder: str
    project: int
    first: int
    count: int

    def call(self, method: str, **body: Any) -> Any:
        """Ask the server."""
        return self.server.call(method, body)

    def write(self) -> Any:
        """A transaction that writes."""
        return self.server._store.write()

    @property
    def bytes(self) -> int:
        """Of the database."""
        with self.server._store.read() as conn:
            return int(
                conn.exec_driver_sql("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").scalar()
            )


def build(folder: str, count: int) -> Made:
    """A project of so many images in ten datasets, one of five with a tag, each with an annotation of its own."""
    server = Server.open(folder)
    project = server.call("projects.add", {"workspaceId": 1, "name": "lemons"})["id"]
    meta = {"classes": [{"title": "lemon", "shape": "rectangle"}], "tags": [{"name": "ripe", "value_type": "none"}]}
    tag = server.call("projects.meta.update", {"id": project, "meta": meta})["tags"][0]["id"]
    dataset_ids = [server.call("datasets.add", {"projectId": project, "name": f"d{n}"})["id"] for n in range(10)]
    draw = random.Random(count)
    total = 0
    for start in range(0, count, 10_000):
        new = [
            _item(draw, number, project, dataset_ids[number * 10 // count], tag)
            for number in range(start, min(start + 10_000, count))
        ]
        total += sum_row_hashes(items, new, {dataset_id: dataset_id for dataset_id in dataset_ids})
        with server._store.write() as conn:
            picture = {"size": 60_000, "mime": "image/jpeg", "width": 640, "height": 480, "created_at": TIMESTAMP}
            conn.execute(sqlalchemy.insert(blobs), [{"hash": entry["hash"], **picture} for entry in new])
            conn.execute(sqlalchemy.insert(documents), [{"hash": entry["annotation"], "body": BODY} for entry in new])
            conn.execute(sqlalchemy.insert(items), with_content_ids(conn, new))
    with server._store.write() as conn:
        digest = int(conn.execute(sqlalchemy.select(projects.c.digest)).scalar() or "0", 16)
        values = {"digest": format_digest(digest + total), "items_count": count, "size": 60_000 * count}
        conn.execute(sqlalchemy.update(projects).values(**values, change_seq=projects.c.change_seq + 1))
        first = conn.execute(sqlalchemy.select(sqlalchemy.func.min(items.c.id))).scalar()
    return Made(server, folder, project, int(first or 0), count)


def _item(draw: random.Random, number: int, project: int, dataset_id: int, tag: int) -> dict[str, Any]:
    tags = [{"id": number + 1, "tagId": tag, "value": None}] if number % 5 == 0 else []
    return {
        "project_id": project,
        "dataset_id": dataset_id,
        "name": f"image_{number:07}.jpg",
        "hash": base64.b64encode(draw.randbytes(32)).decode(),
        "link": None,
        "mime": "image/jpeg",
        "size": 60_000,
        "width": 640,
        "height": 480,
        "meta": "{}",
        "tags": json.dumps(tags, separators=(",", ":")),
        "annotation": draw.randbytes(32).hex(),
        "labels": 3,
        "description": "",
        "created_by": 1,
        "created_at": TIMESTAMP,
        "updated_at": TIMESTAMP,
        "valid_from": 1,
    }


def change(made: Made, turn: int, value: int = 0) -> float:
    """Change the meta of one item of a hundred, the same for a turn; gives microseconds of CPU an item."""
    from autoflow.server.db.change_tracking import edit_project

    numbers = sorted(random.Random(turn).sample(range(made.first, made.first + made.count), made.count // SHARE))
    with made.write() as conn, edit_project(conn, made.project) as edit:
        results = []
        for start in range(0, len(numbers), 500):
            query = sqlalchemy.select(items).where(items.c.id.in_(numbers[start : start + 500]))
            results += conn.execute(query).mappings().all()
        begin = time.process_time()
        edit.update_many(items, [(row, {"meta": f'{{"a":{turn}{value}}}'}) for row in results])
        return (time.process_time() - begin) / len(results) * 1e6


def timed(work: Callable[[], Any], repeats: int = REPEATS) -> tuple[float, Any]:
    """The median of some runs, in milliseconds, and what the last one gave."""
    times, result = [], None
    for _ in range(repeats):
        begin = time.perf_counter()
        result = work()
        times.append((time.perf_counter() - begin) * 1e3)
    return sorted(times)[len(times) // 2], result


def created(made: Made, call: Callable[..., Any]) -> float:
    """The median time of a version of a project that has changed since the one before."""
    image = made.first
    times = []
    for turn in range(REPEATS):
        made.call("images.editInfo", id=image, description=f"{call.__name__} {turn}")
        begin = time.perf_counter()
        assert call("autoflow.versions.snapshot", projectId=made.project)["created"]
        times.append((time.perf_counter() - begin) * 1e3)
    return sorted(times)[len(times) // 2]


@contextmanager
def held() -> Iterator[list[float]]:
    """For how long each transaction that writes holds the lock, in milliseconds."""
    spans: list[float] = []
    write = engine.Store.write

    @contextmanager
    def measured(self: engine.Store, *args: Any, **more: Any) -> Iterator[Any]:
        with write(self, *args, **more) as conn:
            begin = time.perf_counter()
            yield conn
        spans.append((time.perf_counter() - begin) * 1e3)

    engine.Store.write = measured  # type: ignore[method-assign,assignment]
    try:
        yield spans
    finally:
        engine.Store.write = write  # type: ignore[method-assign]


def restored(made: Made, version: int) -> tuple[float, float, float]:
    """Seconds, CPU seconds, and the longest lock in milliseconds of restoring a version."""
    with held() as spans:
        begin, used = time.perf_counter(), time.process_time()
        response = made.call("autoflow.versions.restore", id=version)
        while not response["done"]:
            response = made.call("autoflow.versions.restore", restoring=response["id"])
    assert response["copied"] == made.count
    return time.perf_counter() - begin, time.process_time() - used, max(spans)


@contextmanager
def over_http(made: Made) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The server served on this machine: its address, and a call to it."""
    import requests

    from tests.serving import served

    with served(made.server) as address, requests.Session() as session:

        def http(method: str, **body: Any) -> Any:
            return session.post(f"{address}/public/api/v3/{method}", json=body, timeout=30).json()

        yield address, http


def awaited(process: subprocess.Popen[str], word: str) -> float:
    """Return the text after a word in the output lines of a process."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word):
            return float(line.split()[-1]) if line.strip() != word else 0.0
    raise SystemExit(f"the SDK ended with {process.wait()}")


def beside_sdk(folder: str) -> str:
    """Compare the creation of a version by the SDK and by autoflow; empty without the SDK."""
    if importlib.util.find_spec("supervisely") is None:
        return ""
    progress(f"beside the SDK, {SDK_ITEMS:,} items")
    made = build(folder, SDK_ITEMS)
    times: dict[str, list[float]] = {"sdk": [], "autoflow": []}
    with over_http(made) as (address, http):
        command = [sys.executable, "-c", _BY_SDK, address]
        pipe, quiet = subprocess.PIPE, subprocess.DEVNULL  # it draws progress bars
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=quiet, text=True) as process:
            assert process.stdin is not None
            awaited(process, "ready")
            for turn in range(SDK_REPEATS):
                made.call("images.editInfo", id=made.first, description=f"for the SDK {turn}")
                print(made.project, file=process.stdin, flush=True)
                times["sdk"].append(awaited(process, "took") * 1e3)
                made.call("images.editInfo", id=made.first, description=f"for autoflow {turn}")
                begin = time.perf_counter()
                assert http("autoflow.versions.snapshot", projectId=made.project)["created"]
                times["autoflow"].append((time.perf_counter() - begin) * 1e3)
            process.stdin.close()
    made.server.close()
    by_sdk, ours = (statistics.median(times[name]) for name in ("sdk", "autoflow"))
    return (
        f"\nA version of one project of {SDK_ITEMS:,} items, over HTTP, in turns: {by_sdk:,.0f} ms by the Supervisely "
        f"SDK's own `create`, {ours:.1f} ms by autoflow's: {by_sdk / ours:,.0f} times.\n"
    )


def measure(count: int, folder: str) -> dict[str, float]:
    """All figures of one size."""
    progress(f"building {count:,} items")
    made = build(folder, count)
    figures: dict[str, float] = {}
    before = made.bytes
    first = made.call("autoflow.versions.snapshot", projectId=made.project)["id"]
    change(made, 1)
    figures["growth for 1 % changed, %"] = (made.bytes - before) / before * 100
    second = made.call("autoflow.versions.snapshot", projectId=made.project)["id"]
    figures["no change, ms"] = timed(lambda: made.call("autoflow.versions.snapshot", projectId=made.project))[0]
    ask = {"from": first, "to": second, "limit": 0}
    figures["diff of 1 %, ms"], response = timed(lambda: made.server.call("autoflow.versions.diff", ask), 5)
    assert response["counts"]["items"]["changed"] == count // SHARE
    page = {"id": first, "after": made.first + count // 2, "limit": 500}
    figures["page of 500 of an old version, ms"] = timed(lambda: made.server.call("autoflow.versions.items", page))[0]
    progress(f"restoring {count:,} items")
    wall, cpu, longest = restored(made, first)
    figures |= {"restore, s": wall, "restore, CPU s": cpu, "longest lock of it, ms": longest}
    figures["create, ms"] = created(made, made.call)
    with over_http(made) as (_, http):
        figures["create over HTTP, ms"] = created(made, http)
    versioned_costs, unseen = zip(*((change(made, turn), change(made, turn, 1)) for turn in range(2, 5)), strict=True)
    figures["edit of a row that a version sees, µs"] = sorted(versioned_costs)[1]
    figures["write tax of a row, µs"] = sorted(versioned_costs)[1] - sorted(unseen)[1]
    while made.call("projects.versions.list", projectId=made.project)["total"] < 100:
        created(made, made.call)
    lists = timed(lambda: made.call("projects.versions.list", projectId=made.project, per_page=100))
    figures["list of 100, ms"] = lists[0]
    made.server.close()
    return figures


GOALS: dict[str, float] = {
    "create, ms": 5,
    "create over HTTP, ms": 25,
    "no change, ms": 1,
    "list of 100, ms": 10,
    "diff of 1 %, ms": 100,
    "restore, s": 10,
    "longest lock of it, ms": 100,
    "growth for 1 % changed, %": 2,
    "write tax of a row, µs": 40,
}


def main() -> None:
    """Measure, and print the section."""
    results = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory(dir=FOLDER, prefix="autoflow-versions-") as folder:
            results[size] = measure(size, folder)
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix="autoflow-versions-") as folder:
        sdk = beside_sdk(folder)
    names = list(results[SIZES[0]])
    lines = [(name, *(f"{results[size][name]:,.2f}" for size in SIZES)) for name in names]
    largest = results[max(SIZES)]
    goals = [
        Goal(f"versions, {name} ({max(SIZES):,} items)", f"≤ {goal:g}", f"{largest[name]:,.2f}", largest[name] <= goal)
        for name, goal in GOALS.items()
    ]
    if len(SIZES) > 1:
        ratio = largest["create, ms"] / results[min(SIZES)]["create, ms"]
        goals.append(Goal("versions, create of the largest by the smallest", "≤ 5", f"{ratio:.2f}", ratio <= 5))
    header = ("figure", *(f"{size:,} items" for size in SIZES))
    publish(f"## Versions\n\n{machine()}; SQLite, medians.\n\n{table(header, lines)}\n{sdk}", goals)


if __name__ == "__main__":
    main()
