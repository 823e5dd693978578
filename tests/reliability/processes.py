"""Run apps in their own processes, kill them, and read the journals they left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any, NamedTuple

from autoflow.outbox import frame
from autoflow.outbox.journal_files import journals, segment_path
from autoflow.testing import FaultyServer

SECONDS = 100.0  # after which a process is taken to hang
STALLED = 20.0  # seconds a busy machine may stand still; what waits for a server without end waits longer

PRELUDE = '''
import os, signal, sys, threading, time
import autoflow

@autoflow.workflow_input("project")
def load(project_id):
    return project_id

TOLD = """
from autoflow.outbox.sender import Sender
flush = Sender.flush
def told(sender, seconds):
    print("waits", seconds, flush=True)
    return flush(sender, seconds)
Sender.flush = told
"""

def tell(word):
    print(word, flush=True)

def pause():
    """Say that we are here, and wait for the test."""
    tell("here")
    sys.stdin.readline()

def done():
    """The last call of a main: leaving begins now, and tells how long it is willing to wait, each time it does."""
    exec(TOLD, {})  # with names of its own: nothing of this script's is to outlive it
    tell(f"leaves {time.monotonic()}")

if "PATIENT" in os.environ:  # an exit may take as long as a busy machine needs to deliver
    from autoflow.outbox import outbox
    outbox.EXIT_SECONDS = 60.0
'''

PATIENT = {"PATIENT": "yes"}


class Left(NamedTuple):
    """The end of a process."""

    code: int  # negative: the signal
    out: str
    err: str
    at: float  # monotonic seconds

    @property
    def exit_seconds(self) -> float:
        """The seconds that the interpreter took to exit after `done()`."""
        return self.at - self._numbers_after("leaves")[0]

    @property
    def waits(self) -> list[float]:
        """The timeouts of the exit flush for each destination, in seconds, in order."""
        return self._numbers_after("waits")

    def _numbers_after(self, word: str) -> list[float]:
        lines = (line.split() for line in self.out.splitlines())
        return [float(line[1]) for line in lines if line[:1] == [word]]


class App:
    """Scripts that record to a server, each run in a process of its own; they begin with `PRELUDE`.

    Args:
        folder: of this test.
        server: what AUTOFLOW_SERVER names.
    """

    def __init__(self, folder: Path, server: FaultyServer) -> None:
        self.home = folder / "home"
        self.folder = folder
        self.server = server
        self.environment = {
            **os.environ,
            "AUTOFLOW_HOME": str(self.home),
            "AUTOFLOW_SERVER": server.address,
            "AUTOFLOW_TOKEN": "t",
            "PYTHONWARNINGS": "ignore",
        }
        self.started: list[subprocess.Popen[str]] = []

    def start(self, script: str, *arguments: str, prelude: str = PRELUDE, **environment: str) -> subprocess.Popen[str]:
        """Begin a script; what it `tell`s is read from its stdout."""
        path = self.folder / f"app{len(self.started)}.py"
        path.write_text(prelude + textwrap.dedent(script))
        process = subprocess.Popen(
            [sys.executable, str(path), *arguments],
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def run(self, script: str, *arguments: str, **options: str) -> Left:
        """Run a script to its end."""
        return self.end(self.start(script, *arguments, **options))

    def until_pause(self, script: str, *arguments: str, **options: str) -> subprocess.Popen[str]:
        """Run a script to its first `pause()`."""
        process = self.start(script, *arguments, **options)
        self.await_pause(process)
        return process

    def await_pause(self, process: subprocess.Popen[str]) -> None:
        """Wait until a script has come to its next `pause()`."""
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if line != "here":
            _, err = process.communicate(timeout=SECONDS)
            raise AssertionError(f"the app said {line!r} and ended with {process.returncode}: {err}")

    def go_on(self, process: subprocess.Popen[str]) -> None:
        """Let a script go on from its `pause()`."""
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()

    def end(self, process: subprocess.Popen[str]) -> Left:
        """Let a script go on, and wait for its end."""
        out, err = process.communicate("\n", timeout=SECONDS)
        return Left(process.returncode, out, err, time.monotonic())

    def command(self, *arguments: str) -> dict[str, Any]:
        """Run an ``autoflow`` command that prints JSON."""
        command = [sys.executable, "-m", "autoflow.cli.main", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=False, timeout=SECONDS)
        actual: dict[str, Any] = json.loads(done.stdout)
        return actual

    def sync(self) -> dict[str, Any]:
        """Deliver what waits, as a later process would; the counts afterwards."""
        return self.command("outbox", "sync", "--json")

    def stop(self) -> None:
        """End what still runs, forked children too."""
        for process in self.started:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()

    # -- what arrived, and the outbox as it lies on disk

    def delivered(self) -> list[int]:
        """Return the projects of all edges that the server has applied, in order."""
        return [edge["entity"]["id"] for edge in self.server.edges]

    def lines(self) -> dict[str, list[frame.Line]]:
        """Every line of every journal, a torn end included, by the journal's name."""
        actual: dict[str, list[frame.Line]] = {}
        for folder in sorted(self.home.glob("outbox/*/")):
            for name, segments in journals(str(folder)).items():
                for number in segments:
                    content = Path(segment_path(str(folder), name, number)).read_bytes()
                    actual.setdefault(name, []).extend(frame.decode(raw) for raw in content.split(b"\n") if raw)
        return actual

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """The records of every journal, in the order written.

        Fails on a damaged line, but for the last of a journal: a kill inside a write may tear what the write was
        writing, at a page's end. That call had not returned.
        """
        actual: dict[str, list[dict[str, Any]]] = {}
        for name, lines in self.lines().items():
            assert all(line.body is not None for line in lines[:-1])
            bodies = [json.loads(line.body) for line in lines if line.body is not None]
            actual[name] = [body for body in bodies if "n" in body]
        return actual

    def kept_projects(self) -> list[int]:
        """Return the projects of all edges on disk, journal by journal."""
        return [
            record["subject"]["id"] for part in self.records().values() for record in part if record["type"] == "edge"
        ]
