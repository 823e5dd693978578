"""Records that could not be written are logged and counted; a removed folder loses none."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from pathlib import Path

import pytest

import autoflow
from autoflow.outbox import home, journal
from autoflow.outbox.status import of_folder
from tests.census import census_of
from tests.reliability.kit import counts, ids, load

pytestmark = [pytest.mark.core, pytest.mark.slow]

LOST = "is lost"


def lost_lines(caplog):
    return [record.getMessage() for record in caplog.records if LOST in record.getMessage()]


@pytest.fixture
def full(monkeypatch):
    """Make each write of a record fail while the block runs: a look-alike of a full disk."""

    @contextlib.contextmanager
    def do():
        with monkeypatch.context() as patch:
            patch.setattr(journal, "write", lambda descriptor, line: 0)
            yield

    return do


# -- counted, for ever


@pytest.mark.parametrize("end", ["pass", "os._exit(0)", "os.kill(os.getpid(), 9)"], ids=["exit", "_exit", "kill"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_drops_are_counted_though_the_process_ends_on_a_full_disk(end, small_disk):
    """Every call of a process is accounted for by its files: recorded, or dropped, however the process ended."""
    output = small_disk(
        f"""
        child = os.fork()
        if not child:
            os.environ["AUTOFLOW_SERVER"] = "http://127.0.0.1:9"
            run = autoflow.workflow("w", log=False)
            run.__enter__()
            load(1)
            autoflow.flush(0.2)
            for number in range(2, 5002):
                load(number)
            {end}
            os._exit(0)
        os.waitpid(child, 0)
        edges = sum(content.count(b'"type":"edge"') for content in contents())
        found = look()
        print(json.dumps([edges, found]))
        """.replace(
            "child = os.fork()",
            "import glob\n        contents = lambda: [open(name, 'rb').read() for name in "
            'glob.glob(home + "/outbox/*/*.journal")]\n        child = os.fork()',
        )
    )
    edges, reported = output
    assert reported["dropped"] >= 1000
    assert edges + reported["dropped"] >= 5001
    assert reported["recorded"] + reported["dropped"] <= 5001 + 20  # with the run's own records


def test_a_drop_is_logged_at_once_and_flush_returns_false_once(server, towards, full, caplog):
    """One warning with the remedy, the others counted; a flush after the loss says so, the next is about what waits."""
    towards(server)
    with autoflow.workflow("w", log=False):
        load(1)
        assert autoflow.flush(60)
        with full():
            for number in range(2, 12):
                load(number)
            (line,) = lost_lines(caplog)
            assert "AUTOFLOW_HOME" in line
            assert counts()["dropped"] == 10
        assert not autoflow.flush(60)
        assert autoflow.flush(60)
        assert counts()["dropped"] == 10
    assert ids(server) == [1]


def test_drops_are_counted_in_files_at_once(server, towards, full):
    """Another process sees the drop before its note is written, and after; it is counted once."""
    towards(server)
    server.stop()
    with autoflow.workflow("w", log=False):
        load(1)
        autoflow.flush(60)
        folder = home.outbox_of(server.address)
        with full():
            load(2)
            assert of_folder(folder)["dropped"] == census_of(Path(home.find())).dropped == 1
        load(3)
        assert of_folder(folder)["dropped"] == census_of(Path(home.find())).dropped == 1
        with full():
            load(4)
        assert of_folder(folder)["dropped"] == census_of(Path(home.find())).dropped == 2
    server.start()
    autoflow.flush(60)
    assert of_folder(folder)["dropped"] == 2


def test_lost_records_are_reported_at_exit(app, server):
    """Lost records are logged once more at exit, where the log of a batch job ends."""
    left = app.run(
        """
        from autoflow.outbox import journal
        load(1)
        assert autoflow.flush(60)
        write, journal.write = journal.write, lambda descriptor, line: 0
        for number in range(2, 9):
            load(number)
        journal.write = write
        """
    )
    assert left.code == 0
    assert "7 records of this process could not be written and are lost" in left.err
    assert app.sync()["dropped"] == 7


def test_the_warning_of_an_outage_does_not_promise_too_much(server, towards, caplog):
    """The warning says that records wait, not that nothing can be lost."""
    towards(server)
    server.stop()
    with autoflow.workflow("w"):
        load(1)
        for _ in range(6):
            autoflow.flush(60)
    assert any("wait in the outbox" in message for message in caplog.messages)
    assert "nothing is lost" not in caplog.text


# -- the folder is removed


@pytest.mark.parametrize("away", [False, True], ids=["server up", "server away"])
def test_removing_the_home_while_running_loses_nothing(away, server, towards, caplog):
    """Records written into the removed file are read from its descriptor and go on in a new one, in order."""
    towards(server)
    if away:
        server.stop()
    with autoflow.workflow("w", log=False):
        for number in range(1, 601):
            if number in {200, 400}:
                autoflow.flush(5)
            if number in {210, 410}:
                shutil.rmtree(home.find())
            load(number)
        if away:
            server.start()
        while not autoflow.flush(60):
            pass
        assert ids(server) == list(range(1, 601))
        totals = counts()
        assert totals["waiting"] == totals["dead"] == totals["dropped"] == 0
        assert totals["recorded"] == totals["sent"] >= 600
        assert any("was removed" in message for message in caplog.messages)


def test_a_removed_home_is_created_again_at_exit(app, server):
    """The process leaves without another flush: what it wrote into the removed file is in the new one."""
    server.stop()
    left = app.run(
        """
        import shutil
        for number in range(1, 101):
            load(number)
            while number == 50 and os.path.exists(os.environ["AUTOFLOW_HOME"]):  # the sender's thread may write there
                shutil.rmtree(os.environ["AUTOFLOW_HOME"], ignore_errors=True)
        """,
        AUTOFLOW_EXIT_FLUSH="0",
    )
    assert left.code == 0
    assert app.kept_projects() == list(range(1, 101))
    server.start()
    assert app.sync()["waiting"] == 0
    assert app.delivered() == list(range(1, 101))


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("chattr"), reason="the superuser may write anywhere")
def test_a_home_that_cannot_be_created_again_is_reported(server, towards, caplog, tmp_path, monkeypatch):
    """While the folder cannot be made the flush is false; when it can, everything arrives."""
    towards(server)
    caplog.set_level(logging.WARNING)
    where = tmp_path / "parent" / "home"
    monkeypatch.setenv("AUTOFLOW_HOME", str(where))
    with autoflow.workflow("w", log=False):
        load(1)
        assert autoflow.flush(60)
        shutil.rmtree(where.parent)
        where.parent.write_text("a file in the way")
        load(2)
        assert not autoflow.flush(5)
        where.parent.unlink()
        while not autoflow.flush(60):
            pass
    assert ids(server) == [1, 2]
