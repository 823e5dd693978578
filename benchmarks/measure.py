"""Measurement and tables: peers take turns in one run, each call is timed separately, medians are compared.

The machines are small and noisy, so absolute numbers say little and ratios within a run say more.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent


class Sample(NamedTuple):
    """Times of many calls, in nanoseconds."""

    p50: float
    p99: float
    p9999: float
    longest: float


class Goal(NamedTuple):
    """A figure we promise: what, the goal as written down, what was measured, and whether that meets it."""

    figure: str
    goal: str
    measured: str
    met: bool


def summarise(times: Sequence[int]) -> Sample:
    """The percentiles of some times."""
    times = sorted(times)
    at = lambda share: float(times[min(len(times) - 1, int(len(times) * share))])  # noqa: E731
    return Sample(at(0.5), at(0.99), at(0.9999), float(times[-1]))


def interleaved(cases: Mapping[str, Callable[[int], object]], *, rounds: int, calls: int) -> dict[str, list[Sample]]:
    """Let each case make `calls` calls a round, in turn; a sample a round. No number is given to two calls."""
    from time import perf_counter_ns as clock

    samples: dict[str, list[Sample]] = {name: [] for name in cases}
    number = 0
    for _ in range(rounds):
        for name, case in cases.items():
            times = []
            for _ in range(calls):
                number += 1
                begin = clock()
                case(number)
                times.append(clock() - begin)
            samples[name].append(summarise(times))
    return samples


def median(samples: Sequence[Sample], field: str) -> float:
    """The median over rounds of one percentile."""
    values = sorted(getattr(sample, field) for sample in samples)
    return float(values[len(values) // 2])


# -- processes


class Child:
    """A measured process (`child`), and what it says; a context manager that leaves no process behind.

    Args:
        peer: the client, by the name of its class.
        address: where it is to send.
        action: what it is to do, by the name of a function of `child`.
        home: its AUTOFLOW_HOME.
        limit: seconds after which it is killed.
        options: for the action.
    """

    def __init__(self, peer: str, address: str, action: str, *, home: str, limit: float = 120, **options: Any) -> None:
        environment = {**os.environ, "AUTOFLOW_HOME": home, "PYTHONWARNINGS": "ignore"}
        if address == "embedded":  # entities of another server need not exist on this one
            environment["SERVER_ADDRESS"] = "https://instance.example.org"
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "child.py"), peer, address, action, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("BENCH_DEBUG") else subprocess.DEVNULL,
            text=True,
            env=environment,
            start_new_session=True,
        )
        self._killer = threading.Timer(limit, self.process.kill)
        self._killer.start()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        self._killer.cancel()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()

    def says(self) -> Any:
        """The next thing it says; None when it is gone."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            try:
                return json.loads(line)
            except ValueError:  # a client's own chatter
                continue
        return None

    def go_on(self) -> None:
        """Let it go on."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def ends(self) -> int:
        """Wait for its end; its exit status."""
        return self.process.wait()


@contextmanager
def new_home() -> Iterator[str]:
    """A folder for one measurement's journals."""
    with tempfile.TemporaryDirectory(prefix="autoflow-bench-", ignore_cleanup_errors=True) as folder:
        yield folder


def sync(home: str) -> subprocess.Popen[bytes]:
    """Start ``autoflow outbox sync``, as a user would after a crash."""
    code = "from autoflow.cli.main import main; raise SystemExit(main(['outbox', 'sync']))"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "AUTOFLOW_HOME": home, "AUTOFLOW_TOKEN": "t"},
    )


def bytes_in(folder: str) -> int:
    """Bytes of all files under a folder."""
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())


# -- showing


def machine() -> str:
    """Return one line about the machine."""
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {system}, load {os.getloadavg()[0]:.1f}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def micro(nanoseconds: float) -> str:
    """Nanoseconds as microseconds, for reading."""
    return f"{nanoseconds / 1000:,.1f}"


def progress(words: str) -> None:
    """Say what is being measured, for whoever waits."""
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def publish(section: str, goals: Sequence[Goal]) -> None:
    """Print a section of the report; its goals go where `run` collects them."""
    print(section, flush=True)
    path = os.environ.get("BENCH_GOALS")
    if path is None:
        print(goals_table(goals), flush=True)
        return
    with open(path, "a") as file:
        for goal in goals:
            file.write(json.dumps(goal) + "\n")


def goals_table(goals: Sequence[Goal]) -> str:
    """Goals beside what was measured."""
    rows = [(goal.figure, goal.goal, goal.measured, "yes" if goal.met else "**no**") for goal in goals]
    return table(("figure", "goal", "measured", "met"), rows)
