"""The long run of versions: writers and a collector are killed at random, again and again, and nothing may be lost.

Writers upload contents of which most were seen before and many are dying, name them after asking whether they are
there, edit, save versions, restore them, delete versions and projects, replace team files. Each writes down what a
version holds *after* the call that made it returned. A collector removes what nothing needs, all the time. All of
them are killed at moments drawn at random.

At the end every version that was saved and not deleted must hold what its writer wrote down, every hash that any row
names must have its bytes, and, when the leases of the dead are over, one sweep must leave no file that nothing names.

``--naive`` puts a collector in its place that marks, and then sweeps what is old enough: the run must find it out.
Ends with 1 when anything was violated.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import mmap
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from versions_writers import (
    LEASE,
    NAMING,
    Notes,
    Setup,
    Writer,
    collect,
    collector,
    hash_of,
    naive_collector,
    read_notes,
)

from autoflow.errors import ServerBusy
from autoflow.server import server
from autoflow.server.blobs import open_blob_store
from autoflow.server.blobs.content import blob_path
from autoflow.server.db.schema import blobs, items, items_history, versions
from autoflow.server.server import Server
from autoflow.wire import methods

WRITERS = 4
ACTS = 24  # of a process at the most, so that a busy machine does not change what is done
MAX_LIFETIME = 0.05  # seconds at the most from its last act to its end
REPORT_INTERVAL = 3.0  # seconds between two looks at what was saved
STILLBORN = 0.1  # of the processes, those that may be killed before it


class Soak:
    """One run: keeps the processes going, kills them, and looks at what they left."""

    def __init__(self, setup: Setup, *, naive: bool) -> None:
        self.setup = setup
        self.random = random.Random(setup.seed)
        self.kills = 0
        self.violations: list[str] = []
        self._work = naive_collector if naive else collector
        self._lives = itertools.count()
        self._running: dict[int, tuple[int, int, float]] = {}  # process: slot, acts it has, and when it ends after them
        self._acts = memoryview(mmap.mmap(-1, (WRITERS + 2) * 8)).cast("Q")  # of those running, and of all; shared

    def run(self, kills: int, alive: int) -> None:
        """Kill until so many were killed, and so many versions are there."""
        looked, present = time.monotonic(), 0
        try:
            while self.kills < kills or present < alive:
                running = {slot for slot, *_ in self._running.values()}
                for slot in set(range(WRITERS + 1)) - running:
                    self._begin(slot)
                self._reap()
                if time.monotonic() > looked + REPORT_INTERVAL:
                    looked, present = time.monotonic(), len(self.saved())
                    print(f"{self.kills} killed, {present} versions to be there", flush=True)
                time.sleep(0.005)
        finally:
            for process in self._running:
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
                self.kills += 1

    def _begin(self, slot: int) -> None:
        life = next(self._lives)
        stillborn = self.random.random() < STILLBORN
        acts = 0 if stillborn else self.random.randint(1, ACTS)
        self._acts[slot] = 0
        process = os.fork()
        if process == 0:
            _live(self.setup, slot, life, self._work, self._acts)
        self._running[process] = (slot, acts, 0.0)

    def _reap(self) -> None:
        now = time.monotonic()
        for process, (slot, acts, until) in list(self._running.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                self.violations.append(f"process {slot} ended by itself, with {status}")
                del self._running[process]
            elif not until:
                if self._acts[slot] >= acts:
                    self._running[process] = (slot, acts, now + self.random.uniform(0, MAX_LIFETIME))
            elif now > until:
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
                del self._running[process]
                self.kills += 1

    def notes(self) -> Iterator[dict[str, Any]]:
        """All that was written down."""
        for name in sorted(os.listdir(self.setup.notes)):
            yield from read_notes(os.path.join(self.setup.notes, name))

    def saved(self) -> dict[int, dict[str, list[str]]]:
        """Return the expected content of versions that were saved and not deleted."""
        results: dict[int, dict[str, list[str]]] = {}
        deleted = set()
        for note in self.notes():
            if "version" in note:
                results[note["version"]] = note["state"]
            deleted.add(note.get("deleting"))
        return {number: state for number, state in results.items() if number not in deleted}

    def compare(self) -> dict[str, Any]:
        """Compare the store with the notes of all writers; return the counts."""
        self.violations += [note["violated"] for note in self.notes() if "violated" in note]
        time.sleep(LEASE + 0.5)
        server = self.setup.open()
        swept = collect(server) if self._work is collector else {}
        for level in (1, 3):
            self._verify(server, level)
        saved = self.saved()
        with server._context.store.read() as conn:
            present = {row.hash: row.generation for row in conn.execute(select(blobs.c.hash, blobs.c.generation))}
            named = {
                entry for column in NAMING for entry in conn.execute(select(column)).scalars() if entry is not None
            }
            for number, state in saved.items():
                if self._held(conn, number) != state:
                    self.violations.append(f"version {number} does not hold what was saved")
        intact = self._intact(present)
        self.violations += [f"the bytes of {entry} are missing" for entry in sorted(named - intact)]
        if self._work is collector:
            paths = {blob_path(entry, generation) for entry, generation in present.items()}
            strays = {results.path for results in open_blob_store(self._folder).files()} - paths
            self.violations += [f"{path} is named by nothing" for path in sorted(strays)]
            self.violations += [f"the blob {entry} is needed by nothing" for entry in sorted(present.keys() - named)]
        server.close()
        failed = [note["why"] for note in self.notes() if "failed" in note]
        collected = [note["collected"] for note in self.notes() if "collected" in note]
        return {
            "killed": self.kills,
            "versions alive": len(saved),
            "blobs alive": len(present),
            "collected": sum(entry["blobs"] for entry in collected),
            "strays swept meanwhile": sum(entry.get("strays", 0) for entry in collected),
            "last sweep": swept,
            "acts refused or busy": len(failed),
            "violations": len(self.violations),
        }

    @property
    def _folder(self) -> str:
        return self.setup.blobs or os.path.join(self.setup.home, "blobs")

    def _verify(self, server: Server, level: int) -> None:
        state = None
        while True:
            response = server.call(methods.VERIFY, {"level": level, "state": state})
            self.violations += [f"level {level}: {json.dumps(problem)}" for problem in response["problems"]]
            if response["done"]:
                return
            state = response["state"]

    def _held(self, rows: Any, number: int) -> dict[str, list[str]] | None:
        """Read a version's content from the tables, without the server's queries; None if it does not exist."""
        query = select(versions).where(versions.c.id == number, versions.c.status == "committed")
        version = rows.execute(query).first()
        if version is None:
            return None
        held = {}
        for table, still in ((items, True), (items_history, False)):
            query = select(table).where(table.c.project_id == version.project_id, table.c.valid_from <= version.epoch)
            if not still:
                query = query.where(table.c.valid_to > version.epoch)
            held.update({row.name: [row.hash, row.description] for row in rows.execute(query)})
        return held

    def _intact(self, present: dict[str, str]) -> set[str]:
        """Those hashes whose bytes are there, and are of that hash."""
        blob_store = open_blob_store(self._folder)
        results = set()
        for entry, generation in present.items():
            with contextlib.suppress(ServerBusy):
                if hash_of(b"".join(blob_store.read(entry, generation, 0, 1 << 30))) == entry:
                    results.add(entry)
        return results


def _live(setup: Setup, slot: int, life: int, work: Any, acts: memoryview) -> None:
    """A process's life; it never returns."""

    def acted() -> int:
        acts[slot] += 1
        acts[-1] += 1
        return acts[-1]

    try:
        if slot < WRITERS:
            Writer(setup, slot, life).run(acted)
        else:
            work(setup, Notes(os.path.join(setup.notes, f"collector-{life}")), acted)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def prepare(setup: Setup) -> None:
    """Make the store, in a process of its own: what is opened here would be inherited by all that are begun later."""
    process = os.fork()
    if process == 0:
        try:
            setup.open().close()
            os._exit(0)
        finally:
            os._exit(1)
    if os.waitpid(process, 0)[1]:
        raise SystemExit("the store could not be made")


def main(arguments: list[str]) -> int:
    """Run; 1 when anything was violated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--versions", type=int, default=200, help="that must be there at the end")
    parser.add_argument("--database", help="a url; by default SQLite in a folder of its own")
    parser.add_argument("--blobs", help="a url; by default a folder of its own")
    parser.add_argument("--naive", action="store_true", help="with a collector that must be found out")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="autoflow-versions-") as folder:
        notes = os.path.join(folder, "notes")
        os.mkdir(notes)
        setup = Setup(os.path.join(folder, "home"), args.database, args.blobs, notes, args.seed)
        print(f"versions: seed {args.seed}", flush=True)
        prepare(setup)
        soak = Soak(setup, naive=args.naive)
        soak.run(args.kills, args.versions)
        summary = soak.compare()
    print(json.dumps(summary))
    print("; ".join(soak.violations[:5]) or "every version is what was saved, no bytes are missing, no file is stray")
    return int(bool(soak.violations))


if __name__ == "__main__":
    assert server.METHODS  # loaded here, once, and not in each process
    raise SystemExit(main(sys.argv[1:]))
