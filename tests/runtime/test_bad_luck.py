"""Bad luck: the app's result and exception are untouched, and what can be kept is kept."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys

import pytest

from autoflow import current_run, guard, workflow, workflow_input, workflow_output

pytestmark = pytest.mark.core

APP = """
import os, resource, sys
from autoflow import current_run, status, workflow, workflow_input, workflow_output

@workflow_input("project")
@workflow_output("file", value="result.file")
def train(project_id, fail=False):
    if fail:
        raise KeyError("the app's own")
    return {"file": "/a.pt"}

def run():
    assert train(1) == {"file": "/a.pt"}
    try:
        train(2, fail=True)
    except KeyError as error:
        assert error.args == ("the app's own",)
    else:
        raise AssertionError
    print("done")
"""
ALL = [("input", 1), ("output", "/a.pt"), ("input", 2)]


def journal_edges(script, home=None):
    """The edges kept, short."""
    return [(direction, subject) for direction, _, subject, _ in script.edges(home)]


# -- the machine


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_recording_goes_on_when_the_home_is_not_writable(script):
    """Another folder is found."""
    script.home.mkdir(mode=0o500)
    script(APP + "run()")
    assert journal_edges(script, script.folder) == ALL


def test_recording_goes_on_when_the_home_is_a_file(script):
    """The state folder of the user is next."""
    script.home.write_text("in the way")
    assert script(APP + "run()").stdout == "done\n"
    assert journal_edges(script, script.folder / ".local") == ALL


def test_a_home_that_others_may_write_to_is_not_used(script):
    """It is not trusted."""
    script.home.mkdir()
    script.home.chmod(0o777)
    script(APP + "run()")
    assert journal_edges(script) == []
    assert journal_edges(script, script.folder / ".local") == ALL


def test_recording_goes_on_without_a_home(script, tmp_path):
    """HOME unset: the temporary folder."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    script(APP + "run()", HOME=None, AUTOFLOW_HOME=None, TMPDIR=str(temporary))
    assert journal_edges(script, temporary) == ALL


def test_records_stay_in_memory_without_a_writable_folder(script):
    """Records are kept in memory, one warning says so, and they are counted."""
    script.home.write_text("in the way")
    (script.folder / ".local").write_text("in the way")
    process = script(
        APP.replace("import os,", "import tempfile; tempfile.tempdir = '/proc/nowhere'\nimport os,")
        + "run(); print(status()['recorded'] >= 3, status()['dropped'])",
    )
    assert process.stdout == "done\nTrue 0\n"
    assert process.stderr.count("AUTOFLOW_HOME") == 1


def test_recording_goes_on_without_a_temporary_folder(script):
    """Python itself finds none on a full disk."""
    process = script(
        "import tempfile\n"
        "def none(): raise FileNotFoundError('No usable temporary directory')\n"
        "tempfile.gettempdir = none\n" + APP + "run()"
    )
    assert process.stdout == "done\n"
    assert journal_edges(script) == ALL


@pytest.mark.parametrize("limit", [0, 100, 2000])
def test_records_that_do_not_fit_on_the_disk_are_counted_as_dropped(script, limit):
    """Records that fit are in the journal, the others are counted, the app goes on."""
    process = script(
        APP
        + f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        + "run()\nsys.stderr.write(str(status()['dropped']))"
    )
    assert process.stdout == "done\n"
    if limit < 200:
        assert int(re.search(r"^\d+", process.stderr, re.MULTILINE)[0]) > 0  # among the warnings that say so


def test_recording_resumes_when_a_full_disk_is_freed(script):
    """Recording goes on by itself, and the loss stands in the journal."""
    script(
        APP
        + """
train(5)
soft = os.path.getsize([os.path.join(folder, name) for folder, _, names in os.walk(os.environ["AUTOFLOW_HOME"])
                        for name in names if name.endswith(".journal")][0])
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))
train(6)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
train(7)
"""
    )
    assert ("input", 5) in journal_edges(script)
    assert ("input", 6) not in journal_edges(script)
    assert ("input", 7) in journal_edges(script)
    notes = [line for path in script.home.rglob("*.journal") for line in path.read_bytes().splitlines()]
    assert any(b'{"dropped":1}' in line for line in notes)


@pytest.mark.parametrize("home", ["absolute", "relative"])
def test_recording_goes_on_in_a_removed_working_folder(script, home):
    """Relative paths mean nothing then; an absolute home works, else another folder is found."""
    process = script(
        APP + "os.makedirs('gone'); os.chdir('gone'); os.rmdir('../gone')\nrun()",
        AUTOFLOW_HOME=str(script.home) if home == "absolute" else "relative/home",
    )
    assert process.stdout == "done\n"
    assert journal_edges(script, script.folder) == ALL


def test_recording_survives_closed_file_descriptors(script):
    """A daemon closes everything it finds; the next record opens a new file."""
    script(APP + "train(5)\nos.closerange(3, 4096)\nrun()")
    assert journal_edges(script)[-2:] == [("output", "/a.pt"), ("input", 2)] or ("input", 2) in journal_edges(script)
    assert ("input", 1) in journal_edges(script)


def test_the_app_goes_on_without_free_file_descriptors(script):
    """Nothing can be opened; the app goes on."""
    process = script(
        APP
        + """
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, hard))
run()
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
"""
    )
    assert process.stdout == "done\n"


def test_exiting_while_a_thread_records_loses_nothing(script):
    """A daemon thread at work does not disturb the end."""
    process = script(
        APP
        + """
import threading
def busy():
    number = 10
    while True:
        number += 1
        train(number)
threading.Thread(target=busy, daemon=True).start()
run()
"""
    )
    assert process.stdout == "done\n"


# -- what an app hands over


class Hostile:
    """Raises whatever it is asked."""

    def __getattr__(self, name):
        raise RuntimeError(f"no {name}")

    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __format__ = __str__

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    def __bool__(self):
        raise RuntimeError("no truth")

    def __iter__(self):
        raise RuntimeError("no items")

    def __len__(self):
        raise RuntimeError("no length")

    __hash__ = None


@pytest.mark.parametrize(
    "options",
    [
        {"value": "odd"},
        {"value": "odd.id"},
        {"value": "odd[*].id"},
        {"value": "odd[0]"},
        {"value": lambda call: call.odd.id},
        {"value": "project_id", "when": "odd"},
        {"value": "project_id", "when": {"odd": 1}},
    ],
)
def test_hostile_objects_never_reach_the_app(recorded_edges, non_strict, options):
    """An edge that depends on a hostile object is not recorded; the other edge is."""

    @workflow_input("project", **options)
    @workflow_output("dataset")
    def f(project_id, odd):
        return 2

    assert f(1, Hostile()) == 2
    assert recorded_edges() == [("output", "dataset", 2)]


@pytest.mark.parametrize("text", ["{odd}", "{odd!r}", "{odd.name}", "{odd:>3}", lambda call: f"{call.odd}"])
def test_a_hostile_object_in_a_text_is_left_out_of_the_card(captured, non_strict, text):
    """The edge is there, with what else could be said."""

    @workflow_input("project", title=text, description="of {project_id}")
    def f(project_id, odd):
        return 2

    assert f(1, Hostile()) == 2
    (edge,) = captured.edges
    assert (edge.id, edge.card) == (1, {"description": "of 1"})
    assert current_run().failures


def test_a_hostile_result_or_parameter_does_not_reach_the_app(captured, non_strict):
    """They come back the very object."""
    odd = Hostile()
    assert workflow_output("project")(lambda: odd)() is odd
    with workflow("Train", parameters={"odd": odd, "list": [odd]}) as run:
        run.input("project", 1)
    assert len(captured.edges) == 1


@pytest.mark.parametrize(
    "title",
    [
        float("nan"),
        float("inf"),
        "\ud800",
        "\x00\x1b[2J",
        "\u202eevil",
        b"\xff",
        10**5000,
        "x" * (50 << 20),
        object(),
        {1: {2}},
        lambda: None,
    ],
    ids=["nan", "inf", "surrogate", "control", "rtl", "bytes", "huge", "50MB", "object", "mapping", "function"],
)
def test_titles_of_odd_values_are_recorded(captured, non_strict, title):
    """Whatever a title comes to, the edge is kept."""

    @workflow_input("project", title="{title}")
    def f(project_id, title):
        return title

    assert f(1, title) is title
    assert [edge.id for edge in captured.edges] == [1]


def test_arguments_are_never_copied_or_pickled(captured):
    """They are never copied or pickled: only what is named is read."""
    import threading

    lock = threading.Lock()

    @workflow_input("project")
    def f(project_id, lock, make):
        return lock

    assert f(1, lock, lambda: None) is lock
    assert [edge.id for edge in captured.edges] == [1]


def test_ids_of_any_size_are_recorded(captured, non_strict):
    """They are kept as they are."""
    workflow_input("project")(lambda project_id: None)(2**200)
    assert [edge.id for edge in captured.edges] == [2**200]


# -- deep down


def _with_room(room, call):
    """Call with so many frames left before the recursion limit; None when even that is too deep."""
    frame, depth, limit = sys._getframe(), 0, sys.getrecursionlimit()
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    try:
        sys.setrecursionlimit(depth + room)
        return call()
    except RecursionError:
        return None
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize("path", ["project_id", "state.project"])
def test_near_the_recursion_limit_the_function_is_still_called(captured, non_strict, path):
    """Our own lack of room is never the app's: where a closure in two layers has room, so has the decorator."""
    slack = 1  # what a call through C counts for differs from Python to Python

    def plain(project_id, state):
        return project_id

    def inner(*args):
        return plain(*args)

    def outer(*args):
        return inner(*args)

    decorated = workflow_output("project")(workflow_input("project", value=path)(plain))
    decorated(1, {"project": 1})
    room = next(room for room in range(200) if _with_room(room, lambda: outer(1, {})))
    for more in range(60):
        assert _with_room(room + slack + more, lambda more=more: decorated(1, {"project": more})) == 1


def test_endless_recursion_is_the_apps_own_error(non_strict):
    """The RecursionError it would have had."""

    @workflow_input("project")
    def forever(project_id):
        return forever(project_id + 1)

    with pytest.raises(RecursionError):
        forever(1)


# -- tasks


def test_many_cancelled_tasks_leave_no_outputs_and_all_inputs(recorded_edges):
    """Each body is told, and none records a result."""

    @workflow_input("project")
    @workflow_output("dataset")
    async def load(project_id):
        await asyncio.Event().wait()
        return project_id

    async def main():
        tasks = [asyncio.create_task(load(number)) for number in range(1, 21)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)

    asyncio.run(main())
    assert recorded_edges() == [("input", "project", number) for number in range(1, 21)]


# -- the guard itself


def _fail(*arguments):
    raise OSError("our own")


def test_a_failure_of_autoflow_is_logged_once_with_its_traceback(monkeypatch, non_strict, captured, caplog):
    """And is kept in the run's failures."""
    monkeypatch.setattr("autoflow.runtime.edge_spec.resolve_entity", _fail)
    with caplog.at_level(logging.DEBUG, logger="autoflow"):
        assert workflow_input("project", title="{project_id}")(lambda project_id: project_id)("3") == "3"
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.levelno == logging.DEBUG
    assert "our own" in str(record.exc_info[1])
    assert [str(failure) for failure in current_run().failures] == ["our own"]


def test_strict_lets_our_failures_through(monkeypatch, captured):
    """`AUTOFLOW_STRICT=1`, for tests of autoflow."""
    monkeypatch.setattr("autoflow.runtime.edge_spec.resolve_entity", _fail)
    with pytest.raises(OSError, match="our own"):
        workflow_input("project", title="{project_id}")(lambda project_id: None)("3")
    with pytest.raises(OSError, match="our own"):
        current_run().input("project", "3")


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def test_the_guard_passes_keyboard_interrupts(non_strict, kind):
    """A signal that arrives while we record is the app's."""
    with pytest.raises(kind), guard.guard:
        raise kind


def test_a_log_handler_that_raises_loses_no_record(monkeypatch, non_strict, captured):
    """Logging a swallowed failure may fail too."""

    class Bad(logging.Handler):
        def emit(self, record):
            raise RuntimeError("no log")

    handler = Bad()
    logger = logging.getLogger("autoflow")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        assert workflow_input("project", title=lambda call: 1 / 0)(lambda project_id: 3)(3) == 3
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    assert [edge.id for edge in captured.edges] == [3]
