"""Forked children record as their parents do: nothing lost, nothing sent twice, nobody waiting for a lock of the dead.

Numbers in comments are the scenarios of docs/reliability.md.
"""

from __future__ import annotations

import pytest

from autoflow.testing import hang, well

pytestmark = pytest.mark.core


def test_children_of_multiprocessing_keep_what_they_recorded(app, platform):  # 13
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
        """
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
        from autoflow.outbox import lease
        inner, lease.take = lease.take, lambda path: held() and inner(path)
        """,
    "making the run": """
        from autoflow.runtime import inference
        inner, inference.script_name = inference.script_name, lambda: held() and inner()
        """,
    "beginning to keep a log": """
        import logging
        inner, logging.setLogRecordFactory = logging.setLogRecordFactory, lambda made: held() and inner(made)
        """,
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_child_does_not_wait_for_a_lock_of_its_parent(holder, app, platform):  # 14
    """A thread of the parent is inside a lock of ours while another forks: the child's call returns at once."""
    platform.stop()
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
            signal.alarm(10)  # a child that waits for ever is killed
            since = time.monotonic()
            record(2)
            tell(time.monotonic() - since)
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
    assert float(left.out) < 1
    assert sorted(app.kept_projects()) == [1, 2]


def test_a_child_can_import_what_the_sender_was_importing(app):  # 14
    """Imports in the sender's thread do not leave a module half made in a child forked meanwhile."""
    left = app.run(
        """
        inside = threading.Event()
        class Slow:
            def find_spec(self, name, *rest):
                if name == "requests" and threading.current_thread().name == "autoflow-sender":
                    inside.set()
                    time.sleep(0.5)
        sys.meta_path.insert(0, Slow())
        load(1)
        assert inside.wait(20)
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            import requests
            assert requests.Session
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        """
    )
    assert (left.code, left.err) == (0, "")
    assert app.delivered() == [1]


def test_forks_at_any_moment_under_recording_threads(app):  # 14, 15
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
                    signal.alarm(10)
                    load(number)
                    os._exit(0)
                assert os.waitpid(child, 0)[1] == 0
            stop.set()
            for thread in threads:
                thread.join()
            assert autoflow.flush()
        tell(" ".join(str(last[part]) for part in (1, 2, 3, 4)))
        """
    )
    assert (left.code, left.err) == (0, "")
    expected = list(range(1, 61))
    for part, count in enumerate(map(int, left.out.split()), start=1):
        expected += range(part * 1_000_000 + 1, part * 1_000_000 + count + 1)
    assert sorted(app.delivered()) == expected


def test_what_the_parent_had_waiting_is_sent_once(app, platform):  # 15
    """A child forked with records waiting sends its own only, though it flushes and the parent is silent meanwhile."""
    platform.behave(hang)
    process = app.until_pause(
        """
        with autoflow.workflow("parent"):
            for number in range(1, 101):
                load(number)
            child = os.fork()
            if child == 0:
                load(1000)
                pause()
                autoflow.flush(10)
                os._exit(0)
            os.waitpid(child, 0)
            load(101)
            sys.stdin.readline()
        """
    )
    platform.stop()
    platform.behave(well)
    platform.start()
    app.go_on(process)
    left = app.end(process)
    assert (left.code, left.err) == (0, "")
    assert sorted(app.delivered()) == [*range(1, 102), 1000]
    batches = [body["records"] for method, body in platform.requests if method == "autoflow.records.add"]
    tried = [record["key"] for batch in batches for record in batch]
    assert max(tried.count(key) for key in tried) <= 2  # the hung request, and once more


def test_a_killed_parents_journal_is_free_while_its_child_lives(app, platform):  # 16
    """A forked child holds the descriptors of a killed parent's lock, not the lock: another process sends at once."""
    platform.stop()
    process = app.until_pause(
        """
        load(1)
        if os.fork() == 0:
            signal.alarm(60)
            pause()
            load(2)
            tell("recorded")
            signal.pause()
        signal.pause()
        """
    )
    process.kill()
    process.wait()
    platform.start()
    counts = app.sync()
    assert app.delivered() == [1]
    assert counts["waiting"] == 0
    app.go_on(process)  # the child, which goes on recording
    assert process.stdout.readline() == "recorded\n"
    assert platform.wait_for(lambda: len(platform.edges) == 2)
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
            signal.alarm(20)
            for number in range(1001, 1101):
                load(number)
            os._exit(0)
        for number in range(2, 101):
            load(number)
        assert os.waitpid(child, 0)[1] == 0
        """
    )
    assert (left.code, left.err) == (0, "")
    assert sorted(app.delivered()) == [*range(1, 101), *range(1001, 1101)]


CLOSERS = {
    "a daemon's child": "if os.fork(): os._exit(0)\nos.setsid()\nos.closerange(3, 4096)",
    "a daemon in place": "os.closerange(3, 4096)",
    "a loop over the low numbers": "os.closerange(3, 256)",
}


@pytest.mark.parametrize("closer", CLOSERS)
def test_descriptors_closed_under_us(closer, app, platform):  # 18
    """Whoever closes our files, the app's own files opened next hold only what the app wrote, and no record is lost."""
    platform.stop()
    process = app.until_pause(
        "load(1)\n"
        + CLOSERS[closer]
        + """
files = [open(os.path.join(os.environ["AUTOFLOW_HOME"], f"{number}.txt"), "w+") for number in range(50)]
for number in range(2, 102):
    load(number)
for file in files:
    file.write("mine")
    file.flush()
    file.seek(0)
    assert file.read() == "mine"
pause()
for number in range(102, 202):
    load(number)
signal.pause()
"""
    )
    assert sorted(app.kept_projects()) == list(range(1, 102))
    platform.start()
    app.sync()  # another process looks for journals of the dead: the living one is not among them
    app.go_on(process)
    assert platform.wait_for(lambda: len(platform.edges) == 201)
    assert sorted(app.delivered()) == list(range(1, 202))
    assert {path.read_text() for path in app.home.glob("*.txt")} == {"mine"}
