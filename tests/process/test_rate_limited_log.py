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


def test_a_cause_is_logged_once_a_minute_with_the_number_suppressed(log, clock, caplog):
    """The next line counts the suppressed ones; another cause has its own minute."""
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


def test_once_logs_again_after_a_reset(log, clock, caplog):
    """A lasting condition is one warning; when it returns it is logged again, at most once a minute."""
    for _ in range(3):
        log.once("away", "gone")
        clock[0] += 3600
    assert len(caplog.messages) == 1
    for _ in range(3):
        log.reset()
        log.once("away", "gone")
        clock[0] += 1
    assert len(caplog.messages) == 2
