"""A line of progress: written over on a terminal, now and then elsewhere, and never more than is asked for."""

from __future__ import annotations

import io

import pytest

from autoflow.cli import progress
from autoflow.cli.progress import Progress

pytestmark = pytest.mark.core


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that is turned by hand."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_on_a_terminal_one_line_is_written_over(clock):
    """And it is gone at the end, so that the answer stands alone."""
    stream = Terminal()
    with Progress(stream=stream) as line:
        line("version:1", 500, 1000)
        line("version:1", 501, 1000)  # too soon to be read
        clock[0] += 1
        line("version:1", 1000)
    first, second, blank, end = stream.getvalue().split("\r")[1:]
    assert first == "version:1   50%  500 of 1,000"
    assert second.rstrip() == "version:1  1,000"
    assert len(second) == len(first)
    assert not blank.strip()
    assert end == ""


def test_elsewhere_a_line_now_and_then(clock):
    """A log is not filled with every step, and short work says nothing."""
    stream = io.StringIO()
    with Progress(stream=stream) as line:
        for step in range(25):
            line("version:1", step, 25)
            clock[0] += 1
    assert stream.getvalue().splitlines() == ["version:1   40%  10 of 25", "version:1   80%  20 of 25"]


def test_a_program_is_told_nothing(clock):
    """Nor is a name taken for more than text."""
    stream = Terminal()
    Progress(quiet=True, stream=stream)("x", 1, 2)
    assert stream.getvalue() == ""
    Progress(stream=stream)("\x1b[31mred", 1, 2)
    assert "\x1b" not in stream.getvalue()
