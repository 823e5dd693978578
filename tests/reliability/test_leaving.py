"""Records made while the interpreter exits, and the effect of the exit on autoflow's threads.

Numbers in comments are the scenarios of docs/reliability.md.
"""

from __future__ import annotations

import pytest

from autoflow.testing import hang
from tests.reliability.processes import PATIENT, PRELUDE, STALLED

pytestmark = [pytest.mark.core, pytest.mark.slow]

# nothing may be started once main has ended: said on stderr if it is
NO_STARTS = """
exec('''
import sys, threading
begin = threading.Thread.start
def start(thread):
    if threading.current_thread() is threading.main_thread() and not threading.main_thread().is_alive():
        print("started", thread.name, "at exit", file=sys.stderr)
    begin(thread)
threading.Thread.start = start
''', {})
"""

EARLY = """
import atexit, sys
recorded = []
def late(number):
    load(number)
    recorded.append(number)
atexit.register(late, 11)  # before autoflow is imported: runs after what autoflow registers
"""

LATE = """
class Thing:
    def __init__(self, number):
        self.number = number
        self.load = load
    def __del__(self):
        self.load(self.number)
thing = Thing(12)
sys.modules["builtins"].kept_to_the_very_end = Thing(13)
"""


@pytest.mark.timing
@pytest.mark.parametrize("first", [True, False], ids=["the-first-records", "after-others"])
@pytest.mark.parametrize("behaviour", [None, hang], ids=["up", "silent"])
def test_exit_callbacks_and_finalisers_may_record(first, behaviour, app, server):  # 7
    """Callbacks that run after ours and `__del__` at the very end: no traceback, no thread, no wait, all kept."""
    if behaviour is not None:
        server.behave(behaviour)
    left = app.run(
        ("" if first else "load(10)\n") + LATE + "atexit.register(late, 14)\ndone()",
        prelude=EARLY + PRELUDE + NO_STARTS,
    )
    assert (left.code, left.err) == (0, "")
    assert left.exit_seconds < STALLED
    assert sorted({*app.kept_projects(), *app.delivered()}) == ([] if first else [10]) + [11, 12, 13, 14]
    server.stop()
    server.start()
    server.behave(lambda exchange: exchange.reply(*exchange.apply()))
    app.sync()
    assert sorted(app.delivered()) == ([] if first else [10]) + [11, 12, 13, 14]


def test_delivery_does_not_need_concurrent_futures(app):  # 8
    """concurrent.futures ends before exit callbacks run, whoever imported it first; delivery does not need it."""
    left = app.run(
        """
        load(2)
        done()
        """,
        prelude="import concurrent.futures.thread\nconcurrent.futures.ThreadPoolExecutor().submit(int).result()\n"
        + PRELUDE
        + NO_STARTS
        + "load(1)\n",
        **PATIENT,
    )
    assert (left.code, left.err) == (0, "")
    assert app.delivered() == [1, 2]


WAYS_TO_OUTLIVE = {
    "thread": """
        def work():
            threading.main_thread().join()
            record()
        threading.Thread(target=work).start()
        """,
    "pool": """
        import concurrent.futures.thread as pool
        def work():
            while not pool._shutdown:
                time.sleep(0.01)
            record()
        pool.ThreadPoolExecutor().submit(work)
        """,
}


@pytest.mark.parametrize("way", WAYS_TO_OUTLIVE)
@pytest.mark.parametrize("first", [True, False], ids=["the-first-records", "after-others"])
def test_records_of_threads_that_outlive_main_are_delivered(way, first, app):  # 8
    """An app's thread goes on when main has ended, where Python may start no thread any more: all arrives at exit."""
    left = app.run(
        WAYS_TO_OUTLIVE[way],
        prelude=PRELUDE
        + "def record():\n    for number in range(2, 102): load(number)\n"
        + ("" if first else "load(1)\nassert autoflow.flush(60)\n"),
        **PATIENT,
    )
    assert (left.code, left.err) == (0, "")
    assert app.delivered() == list(range(2 if first else 1, 102))


@pytest.mark.timing
@pytest.mark.parametrize("behaviour", [None, hang], ids=["up", "silent"])
def test_an_exit_without_any_thread_ends_in_time(behaviour, app, server):  # 8
    """Where the system has no thread to give, an exit sends by itself, within the promised time."""
    if behaviour is not None:
        server.behave(behaviour)
    left = app.run(
        """
        def start(thread):
            raise RuntimeError("can't start new thread")
        threading.Thread.start = start
        for number in range(1, 101):
            load(number)
        done()
        """,
        **(PATIENT if behaviour is None else {}),
    )
    assert (left.code, left.err) == (0, "")
    assert left.exit_seconds < STALLED
    assert app.kept_projects() == list(range(1, 101))
    assert app.delivered() == ([] if behaviour is not None else list(range(1, 101)))


# -- notebooks


def test_a_restarted_kernel_sends_what_the_last_one_left(app, server):  # 11
    """Restarting a kernel is a SIGKILL; the next kernel's first cell delivers the rest."""
    server.behave(hang)
    kernel = app.until_pause("load(1)\npause()\nload(2)\npause()")
    app.go_on(kernel)
    app.await_pause(kernel)
    kernel.kill()
    kernel.wait()
    server.stop()
    server.start()
    server.behave(lambda exchange: exchange.reply(*exchange.apply()))
    next_kernel = app.until_pause("load(3)\npause()")
    assert server.wait_for(lambda: len(server.edges) == 3)
    assert sorted(app.delivered()) == [1, 2, 3]
    next_kernel.kill()


def test_a_cell_run_again_does_not_record_twice(app):  # 11
    """Re-running a cell: one sender thread, one edge an entity and run, whichever definition was called."""
    left = app.run(
        '''
        cell = """
        @autoflow.workflow_input("project")
        def read(project_id):
            return project_id
        read = autoflow.workflow_input("project")(read)  # a second cell decorates it once more
        read(1)
        """
        import textwrap
        with autoflow.workflow("notebook"):
            for again in range(5):
                exec(textwrap.dedent(cell), globals())
                assert autoflow.flush(60)
            read(2)
        tell([thread.name for thread in threading.enumerate()].count("autoflow-sender"))
        '''
    )
    assert (left.code, left.err, left.out) == (0, "", "1\n")
    assert app.delivered() == [1, 2]


def test_a_reloaded_module_records_by_its_new_code(app, tmp_path):  # 11
    """What %autoreload does (reload, then new code into old functions): the caller's old name keeps working."""
    left = app.run(
        '''
        import importlib
        from types import FunctionType
        sys.path.insert(0, FOLDER)
        text = """
        import autoflow
        @autoflow.workflow_input("project")
        def read(project_id):
            return project_id * FACTOR
        """
        def write(factor):
            import textwrap
            with open(os.path.join(FOLDER, "reloaded.py"), "w") as file:
                file.write(textwrap.dedent(text).replace("FACTOR", factor))
        sys.dont_write_bytecode = True
        write("1")
        import reloaded
        from reloaded import read as old
        with autoflow.workflow("notebook"):
            assert old(1) == 1
            write("1000")
            importlib.invalidate_caches()
            importlib.reload(reloaded)
            assert isinstance(old, FunctionType)  # so autoreload updates it in place, part by part
            for part in ("__code__", "__defaults__", "__doc__", "__closure__", "__globals__", "__dict__"):
                try:
                    setattr(old, part, getattr(reloaded.read, part))
                except (AttributeError, TypeError, ValueError):
                    pass
            assert old(2) == 2000
            assert reloaded.read(3) == 3000
            assert autoflow.flush(60)
        tell([thread.name for thread in threading.enumerate()].count("autoflow-sender"))
        '''.replace("FOLDER", repr(str(tmp_path)))
    )
    assert (left.code, left.err, left.out) == (0, "", "1\n")
    assert app.delivered() == [1, 2, 3]


# -- durability

COUNTED = """
synced = []
sync = os.fdatasync
def fdatasync(descriptor):
    synced.append(threading.current_thread().name)
    sync(descriptor)
os.fdatasync = fdatasync
"""


@pytest.mark.parametrize(("mode", "least", "most"), [("process", 0, 0), ("sync", 100, 110), ("nonsense", 0, 0)])
def test_syncs_for_each_record(mode, least, most, app):
    """AUTOFLOW_DURABILITY: none by default; with ``sync`` one a record, on the caller's thread."""
    left = app.run(
        COUNTED + "for number in range(1, 101): load(number)\ntell(synced.count('MainThread'))",
        AUTOFLOW_DURABILITY=mode,
        AUTOFLOW_EXIT_FLUSH="0",
    )
    assert left.code == 0, left.err
    assert least <= int(left.out) <= most


def test_interval_syncs_while_the_server_hangs(app, server):
    """AUTOFLOW_DURABILITY=interval: the journal is synced every second, off the caller's thread."""
    server.behave(hang)
    left = app.run(
        COUNTED
        + """
load(1)
while not synced:
    time.sleep(0.01)
load(2)
count = len(synced)
while len(synced) == count:
    time.sleep(0.01)
assert set(synced) == {"autoflow-sync"}, synced
load(3)
""",
        AUTOFLOW_DURABILITY="interval",
        AUTOFLOW_EXIT_FLUSH="0",
    )
    assert (left.code, left.err) == (0, "")


@pytest.mark.parametrize("mode", ["sync", "interval"])
def test_rotated_segments_and_exits_are_synced(mode, app, server):
    """A rotation syncs the old file, the new one and the folder."""
    server.stop()
    left = app.run(
        """
        import stat
        last = {}  # file -> its size when last synced
        folders = 0
        def note(descriptor, call):
            global folders
            found = os.fstat(descriptor)
            folders += stat.S_ISDIR(found.st_mode)
            last[found.st_ino] = max(found.st_size, last.get(found.st_ino, 0))
            call(descriptor)
        fdatasync, fsync = os.fdatasync, os.fsync
        os.fdatasync = lambda descriptor: note(descriptor, fdatasync)
        os.fsync = lambda descriptor: note(descriptor, fsync)
        from autoflow.outbox import journal, outbox
        journal.SEGMENT_BYTES = 2000
        for number in range(1, 101):
            load(number)
        autoflow.flush(30)  # what the sender's thread records of the run is written by then
        outbox.flush_at_exit()
        import glob
        files = glob.glob(os.environ["AUTOFLOW_HOME"] + "/outbox/*/*.journal")
        assert len(files) > 5
        assert folders >= len(files)
        for file in files:
            found = os.stat(file)
            assert last[found.st_ino] == found.st_size, file
        """,
        AUTOFLOW_DURABILITY=mode,
        AUTOFLOW_EXIT_FLUSH="0",
    )
    assert (left.code, left.err) == (0, "")
