"""Recording in forked children: nothing is lost or sent twice, and no child waits for a lock of its parent.

Numbers in comments are the scenarios of docs/reliability.md.
"""

from __future__ import annotations

import pytest

from autoflow.testing import hang, well
from tests.reliability.processes import PATIENT

pytestmark = pytest.mark.core


def test_records_of_multiprocessing_children_are_kept(app, server):  # 13
    """Forked workers leave without exit callbacks: their records are kept, and their parent delivers them."""
    left = app.run(
        """
        import multiprocessing
        context = multiprocessing.get_context("fork")
        def work(part):
            for number in range(50):
                load(part * 100 + number)
        with autoflow.workflow("parent"):
            load(1)
            children = [context.Process(target=work, args=(part,)) for part in (1, 2, 3)]
            for child in children:
                child.start()
            for child in children:
                child.join()
        """,
        **PATIENT,
    )
    assert (left.code, left.err) == (0, "")
    expected = [1, *(part * 100 + number for part in (1, 2, 3) for number in range(50))]
    assert sorted(app.delivered()) == expected
    runs = {record["run"] for record in app.server.edges}
    assert len(runs) == 1  # the children's records are their parent's run's


def test_children_whose_parent_never_recorded_are_delivered_by_the_next_process(app):  # 13
    """Nobody of the family sends: the records wait for another process."""
    left = app.run(
        """
        child = os.fork()
        if child == 0:
            for number in range(1, 51):
                load(number)
            os._exit(0)
        os.waitpid(child, 0)
        """,
        AUTOFLOW_EXIT_FLUSH="0",
    )
    assert (left.code, left.err) == (0, "")
    app.sync()
    assert app.delivered() == list(range(1, 51))


HOLDERS = {
    "making the journal": """
        from autoflow.outbox import home
        inner, home.outbox_of = home.outbox_of, lambda origin: held() and inner(origin)
        """,
    "opening the journal": """
        from autoflow.outbox import journal_lease
        inner, journal_lease.take = journal_lease.take, lambda path: held() and inner(path)
        """,
    "making the run": """
        from autoflow.runtime import app_name
        inner, app_name.app_name = app_name.app_name, lambda: held() and inner()
        """,
    "beginning to keep a log": """
        import logging
        inner, logging.setLogRecordFactory = logging.setLogRecordFactory, lambda made: held() and inner(made)
        """,
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_child_does_not_wait_for_a_lock_of_its_parent(holder, app, server):  # 14
    """A thread of the parent is inside a lock of ours while another forks: the child's call returns at once."""
    server.stop()
    left = app.run(
        f"""
        inside, forked = threading.Event(), threading.Event()
        def held():
            if threading.current_thread().name == "holder":
                inside.set()
                forked.wait()
            return True
        {HOLDERS[holder]}
        def record(number):
            if sys.argv[1] == "beginning to keep a log":
                with autoflow.workflow("w"):
                    load(number)
            else:
                load(number)
        thread = threading.Thread(target=record, args=(1,), name="holder")
        thread.start()
        inside.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(30)  # a child that waits for ever is killed
            record(2)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        forked.set()
        thread.join()
        assert status == 0, status
        """,
        holder,
        AUTOFLOW_EXIT_FLUSH="0",
    )
    assert (left.code, left.err) == (0, "")
    assert sorted(app.kept_projects()) == [1, 2]


def test_a_child_can_import_what_the_sender_was_importing(app):  # 14
    """Imports in the sender's thread do not leave a module half made in a child forked meanwhile."""
    left = app.run(
        """
        from autoflow.process import forks
        forks.IMPORT_WAIT_SECONDS = 60.0  # what a busy machine needs for an import
        inside = threading.Event()
        class Slow:
            def find_spec(self, name, *rest):
                if name == "requests" and threading.current_thread().name == "autoflow-sender":
                    inside.set()
                    time.sleep(0.5)
        sys.meta_path.insert(0, Slow())
        load(1)
        assert inside.wait(60)
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            import requests
            assert requests.Session
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        """,
        **PATIENT,
    )
    assert (left.code, left.err) == (0, "")
    assert app.delivered() == [1]


def test_forks_at_any_time_under_recording_threads(app):  # 14, 15
    """Sixty forks while four threads record and the sender sends: every child records at once, all arrives once."""
    left = app.run(
        """
        stop = threading.Event()
        def record(part):
            number = 0
            while not stop.is_set():
                number += 1
                load(part * 1_000_000 + number)
                time.sleep(0.0005)
            last[part] = number
        last = {}
        with autoflow.workflow("forking"):
            threads = [threading.Thread(target=record, args=(part,)) for part in (1, 2, 3, 4)]
            for thread in threads:
                thread.start()
            for number in range(1, 61):
                child = os.fork()
                if child == 0:
                    signal.alarm(30)
                    load(number)
                    os._exit(0)
                assert os.waitpid(child, 0)[1] == 0
            stop.set()
            for thread in threads:
                thread.join()
            assert autoflow.flush(60)
        tell(" ".join(str(last[part]) for part in (1, 2, 3, 4)))
        """
    )
    assert (left.code, left.err) == (0, "")
    expected = list(range(1, 61))
    for part, count in enumerate(map(int, left.out.split()), start=1):
        expected += range(part * 1_000_000 + 1, part * 1_000_000 + count + 1)
    assert sorted(app.delivered()) == expected


def test_records_waiting_in_the_parent_are_sent_once(app, server):  # 15
    """A child forked with records waiting sends its own only, though it flushes and the parent is silent meanwhile."""
    server.behave(hang)
    process = app.until_pause(
        """
        with autoflow.workflow("parent"):
            for number in range(1, 101):
                load(number)
            child = os.fork()
            if child == 0:
                load(1000)
                pause()
                autoflow.flush(60)
                os._exit(0)
            os.waitpid(child, 0)
            load(101)
            sys.stdin.readline()
        """,
        **PATIENT,
    )
    server.stop()
    server.behave(well)
    server.start()
    app.go_on(process)
    left = app.end(process)
    assert (left.code, left.err) == (0, "")
    assert sorted(app.delivered()) == [*range(1, 102), 1000]
    batches = [body["records"] for method, body in server.requests if method == "autoflow.records.add"]
    tried = [record["key"] for batch in batches for record in batch]
    assert max(tried.count(key) for key in tried) <= 2  # the hung request, and once more


def test_a_killed_parents_journal_is_free_while_its_child_lives(app, server):  # 16
    """A forked child holds the descriptors of a killed parent's lock, not the lock: another process sends at once."""
    server.stop()
    process = app.until_pause(
        """
        load(1)
        if os.fork() == 0:
            signal.alarm(100)
            pause()
            load(2)
            tell("recorded")
            signal.pause()
        signal.pause()
        """
    )
    process.kill()
    process.wait()
    server.start()
    counts = app.sync()
    assert app.delivered() == [1]
    assert counts["waiting"] == 0
    app.go_on(process)  # the child, which goes on recording
    assert process.stdout.readline() == "recorded\n"
    assert server.wait_for(lambda: len(server.edges) == 2)
    assert app.delivered() == [1, 2]


def test_a_fork_python_does_not_know_of(app):  # 17
    """A server that forks in C runs no hook: the first record of the child begins a journal of its own."""
    left = app.run(
        """
        import ctypes
        def fork():
            return ctypes.PyDLL(None).fork()  # keeps the interpreter's lock, as such servers do
        load(1)
        child = fork()
        if child == 0:
            signal.alarm(60)
            for number in range(1001, 1101):
                load(number)
            os._exit(0)
        for number in range(2, 101):
            load(number)
        assert os.waitpid(child, 0)[1] == 0
        """,
        **PATIENT,
    )
    assert (left.code, left.err) == (0, "")
    assert sorted(app.delivered()) == [*range(1, 101), *range(1001, 1101)]


CLOSERS = {
    "a daemon's child": "if os.fork(): os._exit(0)\nos.setsid()\nos.closerange(3, 4096)",
    "a daemon in place": "os.closerange(3, 4096)",
    "a loop over the low numbers": "os.closerange(3, 256)",
}
MINE = """
files = [open(os.path.join(os.environ["AUTOFLOW_HOME"], f"{number}.txt"), "w+") for number in range(50)]
"""
STILL_MINE = """
for file in files:
    file.write("mine")
    file.flush()
    file.seek(0)
    assert file.read() == "mine"
"""


@pytest.mark.parametrize("closer", CLOSERS)
def test_descriptors_closed_by_the_app(closer, app, server):  # 18
    """Whoever closes our files, the app's own files opened next hold only what the app wrote, and no record is lost.

    The sender rests while it happens: what it has open for an instant may be hit as that of any thread.
    """
    server.stop()
    process = app.until_pause(
        """
from autoflow.outbox.backoff import Backoff
def failed(backoff, *wish, **pause):
    backoff.until = time.monotonic() + 3600
Backoff.failed = failed
load(1)
assert not autoflow.flush(60)  # the sender has tried, and rests until it is asked to
"""
        + CLOSERS[closer]
        + MINE
        + """
for number in range(2, 102):
    load(number)
"""
        + STILL_MINE
        + """
pause()
for number in range(102, 202):
    load(number)
autoflow.flush(60)
signal.alarm(60)  # nobody knows this process if it has become a daemon
signal.pause()
"""
    )
    assert sorted(app.kept_projects()) == list(range(1, 102))
    server.start()
    app.sync()  # another process looks for journals of the dead: the living one is not among them
    app.go_on(process)
    assert server.wait_for(lambda: len(server.edges) == 201, 60)
    assert sorted(app.delivered()) == list(range(1, 202))
    assert {path.read_text() for path in app.home.glob("*.txt")} == {"mine"}


def test_a_connection_closed_by_the_app(app, server):  # 18
    """In the midst of a request, all is closed: the request fails, and the app's files opened next stay open."""
    server.behave(hang)
    process = app.until_pause(
        """
from autoflow.transport import http
http.TOTAL_SECONDS = 3.0
load(1)
pause()
os.closerange(3, 4096)
"""
        + MINE
        + """
assert not autoflow.flush(60)  # the request has come to its end
"""
        + STILL_MINE
        + """
tell("mine still")
"""
    )
    assert server.wait_for(lambda: len(server.requests) > 0, 60)
    left = app.end(process)
    assert (left.code, left.out, left.err) == (0, "mine still\n", "")
