"""Ctrl+C ends the process by the signal, whatever the sender does; a second one ends the exit flush silently."""

from __future__ import annotations

import os
import signal
import time

import pytest

from autoflow.testing import hang

SCRIPT = """
import warnings
load(1)
time.sleep({delay})
pause_once = print("here", flush=True)
time.sleep(60)
"""


def interrupt(app, delay, *, again=None, **environment):
    """Interrupt a script, and once more after some seconds; how it ended."""
    process = app.start(SCRIPT.format(delay=delay), **environment)
    app.await_pause(process)
    process.send_signal(signal.SIGINT)
    if again is not None:
        time.sleep(again)
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    return process.returncode, err


@pytest.mark.timing
@pytest.mark.parametrize("delay", [0, 0.1, 0.3, 3])
def test_the_exit_status_of_an_interrupt_is_kept_beside_the_embedded_server(delay, app):
    """Importing the server executes text, after which Python would end with status 1 instead of by the signal."""
    pytest.importorskip("sqlalchemy", reason="the embedded server needs its extra")
    code, err = interrupt(app, delay, AUTOFLOW_SERVER="embedded")
    assert code == -signal.SIGINT
    assert "autoflow/" not in err


@pytest.mark.core
def test_the_exit_status_of_an_interrupt_is_kept(app):
    """The same with a server over HTTP."""
    code, err = interrupt(app, 0)
    assert code == -signal.SIGINT
    assert "autoflow/" not in err


@pytest.mark.core
@pytest.mark.timing
@pytest.mark.parametrize("again", [0, 0.2, 0.6])
def test_a_second_interrupt_ends_the_wait_without_a_traceback_of_autoflow(again, app, server):
    """Main's own traceback is printed; the exit that was waiting for a silent server prints none."""
    server.behave(hang)
    code, err = interrupt(app, 0.1, again=again)
    assert code == -signal.SIGINT
    if again:  # a second one at once may interrupt the printing of main's traceback
        assert "KeyboardInterrupt" in err
    assert "autoflow" not in err.replace(os.fspath(app.folder), "")
    assert app.kept_projects() == [1]


@pytest.mark.timing
def test_an_exit_does_not_open_the_embedded_server(app):
    """Nothing is imported or opened at exit that was not before; the next process delivers the records."""
    pytest.importorskip("sqlalchemy", reason="the embedded server needs its extra")
    left = app.run(
        """
        from autoflow.process import threads
        start, threads.start = threads.start, lambda target, name: None  # as if it had not come to it yet
        load(1)
        threads.start = start
        import atexit
        atexit.register(lambda: tell("sqlalchemy" in sys.modules))
        import autoflow.outbox.outbox as outbox
        atexit.unregister(outbox.flush_at_exit)
        atexit.register(lambda: (outbox.flush_at_exit(), tell("sqlalchemy" in sys.modules)))
        """,
        AUTOFLOW_SERVER="embedded",
        SERVER_ADDRESS="http://instance.example",
    )
    assert (left.code, left.err) == (0, "")
    assert left.out.split() == ["False", "False"]
    assert app.sync()["waiting"] == 0
