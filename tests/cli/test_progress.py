"""Progress of long commands."""

from __future__ import annotations

import io

import pytest

from autoflow.cli import progress
from autoflow.cli.progress import Progress

pytestmark = pytest.mark.core


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test advances."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_on_a_terminal_one_line_is_updated(clock):
    """It is cleared at the end."""
    stream = Terminal()
    with Progress(stream=stream) as line:
        line("version:1", 500, 1000)
        line("version:1", 501, 1000)  # too early for an update
        clock[0] += 1
        line("version:1", 1000)
    first, second, blank, end = stream.getvalue().split("\r")[1:]
    assert first == "version:1   50%  500 of 1,000"
    assert second.rstrip() == "version:1  1,000"
    assert len(second) == len(first)
    assert not blank.strip()
    assert end == ""


def test_elsewhere_lines_are_printed_from_time_to_time(clock):
    """Not for every step, and not at all for short commands."""
    stream = io.StringIO()
    with Progress(stream=stream) as line:
        for step in range(25):
            line("version:1", step, 25)
            clock[0] += 1
    assert stream.getvalue().splitlines() == ["version:1   40%  10 of 25", "version:1   80%  20 of 25"]


def test_quiet_and_escaped_output(clock):
    """Nothing is printed if quiet; control characters in labels are escaped."""
    stream = Terminal()
    Progress(quiet=True, stream=stream)("x", 1, 2)
    assert stream.getvalue() == ""
    Progress(stream=stream)("\x1b[31mred", 1, 2)
    assert "\x1b" not in stream.getvalue()
