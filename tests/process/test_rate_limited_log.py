"""Lines said at most once a minute."""

from __future__ import annotations

import logging

import pytest

from autoflow.process import rate_limited_log
from autoflow.process.rate_limited_log import RateLimitedLogger

pytestmark = pytest.mark.core


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(rate_limited_log.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, "quiet")
    return RateLimitedLogger(logging.getLogger("quiet"))


def test_a_cause_is_said_once_a_minute_with_what_was_held_back(log, clock, caplog):
    """The next line counts those that were not said; another cause has a minute of its own."""
    for _ in range(50):
        log.debug("one", "it is %s", "so")
    log.info("two", "and this")
    clock[0] += 61
    log.debug("one", "it is %s", "so")
    assert caplog.messages == [
        "autoflow: it is so",
        "autoflow: and this",
        "autoflow: it is so (49 more like it in the last minute)",
    ]


def test_what_is_said_once_is_said_again_when_it_was_over(log, clock, caplog):
    """A state that lasts is one warning; when it comes back, it is news, but no more often than once a minute."""
    for _ in range(3):
        log.once("away", "gone")
        clock[0] += 3600
    assert len(caplog.messages) == 1
    for _ in range(3):
        log.reset()
        log.once("away", "gone")
        clock[0] += 1
    assert len(caplog.messages) == 2
