"""Dead letters: kept with the reason until purged."""

from __future__ import annotations

import json
import os
import time

import pytest

from autoflow.outbox import dead_letters, frame
from autoflow.outbox.journal_files import journals, segment_path

pytestmark = pytest.mark.core


def keys(folder):
    return [letter["key"] for letter in dead_letters.iter_dead_letters(folder)]


def test_letters_keep_the_record_and_the_reason(folder):
    """A dead letter holds the record and the server's reason."""
    dead_letters.append(folder, "j:1", {"type": "edge"}, "400: no")
    (letter,) = dead_letters.iter_dead_letters(folder)
    assert (letter["key"], letter["record"], letter["reason"]) == ("j:1", {"type": "edge"}, "400: no")
    assert abs(letter["at"] - time.time_ns()) < 60 * 10**9
    assert os.stat(os.path.join(folder, dead_letters.FILE)).st_mode & 0o777 == 0o600


def test_a_letter_written_twice_counts_once(folder):
    """A process that dies between writing a letter and saving its progress writes it again."""
    for key in ("j:1", "j:2", "j:1"):
        dead_letters.append(folder, key, None, "r")
    assert keys(folder) == ["j:1", "j:2"]
    assert dead_letters.purge(folder, time.time_ns()) == 2
    assert dead_letters.purged(folder) == 2


def test_a_letter_cut_short_damages_no_other(folder, monkeypatch):
    """On a full disk writing a letter fails, and the next one is complete."""
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:20]))
        with pytest.raises(OSError, match="short write"):
            dead_letters.append(folder, "j:1", None, "r")
    dead_letters.append(folder, "j:2", None, "r")
    assert keys(folder) == ["j:2"]


def test_purging_by_age_keeps_the_younger(folder):
    """Only letters written before the time are purged, and the count of purged letters grows."""
    dead_letters.append(folder, "j:1", None, "r")
    now = time.time_ns()
    dead_letters.append(folder, "j:2", None, "r")
    assert dead_letters.purge(folder, now) == 1
    assert keys(folder) == ["j:2"]
    assert dead_letters.purge(folder, now) == 0
    dead_letters.append(folder, "j:3", None, "r")
    assert dead_letters.purge(folder, time.time_ns()) == 2
    assert dead_letters.purged(folder) == 3
    assert keys(folder) == []


def test_there_are_no_letters_at_first(folder):
    """No letters, none purged, and reading creates no file."""
    assert keys(folder) == []
    assert dead_letters.purged(folder) == 0
    assert os.listdir(folder) == []


def requeued(folder):
    """The records of journals made by requeueing, as (key, record), in order."""
    collected = []
    for name in sorted(journals(folder)):
        for segment in journals(folder)[name]:
            with open(segment_path(folder, name, segment), "rb") as file:
                lines = [json.loads(frame.decode(line.rstrip(b"\n")).body) for line in file]
            collected += [(line["key"], line["type"]) for line in lines]
    return collected


def test_requeued_letters_are_a_journal_with_their_keys_in_order(folder):
    """Requeued entries leave the file and its counts; a damaged line has no record to send."""
    for key in ("j:3", "j:1", "j:2"):
        dead_letters.append(folder, key, {"type": "edge"}, "r")
    dead_letters.append(folder, "j:9", None, "damaged")
    assert dead_letters.requeue(folder, choose=lambda letter: letter["key"] != "j:1") == 2
    assert requeued(folder) == [("j:3", "edge"), ("j:2", "edge")]
    assert keys(folder) == ["j:1", "j:9"]
    assert dead_letters.purged(folder) == 2
    assert dead_letters.requeue(folder, choose=lambda letter: False) == 0


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", ["replace", "rename"])
@pytest.mark.parametrize("file", [dead_letters.FILE, dead_letters.BLOCKED_FILE])
def test_a_requeue_cut_short_is_completed_or_undone(file, step, folder, monkeypatch):
    """After a crash every letter is in exactly one file, and counted once."""
    for key in ("j:1", "j:2"):
        dead_letters.append(folder, key, {"type": "edge"}, "r", file=file)

    def killed(*arguments):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(os, step, killed)
        with pytest.raises(Killed):
            dead_letters.requeue(folder, file)
    dead_letters.sync(folder)
    left = [letter["key"] for letter in dead_letters.iter_dead_letters(folder, file)]
    moved = [key for key, _ in requeued(folder)]
    assert (left, moved) == ((["j:1", "j:2"], []) if step == "replace" else ([], ["j:1", "j:2"]))
    assert dead_letters.purged(folder, file) == len(moved)
