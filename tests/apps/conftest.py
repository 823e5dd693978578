"""A case: the world an app runs in, and what its author is given there."""

from __future__ import annotations

import functools

import pytest

from tests.apps.assertions import WORLD
from tests.apps.case import opened


@pytest.fixture
def open_case(monkeypatch):
    """Open one of the cases of `tests/data/apps`, or one made up by the test."""
    return functools.partial(opened, monkeypatch)


@pytest.fixture
def case(open_case):
    """The world of `seen`, for a test that writes its own app."""
    with open_case({"task_id": "52345", "team_id": 9, "world": WORLD}) as opened_case:
        yield opened_case
