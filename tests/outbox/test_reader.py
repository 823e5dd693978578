"""The reading end of a journal: everything that can be read is, in order; nothing unread is ever removed."""

from __future__ import annotations

import json
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.outbox import frame, progress, reader
from autoflow.outbox.journal_files import journals, segment_path
from autoflow.outbox.reader import Reader

pytestmark = pytest.mark.core


def line(number, **more):
    return frame.encode(json.dumps({"n": number, **more}).encode())


def put(folder, content, segment=0, name="j"):
    with open(segment_path(folder, name, segment), "ab") as file:
        file.write(content)


def numbers(entries):
    return [json.loads(entry.line.body)["n"] for entry in entries if entry.line.body is not None]


def drained(journal_reader):
    """Read all records batch by batch, and note them as dealt with; return their numbers."""
    drained_numbers = []
    while entries := journal_reader.entries(200):
        drained_numbers += numbers(entries)
        for entry in entries:
            journal_reader.advance(entry)
    return drained_numbers


def test_segments_are_read_one_after_the_other(folder):
    """A segment is read to its end before the next, also when it is longer than one chunk."""
    for segment in range(3):
        first = segment * 1000
        put(folder, b"".join(line(number, filler="x" * 1000) for number in range(first, first + 150)), segment)
    assert drained(Reader(folder, "j", owned=False)) == [*range(150), *range(1000, 1150), *range(2000, 2150)]


def test_a_batch_is_bounded_in_bytes(folder):
    """Large records make small batches: a request stays about a megabyte."""
    put(folder, b"".join(line(number, filler="x" * 60_000) for number in range(100)))
    journal_reader = Reader(folder, "j", owned=False)
    batch = journal_reader.entries(200)
    assert sum(len(entry.line.raw) for entry in batch) < reader.BATCH_BYTES + 65_536
    assert drained(journal_reader) == list(range(100))


def test_a_late_write_into_an_older_segment_is_found(folder):
    """A thread that was inside its write while the journal went on loses nothing."""
    put(folder, line(1), 0)
    put(folder, line(3), 1)
    journal_reader = Reader(folder, "j", owned=True)
    assert drained(journal_reader) == [1, 3]
    put(folder, line(2), 0)
    assert drained(journal_reader) == [2]


@pytest.mark.parametrize("size", [4096, 20 << 20])
def test_zeros_after_a_power_cut_damage_no_other_record(folder, size):
    """A hole of zeros of any length is skipped without reading it in one piece."""
    put(folder, line(1))
    os.truncate(segment_path(folder, "j", 0), os.path.getsize(segment_path(folder, "j", 0)) + size)
    put(folder, line(2) + line(3))
    assert drained(Reader(folder, "j", owned=False)) == [1, 2, 3]


def test_a_tail_that_was_cut_short_is_not_a_record(folder):
    """A record that was being written when the process died was not acknowledged, and does not count."""
    put(folder, line(1) + line(2)[:-5])
    journal_reader = Reader(folder, "j", owned=False)
    assert journal_reader.waiting() == 1
    assert drained(journal_reader) == [1]
    assert journal_reader.waiting() == 0


@given(st.lists(st.integers(0, 300), min_size=2, max_size=12), st.data())
def test_damage_affects_only_the_lines_it_touches(tmp_path_factory, fillers, data):
    """Whatever range is overwritten, all records outside it are read, in order, and no other record appears."""
    folder = str(tmp_path_factory.mktemp("damaged"))
    lines = [line(number, filler="x" * filler) for number, filler in enumerate(fillers)]
    content = bytearray(b"".join(lines))
    start = data.draw(st.integers(0, len(content) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=400))[: len(content) - start]
    content[start : start + len(noise)] = noise
    put(folder, bytes(content))
    position, untouched = 0, []
    for number, item in enumerate(lines):
        touched = position < start + len(noise) and start < position + len(item)
        # the line end before a record belongs to the record before it
        if not touched:
            untouched.append(number)
        position += len(item)
    got = drained(Reader(folder, "j", owned=False))
    assert [number for number in got if number in untouched] == untouched
    assert sorted(got) == got
    assert set(got) <= set(range(len(lines)))


def test_progress_survives_a_new_reader(folder):
    """The next reader of a journal begins where the last one saved."""
    put(folder, b"".join(line(number) for number in range(10)))
    journal_reader = Reader(folder, "j", owned=False)
    for entry in journal_reader.entries(4):
        journal_reader.advance(entry)
    journal_reader.save()
    again = Reader(folder, "j", owned=False)
    assert again.waiting() == 6
    assert drained(again) == [4, 5, 6, 7, 8, 9]


def test_a_finished_journal_is_counted_and_removed(folder):
    """All its files are removed; its counts stay in the totals of the folder."""
    put(folder, line(1) + line(2))
    journal_reader = Reader(folder, "j", owned=False)
    drained(journal_reader)
    journal_reader.progress.sent = 2
    journal_reader.save()
    assert journal_reader.tidy(closed=True)
    assert [name for name in os.listdir(folder) if name.startswith("j.")] == []
    with progress.locked_totals(folder) as totals:
        assert (totals.recorded, totals.sent) == (2, 2)


def test_a_segment_that_cannot_be_opened_is_not_at_its_end(folder, monkeypatch):
    """Without file descriptors a segment is not taken for empty and removed."""
    put(folder, line(1))

    def no_descriptors(path, *rest, **more):
        if str(path).endswith(".journal"):
            raise OSError(24, "Too many open files")
        return opened(path, *rest, **more)

    journal_reader = Reader(folder, "j", owned=False)
    opened = os.open
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", no_descriptors)
        with pytest.raises(OSError, match="Too many"):
            journal_reader.tidy(closed=True)
    assert drained(journal_reader) == [1]


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_only_regular_files_are_read(folder, tmp_path, kind):
    """A link, a pipe or a folder in a segment's place is neither followed nor waited for nor removed."""
    path = segment_path(folder, "j", 0)
    if kind == "link":
        (tmp_path / "elsewhere").write_bytes(line(1))
        os.symlink(tmp_path / "elsewhere", path)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        os.mkdir(path)
    journal_reader = Reader(folder, "j", owned=False)
    with pytest.raises(OSError, match=r".+"):
        journal_reader.entries()
    with pytest.raises(OSError, match=r".+"):
        journal_reader.tidy(closed=True)
    assert os.path.lexists(path)


def test_a_segment_of_another_user_is_refused(folder, monkeypatch):
    """Records of another user are not sent under this user's token."""
    put(folder, line(1))
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(PermissionError, match="belongs to user"):
        Reader(folder, "j", owned=False).entries()


def test_sent_segments_of_a_living_writer_are_removed(folder, monkeypatch):
    """A segment is removed when a newer one exists, it is dealt with, and late writes can no longer happen."""
    put(folder, line(1), 0)
    put(folder, line(2), 1)
    journal_reader = Reader(folder, "j", owned=True)
    drained(journal_reader)
    assert not journal_reader.tidy(closed=False)
    assert journal_reader.segments() == [0, 1]
    later = time.monotonic() + reader.SETTLE_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert not journal_reader.tidy(closed=False)
    assert journal_reader.segments() == [1]


def test_sent_segments_are_removed_on_a_full_disk(folder, monkeypatch):
    """Removing segments frees space although nothing can be written; the counts follow later."""
    put(folder, line(1))
    journal_reader = Reader(folder, "j", owned=False)
    drained(journal_reader)
    journal_reader.progress.sent = 1
    journal_reader.save()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        patch.setattr(os, "pwrite", full)
        journal_reader.save()
        with pytest.raises(OSError, match="No space"):
            journal_reader.tidy(closed=True)
    assert not os.path.exists(segment_path(folder, "j", 0))
    assert "j" in journals(folder)
    again = Reader(folder, "j", owned=False)
    assert again.tidy(closed=True)
    with progress.locked_totals(folder) as totals:
        assert (totals.recorded, totals.sent) == (1, 1)
    assert journals(folder) == {}
