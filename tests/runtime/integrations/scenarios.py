"""Scenarios of a pool in an app's life, with the run that each record belongs to.

`play` runs in the app, with a pool that is made, used and left in and outside of runs. `check` runs in the test, over
the records of all processes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from autoflow import workflow

Submit = Callable[..., Callable[[], Any]]  # a function and its arguments -> what waits for the result
Pool = Callable[[], AbstractContextManager[Submit]]

OUTSIDE = range(100, 106)
FIRST, SECOND = range(200, 206), range(300, 306)
OVERLAPPING = {"third": range(400, 410), "fourth": range(500, 510)}
LEFT = range(600, 608)  # of a run that is closed while its tasks are queued
FAILED = range(700, 702)
AFTERWARDS = range(800, 803)
INSIDE, LATER = range(900, 903), range(1000, 1003)


def play(pool: Pool, load: Callable[..., Any], slow: Callable[..., Any], fail: Callable[..., Any]) -> dict[str, str]:
    """Put a pool through everything.

    Args:
        pool: makes a new one.
        load: takes a project's number, records it as an input, returns ten times as much.
        slow: the same after some seconds, which are its second argument.
        fail: the same, then raises ``ValueError("no <number>")``.

    Returns:
        The keys of the runs, by name.
    """
    keys: dict[str, str] = {}

    def run(name: str, submit: Submit, numbers: Iterable[int]) -> None:
        with workflow(name) as opened:
            keys[name] = opened.key
            finish(submit, numbers)

    def finish(submit: Submit, numbers: Iterable[int]) -> None:
        waits = [(number, submit(load, number)) for number in numbers]
        assert [wait() for _, wait in waits] == [number * 10 for number, _ in waits]

    with pool() as submit:  # made before any run
        finish(submit, OUTSIDE)
        run("first", submit, FIRST)
        run("second", submit, SECOND)
        _overlap(keys, submit, load)
        with workflow("left") as left:
            keys["left"] = left.key
            waits = [submit(slow, number, 0.05) for number in LEFT]
        assert [wait() for wait in waits] == [number * 10 for number in LEFT]
        with workflow("failed") as failed:
            keys["failed"] = failed.key
            for number in FAILED:
                expect_failure(submit(fail, number), f"no {number}")
        finish(submit, AFTERWARDS)
    with workflow("inside") as inside:  # made in a run, and used in the next one
        keys["inside"] = inside.key
        entered = pool()
        submit = entered.__enter__()
        finish(submit, INSIDE)
    try:
        run("later", submit, LATER)
    finally:
        entered.__exit__(None, None, None)
    return keys


def _overlap(keys: dict[str, str], submit: Submit, load: Callable[..., Any]) -> None:
    """Two requests at once, in threads of their own, whose tasks are handed out in turn."""
    both_open = threading.Barrier(2, timeout=60)
    errors: list[BaseException] = []

    def request(name: str) -> None:
        try:
            with workflow(name) as opened:
                keys[name] = opened.key
                both_open.wait()
                numbers = OVERLAPPING[name]
                waits = []
                for number in numbers:
                    waits.append(submit(load, number))
                    time.sleep(0.001)
                assert [wait() for wait in waits] == [number * 10 for number in numbers]
                both_open.wait()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=request, args=(name,)) for name in OVERLAPPING]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def expect_failure(wait: Callable[[], Any], message: str) -> None:
    """The app's own error comes back; some frameworks wrap it."""
    error: Exception | None = None
    try:
        wait()
    except Exception as raised:
        error = raised
    assert isinstance(error, ValueError), repr(error)
    assert message in str(error)


def check(records: Iterable[Mapping[str, Any]], keys: Mapping[str, str]) -> dict[str, int]:
    """Compare every record with the run that caused it.

    Args:
        records: of all processes, as a server gets them.
        keys: what `play` returned.

    Returns:
        How many edges are in each run; ``implicit`` and ``unattributed`` for those outside of all.

    Raises:
        AssertionError: a record is missing, doubled, or in a run that did not cause it.
    """
    records = list(records)
    names = {key: name for name, key in keys.items()}
    for record in records:
        if record["type"] == "run":
            names.setdefault(record["run"], "unattributed" if record.get("unattributed") else "implicit")
    edges = [(record["entity"]["id"], names.get(record["run"])) for record in records if record["type"] == "edge"]
    expected = {number: {name} for name, numbers in _by_run().items() for number in numbers}
    expected |= {number: {"left", "unattributed"} for number in LEFT}
    assert sorted(number for number, _ in edges) == sorted(expected), "each edge is recorded once"
    wrong = {number: name for number, name in edges if name not in expected[number]}
    assert not wrong, wrong
    return {name: sum(1 for _, other in edges if other == name) for name in {*names.values()}}


def lost(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of the runs that end as lost, which none of a pool that is shut down in good order does.

    A server keeps what the run or its parent said over the guess of whoever took over the journal of the dead.
    """
    records = list(records)
    names = {record["run"]: record["name"] for record in records if record["type"] == "run"}
    ends = [(record["run"], record["state"]) for record in records if record["type"] == "finish"]
    ended = {run for run, state in ends if state != "lost"}
    return [names[run] for run, state in ends if state == "lost" and run not in ended]


def _by_run() -> dict[str, list[int]]:
    return {
        "implicit": [*OUTSIDE, *AFTERWARDS],
        "first": [*FIRST],
        "second": [*SECOND],
        **{name: [*numbers] for name, numbers in OVERLAPPING.items()},
        "failed": [*FAILED],
        "inside": [*INSIDE],
        "later": [*LATER],
    }
