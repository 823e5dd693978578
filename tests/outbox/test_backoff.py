"""When to try again."""

from __future__ import annotations

import email.utils
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.outbox.backoff import FIRST_SECONDS, LONGEST_SECONDS, OPENS_AFTER, Backoff
from autoflow.wire.retry import retry_after

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("2", 2.0),
        (" 2.5 ", 2.5),
        ("-5", 0.0),
        ("1e9", 300.0),
        ("inf", 300.0),
        ("nan", None),
        ("abc", None),
        ("", None),
        (email.utils.formatdate(1_000_060, usegmt=True), 60.0),
        (email.utils.formatdate(999_000, usegmt=True), 0.0),
    ],
)
def test_retry_after_is_read_in_all_its_forms(header, seconds):
    """Seconds, dates and nonsense give a wait between nothing and five minutes, or none."""
    assert retry_after(header, now=1_000_000) == seconds


@given(st.integers(0, 40))
def test_delays_grow_and_stay_bounded(failures):
    """A delay is between zero and the step, which doubles up to a minute."""
    backoff = Backoff()
    for _ in range(failures):
        backoff.failed()
    step = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** max(0, failures - 1))
    assert 0 <= backoff.wait() <= max(step, LONGEST_SECONDS / 12)
    assert backoff.open is (failures >= OPENS_AFTER)


def test_retry_after_is_a_lower_bound():
    """A server is not tried before its Retry-After."""
    backoff = Backoff()
    backoff.failed(7.0)
    assert backoff.wait() > 6.5


def test_an_urgent_try_respects_only_retry_after():
    """A flush overrides the backoff, but not the Retry-After."""
    backoff = Backoff()
    backoff.failed(pause=30)
    assert backoff.wait() > 29
    assert backoff.wait(urgent=True) == 0
    backoff.failed(7.0)
    assert 6.5 < backoff.wait(urgent=True) <= 7


def test_success_resets_the_failures():
    """One success closes the circuit."""
    backoff = Backoff()
    for _ in range(OPENS_AFTER):
        backoff.failed()
    backoff.succeeded()
    assert not backoff.open
    assert backoff.wait() == 0


def test_an_apps_random_numbers_stay_those_of_its_seed():
    """Its generator is the app's alone: the sender fails at any time, between any two numbers."""
    before = random.getstate()
    backoff = Backoff()
    backoff.failed()
    backoff.failed(2.0, pause=1.0)
    assert random.getstate() == before
