"""Words on cards."""

from __future__ import annotations

import unicodedata
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.graph.graph import Card
from autoflow.graph.render.labels import card_title, display_width, format_time, is_server_url, printable

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("2026-08-24T11:15:00Z", "24 Aug 2026, 11:15"),
        ("2026-08-24T11:15:00.123Z", "24 Aug 2026, 11:15"),
        ("2026-08-24T11:15:00+03:00", "24 Aug 2026, 08:15"),
        ("2026-08-24T11:15:00", "24 Aug 2026, 11:15"),
        ("0001-01-01T00:00:00+14:00", ""),
        ("yesterday", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_times_are_shown_as_day_and_time(at: str | None, shown: str) -> None:
    """Any ISO time is parsed, as UTC if it has no zone; a malformed one is left out."""
    assert format_time(at) == shown


def test_times_are_in_the_readers_zone() -> None:
    """Over midnight too."""
    assert format_time("2026-08-31T23:15:00Z", timezone(timedelta(hours=2))) == "1 Sep 2026, 01:15"


def test_a_customised_title_keeps_the_name() -> None:
    """A weight file titled Checkpoints still shows its name; a run has its title alone."""
    assert card_title(Card("f", "file", 1, "best.pt", "Checkpoints")) == "Checkpoints (best.pt)"
    assert card_title(Card("f", "file", 1, "best.pt", "Archive:\n best.pt")) == "Archive: best.pt"
    assert card_title(Card("t", "task", 1, "Train", "Training of digits")) == "Training of digits"


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://flow.example", True),
        ("http://127.0.0.1:8765/flow", True),
        ("ftp://flow.example", False),
        ("https://user@flow.example", False),
        ("https://flow.example?x", False),
        ("https://flow.example\n", False),
        ("https://", False),
    ],
)
def test_urls_of_servers(url: str, good: bool) -> None:
    """A link may begin with http or https, a host and a path only."""
    assert is_server_url(url) is good


@given(st.text())
def test_printable_text_is_one_line_without_controls(text: str) -> None:
    """The result has no control, format or surrogate character and can be encoded."""
    shown = printable(text)
    assert not [sign for sign in shown if unicodedata.category(sign)[0] == "C"]
    assert len(shown.splitlines()) <= 1
    shown.encode()


def test_width_counts_columns() -> None:
    """Wide characters take two columns, accents none."""
    assert [display_width("ab"), display_width("日本"), display_width("e\u0301")] == [2, 4, 1]
