"""Dead letters: kept with the reason until purged."""

from __future__ import annotations

import os
import time

import pytest

from autoflow.outbox import deadletters

pytestmark = pytest.mark.core


def keys(folder):
    return [letter["key"] for letter in deadletters.letters(folder)]


def test_letters_keep_the_record_and_the_reason(folder):
    """What was refused, and in the server's words why."""
    deadletters.bury(folder, "j:1", {"type": "edge"}, "400: no")
    (letter,) = deadletters.letters(folder)
    assert (letter["key"], letter["record"], letter["reason"]) == ("j:1", {"type": "edge"}, "400: no")
    assert abs(letter["at"] - time.time_ns()) < 60 * 10**9
    assert os.stat(os.path.join(folder, deadletters.FILE)).st_mode & 0o777 == 0o600


def test_a_letter_written_twice_is_one(folder):
    """Who died between writing a letter and noting so writes it again."""
    for key in ("j:1", "j:2", "j:1"):
        deadletters.bury(folder, key, None, "r")
    assert keys(folder) == ["j:1", "j:2"]
    assert deadletters.purge(folder, time.time_ns()) == 2
    assert deadletters.purged(folder) == 2


def test_a_letter_cut_short_costs_itself_only(folder, monkeypatch):
    """On a full disk a letter is an error, and the next one is whole."""
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:20]))
        with pytest.raises(OSError, match="whole"):
            deadletters.bury(folder, "j:1", None, "r")
    deadletters.bury(folder, "j:2", None, "r")
    assert keys(folder) == ["j:2"]


def test_purging_by_age_keeps_the_younger(folder):
    """Only letters from before the moment go; the count of those gone grows."""
    deadletters.bury(folder, "j:1", None, "r")
    moment = time.time_ns()
    deadletters.bury(folder, "j:2", None, "r")
    assert deadletters.purge(folder, moment) == 1
    assert keys(folder) == ["j:2"]
    assert deadletters.purge(folder, moment) == 0
    deadletters.bury(folder, "j:3", None, "r")
    assert deadletters.purge(folder, time.time_ns()) == 2
    assert deadletters.purged(folder) == 3
    assert keys(folder) == []


def test_nothing_is_there_at_first(folder):
    """No letters, none purged, and nothing is made by asking."""
    assert keys(folder) == []
    assert deadletters.purged(folder) == 0
    assert os.listdir(folder) == []
