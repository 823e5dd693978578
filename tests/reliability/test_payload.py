"""Arbitrary values as payload, and faults of autoflow that do not reach the app (52 to 57).

Scenario 58, waiting for the sender: `test_flush.py`.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

import autoflow
from autoflow.outbox import home, sender
from autoflow.outbox.destinations.servers import ServerConnector
from autoflow.outbox.drain import Drain
from autoflow.outbox.journal import Journal
from autoflow.outbox.sender import Sender
from autoflow.runtime import masking
from autoflow.runtime.destination import outbox_for, resolve
from autoflow.testing import hang, status, well
from autoflow.transport.memory import MemoryTransport
from tests.reliability.kit import counts, ids, load

pytestmark = [pytest.mark.core, pytest.mark.slow]

LONGEST_RECORD = 64 << 10


def journal_lines():
    """Every line in the journals, whole."""
    collected = []
    for folder, _, names in os.walk(home.find()):
        for name in names:
            if name.endswith(".journal"):
                with open(os.path.join(folder, name), "rb") as file:
                    collected += file.read().splitlines()
    return collected


# -- 52: values of all kinds


class Raising:
    def __repr__(self):
        raise RuntimeError("no repr")

    __str__ = __format__ = __len__ = __iter__ = __bool__ = __eq__ = __hash__ = __repr__


class Sleeping:
    called = False

    def __repr__(self):
        type(self).called = True
        time.sleep(5)
        return "sleepy"

    __str__ = __repr__


class Odd(dict):
    def items(self):
        raise KeyError("no items")


def circular():
    collected = []
    collected += [collected] * 1000
    return collected


def numpy_number():
    return pytest.importorskip("numpy").float32(0.5)


VALUES = {
    "circular": circular,
    "wide and deep": lambda: [[[[[list(range(300))] * 300] * 300] * 300] * 300] * 300,
    "50 MB": lambda: "x" * (50 << 20),
    "50 MB of bytes": lambda: b"x" * (50 << 20),
    "many keys": lambda: {f"key {number}": number for number in range(100_000)},
    "long key": lambda: {"k" * (1 << 20): 1},
    "nan": lambda: [float("nan"), float("inf"), -float("inf")],
    "half a character": lambda: "a\ud800b",
    "bytes": lambda: b"\xff\x00",
    "raises": Raising,
    "sleeps": Sleeping,
    "odd mapping": lambda: Odd(a=1),
    "huge number": lambda: 10**5000,
    "an object": object,
    "a function": lambda: len,
    "odd keys": lambda: {Sleeping: 1, (1, 2): 2, None: 3, 1.5: 4},
    "numpy": numpy_number,
}


@pytest.mark.parametrize("name", VALUES)
def test_any_value_may_be_a_parameter(name, server, towards):
    """(52) The app goes on at once, the run is recorded, its record stays small, and says what it can."""
    towards(server)
    value = VALUES[name]()
    Sleeping.called = False
    with autoflow.workflow("w", parameters={"value": value, "epochs": 3}):
        assert autoflow.flush(60)
    assert not Sleeping.called
    [run] = [record for record in server.records if record["type"] == "run"]
    assert run["parameters"]["epochs"] == 3
    assert len(json.dumps(run)) < LONGEST_RECORD
    json.dumps(run, allow_nan=False)


@pytest.mark.parametrize("name", VALUES)
def test_any_value_may_be_an_argument(name, server, towards):
    """(52) The function gets its very argument and its result comes back, whatever can be recorded of it."""
    towards(server)
    value = VALUES[name]()

    @autoflow.workflow_output("project", value="number", title="{value} {thing}", description=lambda call: call.thing)
    @autoflow.workflow_input("file", value="thing")
    @autoflow.workflow_input("folder", value="thing.path")
    def use(number, thing):
        return thing

    os.environ.pop("AUTOFLOW_STRICT")
    with autoflow.workflow("w"):
        Sleeping.called = False
        if name not in {"sleeps", "wide and deep"}:  # a template that names these asks for all their words
            assert use(7, value) is value
        load(8)
        assert autoflow.flush(60)
    assert 8 in ids(server)
    assert counts()["dropped"] == 0


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("run's name", lambda: autoflow.workflow("n" * (1 << 20))),
        ("parameters", lambda: autoflow.workflow("w", parameters={f"k{n}": "v" * 5000 for n in range(300)})),
    ],
)
def test_no_record_of_a_run_is_longer_than_the_limit(name, build, server, towards):
    """(52) What is too long is left out and named in the record; the rest of it arrives."""
    towards(server)
    server.stop()
    with build():
        logging.getLogger("app").warning("x" * (1 << 20))
        load(7)
        load("p" * (1 << 20))
    assert max(len(line) for line in journal_lines()) <= LONGEST_RECORD
    server.start()
    assert autoflow.flush(60)
    assert 7 in ids(server)


def test_an_error_of_the_apps_is_recorded_short(server, towards):
    """(52) A run that ends in an error with megabytes of text, or with none that can be had, ends all the same."""
    towards(server)

    class Mute(Exception):
        def __str__(self):
            raise RuntimeError("no words")

    for error in (ValueError("x" * (10 << 20)), Mute(), ValueError("a\ud800")):
        with pytest.raises(type(error)) as caught, autoflow.workflow("w"):
            raise error
        assert caught.value is error
    assert autoflow.flush(60)
    finished = [record for record in server.records if record["type"] == "finish"]
    assert [record["state"] for record in finished] == ["failed"] * 3
    assert max(len(record["error"]) for record in finished) < 4096


def test_the_representation_of_a_value_is_bounded():
    """(52) However wide and deep a value, as much of it is kept as a record takes."""
    Sleeping.called = False
    for build in VALUES.values():
        begun = time.thread_time()
        assert len(json.dumps(masking.value(build()))) < LONGEST_RECORD
        assert time.thread_time() - begun < 5  # of computing: milliseconds
    assert not Sleeping.called


# -- 54: recursion


class Recording(logging.Handler):
    """A handler of the app's that records what it is given."""

    def emit(self, record):
        load(abs(hash(record.getMessage())) % 10_000 + 1)
        load(None)


def test_a_log_handler_that_records_does_not_feed_on_itself(server, towards, monkeypatch):
    """(54) A root handler calls a decorated function for each line, the HTTP library's in the sender's thread too."""
    monkeypatch.delenv("AUTOFLOW_STRICT")
    towards(server)
    root = logging.getLogger()
    handler, level = Recording(), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with autoflow.workflow("w"):
            load(1)
            logging.getLogger("app").info("once")
            assert autoflow.flush(60)
            settled = len(server.records)
            assert autoflow.flush(60)
            time.sleep(0)
            assert len(server.records) == settled
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert settled < 50


def test_lines_the_sender_causes_are_not_kept_as_the_runs_log(server, towards):
    """(54) Each request makes the HTTP library log; kept as the run's log that would be a record, and a request."""
    towards(server)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    try:
        with autoflow.workflow("w"):
            logging.getLogger("app").warning("of the app")
            assert autoflow.flush(60)
            for _ in range(5):
                assert autoflow.flush(60)
            request_count = len(server.requests)
            assert autoflow.flush(60)
            assert len(server.requests) == request_count
    finally:
        logging.getLogger("urllib3").setLevel(logging.NOTSET)
    assert autoflow.flush(60)
    kept_numbers = "".join(record["lines"] for record in server.records if record["type"] == "log")
    assert "of the app" in kept_numbers
    assert "/public/api/v3/" not in kept_numbers


def test_an_instrumented_client_that_records_is_left_out(server, towards, monkeypatch):
    """(54) A decorated function called from inside the sending, as instrumentation does, records nothing."""
    import requests

    towards(server)
    plain = requests.Session.send

    def instrumented(self, request, **kwargs):
        load(999)
        return plain(self, request, **kwargs)

    monkeypatch.setattr(requests.Session, "send", instrumented)
    with autoflow.workflow("w"):
        load(1)
        assert autoflow.flush(60)
        load(2)
        assert autoflow.flush(60)
    assert autoflow.flush(60)
    assert ids(server) == [1, 2]


# -- 55: log flood (a day of it: test_outage.py)


def test_a_thousand_refused_records_are_a_few_lines(server, towards, caplog):
    """(55) One line a cause and minute, not one a record, and not one a try."""
    towards(server)
    caplog.set_level(logging.DEBUG, "autoflow")

    def behave(exchange):
        if exchange.method != "autoflow.records.add":
            well(exchange)
            return
        results = [{"key": record["key"], "status": "refused", "reason": "no"} for record in exchange.body["records"]]
        exchange.reply(200, {"results": results})

    server.behave(behave)
    with autoflow.workflow("w"):
        for number in range(1, 1001):
            load(number)
        assert autoflow.flush(60)
        server.behave(status(503))
        load(2000)
        for _ in range(20):
            assert not autoflow.flush(60)
    assert counts()["dead"] >= 1000
    assert len([record for record in caplog.records if record.name == "autoflow"]) < 10


# -- 56: the sender's thread dies


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_sender_is_replaced_at_the_next_record(server, towards, monkeypatch):
    """(56) The thread dies of a bug; the next record starts another, and all is sent, once."""
    towards(server)
    died = threading.Event()
    plain = Sender._sleep

    def deadly(self, all_sent):
        if not died.is_set():
            died.set()
            raise SystemExit
        plain(self, all_sent)

    monkeypatch.setattr(Sender, "_sleep", deadly)
    with autoflow.workflow("w"):
        load(1)
        assert died.wait(60)
        first = outbox_for(resolve())._sender._thread
        if first is not None:
            first.join(60)
        load(2)
        assert server.wait_for(lambda: ids(server) == [1, 2])
    assert autoflow.flush(60)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_flush_ends_when_the_sender_dies(server, towards, monkeypatch):
    """(56) A flush does not wait for a thread that has died."""
    towards(server)

    def deadly(self, *, urgent=False):
        if threading.current_thread() is not threading.main_thread():
            raise SystemExit
        return False

    with autoflow.workflow("w"):
        load(1)
        assert autoflow.flush(60)
        with monkeypatch.context() as patched:
            patched.setattr(Sender, "step", deadly)
            begun = time.monotonic()
            load(2)
            assert not autoflow.flush(60)
            assert time.monotonic() - begun < 30
        load(3)
        assert autoflow.flush(60)
    assert ids(server) == [1, 2, 3]


def test_a_bug_in_a_step_does_not_end_the_sender(server, towards, monkeypatch):
    """(56) An error nobody expected costs a try, not the thread."""
    towards(server)
    plain, failures = Drain._send_journal, [3]

    def buggy(self, reader):
        if failures[0]:
            failures[0] -= 1
            raise AssertionError("a bug")
        plain(self, reader)

    monkeypatch.setattr(Drain, "_send_journal", buggy)
    with autoflow.workflow("w"):
        load(1)
        assert server.wait_for(lambda: ids(server) == [1])


def test_many_first_records_start_one_sender():
    """(56) However many threads record first at the same moment, one thread sends."""
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    started = []
    sender.on_thread_start.append(lambda: started.append(threading.get_ident()))
    try:
        for _ in range(20):
            started.clear()
            unstarted = Sender(None, "memory", ServerConnector(MemoryTransport()), Journal(None, "memory"))
            barrier = threading.Barrier(16)

            def record(barrier=barrier, unstarted=unstarted):
                barrier.wait()
                unstarted.wake()

            threads = [threading.Thread(target=record) for _ in range(16)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            unstarted.flush(5)
            assert len(started) == 1
            unstarted.stop()
    finally:
        sender.on_thread_start.pop()
        sys.setswitchinterval(switch)


# -- 57: idle

IDLE = textwrap.dedent(
    """
    import resource, sys, threading, time
    import autoflow

    @autoflow.workflow_input("project")
    def load(project_id): ...

    def used():
        found = resource.getrusage(resource.RUSAGE_SELF)
        return found.ru_utime + found.ru_stime, found.ru_nvcsw

    with autoflow.workflow("w"):
        load(1)
        autoflow.flush(5)
        time.sleep(1)
        before, threads = used(), threading.active_count()
        time.sleep(float(sys.argv[1]))
        print(*(now - then for now, then in zip(used(), before)), threads)
    """
)


@pytest.mark.timing
@pytest.mark.parametrize("state", ["all sent", "down", "hanging", "token refused"])
def test_an_idle_process_uses_almost_no_cpu(state, server, tmp_path):
    """(57) With nothing to send, and with a server that is away: no polling below a second, one thread."""
    {"all sent": lambda: None, "down": server.stop}.get(
        state, lambda: server.behave(hang if state == "hanging" else status(401))
    )()
    environment = {
        **os.environ,
        "AUTOFLOW_HOME": str(tmp_path / "home"),
        "AUTOFLOW_SERVER": server.address,
        "AUTOFLOW_EXIT_FLUSH": "0",
    }
    seconds = 4.0
    command = [sys.executable, "-c", IDLE, str(seconds)]
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    cpu, wakes, threads = done.stdout.split()
    # the promise is a thousandth; a slow machine is a few times slower, and charges a sleeping process for others
    assert float(cpu) < 0.02 * seconds
    assert int(wakes) < 25 * seconds  # however slow the machine is
    assert int(threads) <= 2
