"""Ends of a process: its records are kept, and the exit takes no longer than promised.

Numbers in ids and comments are the scenarios of docs/reliability.md.
"""

from __future__ import annotations

import signal
import socket

import pytest

from autoflow.testing import FaultyServer, hang, slow
from autoflow.testing import status as answers
from tests.reliability.processes import PATIENT, STALLED

pytestmark = pytest.mark.core

FLUSH_SECONDS = 2.0


def promised(left):
    """Return whether an exit waited two seconds at most, as far as autoflow decides it."""
    return bool(left.waits) and max(left.waits) <= FLUSH_SECONDS and left.exit_seconds < STALLED


# -- the process is killed


def test_a_kill_after_the_last_call_loses_nothing(app, server):  # 1
    """SIGKILL right after the last of 2,000 calls: all are in the outbox, whole and once, and are delivered."""
    server.stop()
    left = app.run(
        """
        with autoflow.workflow("killed"):
            for number in range(1, 2001):
                load(number)
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    assert left.code == -signal.SIGKILL
    assert app.kept_projects() == list(range(1, 2001))
    server.start()
    counts = app.sync()
    assert app.delivered() == list(range(1, 2001))
    assert (counts["recorded"], counts["waiting"], counts["dead"], counts["dropped"]) == (counts["sent"], 0, 0, 0)


def test_a_kill_at_any_time_keeps_acknowledged_records(app, server):  # 2
    """Forty children are killed at random moments: each kept every call that had returned, and at most one more."""
    server.stop()
    left = app.run(
        """
        import mmap, random
        acknowledged = memoryview(mmap.mmap(-1, 8)).cast("q")  # a number is written whole, or not at all
        load(1)  # everything is imported before the first fork
        for repeat in range(1, 41):
            acknowledged[0] = 0
            child = os.fork()
            if child == 0:
                for number in range(1, 1_000_000):
                    load(repeat * 1_000_000 + number)
                    acknowledged[0] = number
            while acknowledged[0] == 0:
                time.sleep(0)
            time.sleep(random.uniform(0, 0.01))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            print(acknowledged[0])
        """,
        AUTOFLOW_EXIT_FLUSH="0",
    )
    assert left.code == 0, left.err
    reported = [int(line) for line in left.out.split()]
    actual: dict[int, list[int]] = {}
    for project in app.kept_projects():
        actual.setdefault(project // 1_000_000, []).append(project % 1_000_000)
    assert len(reported) == 40
    for repeat, count in enumerate(reported, start=1):
        assert actual[repeat] == list(range(1, len(actual[repeat]) + 1))
        assert 0 <= len(actual[repeat]) - count <= 1


@pytest.mark.parametrize(
    ("end", "code"),
    [
        pytest.param("os._exit(7)", 7, id="3-os._exit"),
        pytest.param("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, id="4-sigterm"),
        pytest.param("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV, id="10-sigsegv"),
        pytest.param("os.abort()", -signal.SIGABRT, id="10-abort"),
    ],
)
def test_the_next_process_sends_what_a_killed_one_left(end, code, app, server):
    """A process that runs no exit code keeps its records; another app of the machine delivers them with its own."""
    server.behave(hang)
    left = app.run(f"for number in range(1, 201): load(number)\n{end}")
    assert left.code == code
    assert app.kept_projects() == list(range(1, 201))
    server.stop()
    server.behave(lambda exchange: exchange.reply(*exchange.apply()))
    server.start()
    assert app.run("load(999)", **PATIENT).code == 0
    assert sorted(app.delivered()) == [*range(1, 201), 999]


def test_no_signal_handler_is_installed(app):  # 4
    """Recording and delivering change no signal's handling."""
    left = app.run(
        """
        def handlers():
            return [signal.getsignal(number) for number in signal.valid_signals()]
        before = handlers()
        with autoflow.workflow("w"):
            load(1)
            assert autoflow.flush(60)
        assert handlers() == before
        assert signal.set_wakeup_fd(-1) == -1
        """
    )
    assert left.code == 0, left.err


def test_records_from_a_signal_handler_that_interrupts_recording_are_kept(app, server):  # 4
    """A handler may record at any point of the main thread's own recording: no deadlock, nothing lost."""
    server.stop()
    left = app.run(
        """
        from autoflow.outbox import journal
        journal.SEGMENT_BYTES = 4096  # many rotations
        seen = 0
        def handler(*_):
            global seen
            seen += 1
            load(1_000_000 + seen)
            signal.setitimer(signal.ITIMER_REAL, 0.0001)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.0001)
        for number in range(1, 5001):
            load(number)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)  # first: a handler that is pending sets the timer once more
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(seen)
        """,
        AUTOFLOW_EXIT_FLUSH="0",
    )
    assert left.code == 0, left.err
    expected = [*range(1, 5001), *range(1_000_001, 1_000_001 + int(left.out))]
    assert sorted(app.kept_projects()) == expected


def test_memory_running_out_in_the_function_leaves_its_error_and_the_records(app, server):  # 10
    """A MemoryError under a limit passes unchanged; what was recorded before it, and after it, is kept."""
    server.stop()
    left = app.run(
        """
        import resource
        load(1)
        @autoflow.workflow_input("project")
        def greedy(project_id):
            return bytearray(1 << 40)
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
        try:
            greedy(2)
        except MemoryError:
            tell("MemoryError")
        load(3)
        """
    )
    assert (left.code, left.out.strip()) == (0, "MemoryError"), left.err
    assert app.kept_projects() == [1, 2, 3]


@pytest.mark.parametrize("error", ["SystemExit(3)", "KeyboardInterrupt()", "GeneratorExit()"])
def test_exceptions_of_the_app_pass_unchanged(error, app, server):  # 12
    """The exception object that leaves the wrapped function is the one raised, and its input stays recorded."""
    server.stop()
    left = app.run(
        f"""
        raised = {error}
        @autoflow.workflow_input("project")
        def leave(project_id):
            raise raised
        try:
            with autoflow.workflow("w"):
                leave(1)
        except BaseException as caught:
            assert caught is raised
            assert caught.__cause__ is None and caught.__context__ is None
            tell("unchanged")
        """
    )
    assert (left.code, left.out.strip()) == (0, "unchanged"), left.err
    assert app.kept_projects() == [1]


# -- the process leaves in good order


def test_a_normal_exit_delivers(app):  # 5
    """What a short script recorded, never flushing, has arrived when it has ended."""
    left = app.run("for number in range(1, 501): load(number)\ndone()", **PATIENT)
    assert (left.code, left.err) == (0, "")
    assert app.delivered() == list(range(1, 501))
    assert [record["state"] for record in app.server.records if record["type"] == "finish"] == ["finished"]


@pytest.mark.parametrize("behaviour", [pytest.param(hang, id="silent"), pytest.param(slow(0.5), id="a-byte-at-a-time")])
def test_an_exit_waits_two_seconds_at_most_for_a_server_that_never_responds(behaviour, app, server):  # 6
    """Leaving waits for the promised time, then goes; everything is kept and delivered later."""
    server.behave(behaviour)
    left = app.run("with autoflow.workflow('w'):\n    for number in range(1, 101): load(number)\ndone()")
    assert (left.code, left.err) == (0, "")
    assert promised(left)
    assert app.kept_projects() == list(range(1, 101))


def test_an_exit_waits_two_seconds_at_most_for_a_server_that_never_accepts(app):  # 6
    """A full backlog, where not even the connection comes about."""
    with socket.socket() as deaf, socket.socket() as filling:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        filling.connect(deaf.getsockname())
        left = app.run("load(1)\ndone()", AUTOFLOW_SERVER=f"http://127.0.0.1:{deaf.getsockname()[1]}")
    assert (left.code, left.err) == (0, "")
    assert promised(left)
    assert app.kept_projects() == [1]


def test_several_silent_servers_share_the_two_seconds(app):  # 6
    """The promise is for the exit, not for each destination: the first took all there was."""
    with FaultyServer() as first, FaultyServer() as second, FaultyServer() as third:
        for server in (silent := (first, second, third)):
            server.behave(hang)
        left = app.run(
            f"""
            for server in {[server.address for server in silent]}:
                with autoflow.workflow("w", server=server):
                    load(1)
            done()
            """
        )
    assert (left.code, left.err) == (0, "")
    assert promised(left)
    assert left.waits[1:] == [0, 0]


def test_an_exit_does_not_wait_when_nothing_is_queued(app, server):  # 6
    """A process whose records have all arrived leaves at once, whatever the server does now."""
    process = app.until_pause(
        """
        with autoflow.workflow("w"):
            load(1)
        assert autoflow.flush(60)
        pause()
        done()
        """
    )
    server.behave(hang)
    request_count = len(server.requests)
    left = app.end(process)
    assert (left.code, left.err) == (0, "")
    assert len(server.requests) == request_count


def test_an_exit_does_not_wait_while_the_circuit_is_open(app, server):  # 6
    """With the circuit open an exit does not try."""
    server.behave(answers(503))
    process = app.until_pause(
        """
        load(1)
        for _ in range(5):
            assert not autoflow.flush(60)
        pause()
        done()
        """
    )
    server.behave(hang)
    left = app.end(process)
    assert left.code == 0
    assert left.waits == []
    assert app.kept_projects() == [1]


def test_the_exit_flush_can_be_switched_off(app, server):  # 6
    """AUTOFLOW_EXIT_FLUSH=0: an exit waits for nothing, and nothing is lost."""
    server.behave(hang)
    left = app.run("load(1)\ndone()", AUTOFLOW_EXIT_FLUSH="0")
    assert (left.code, left.err) == (0, "")
    assert left.waits == []
    types = [record["type"] for part in app.records().values() for record in part]
    assert [name for name in types if name != "facts"] == [
        "run",
        "edge",
        "finish",
    ]  # the sender gathers facts meanwhile


def test_a_short_run_records_its_commit_though_its_packages_are_still_listed(app, server):
    """Listing packages takes seconds on a slow disk; a commit that was not looked up before the exit is unknown."""
    server.stop()
    left = app.run(
        """
        import pathlib, subprocess, tempfile, time
        from importlib import metadata

        metadata.distributions = lambda: time.sleep(60) or ()
        os.chdir(tempfile.mkdtemp())
        git = ["git", "-c", "user.name=n", "-c", "user.email=e@x"]
        for arguments in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
            subprocess.run([*git, *arguments], check=True)
        with autoflow.workflow("short"):
            load(1)
            home = pathlib.Path(os.environ["AUTOFLOW_HOME"])
            for _ in range(300):
                time.sleep(0.1)
                if any(b'"commit"' in path.read_bytes() for path in home.rglob("*") if path.is_file()):
                    break
        """
    )
    assert left.code == 0, left
    facts = [record["facts"] for part in app.records().values() for record in part if record["type"] == "facts"]
    assert "commit" in facts[0]
    assert not any("packages" in gathered for gathered in facts)
