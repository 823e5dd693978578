"""How far a journal has been sent: the old or the new state, never a half."""

from __future__ import annotations

import errno
import os
import signal
import threading

import pytest

from autoflow.outbox import atomic_file, progress
from autoflow.outbox.journal_files import progress_path
from autoflow.outbox.progress import Progress

pytestmark = pytest.mark.core


def test_what_is_saved_is_loaded(folder):
    """Offsets, counts and the delivery state are restored."""
    saved = Progress({0: 120, 3: 7}, recorded=4, sent=3, dead=1, dropped=2, open_runs={"r": True})
    progress.save(folder, "j", saved)
    assert progress.load(folder, "j") == saved


def test_a_full_disk_leaves_the_old_state(folder, monkeypatch):
    """A short write is an error, and the previous content stays when it cannot be overwritten either."""
    progress.save(folder, "j", Progress(recorded=1, sent=1))
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[: len(content) // 2]))
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="short write"):
        progress.save(folder, "j", Progress(recorded=2, sent=2))
    assert progress.load(folder, "j") == Progress(recorded=1, sent=1)
    assert sorted(os.listdir(folder)) == ["j.progress"]


def full(*arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_on_a_full_disk_the_file_is_overwritten_in_place(folder, monkeypatch):
    """No new file can be made, and the old one takes the new content, longer or shorter."""
    progress.save(folder, "j", Progress(recorded=1, sent=1))
    monkeypatch.setattr(os, "write", full)
    for state in (Progress(recorded=100_000, sent=100_000), Progress(recorded=2, sent=2)):
        progress.save(folder, "j", state)
        assert progress.load(folder, "j") == state
    with pytest.raises(OSError, match="No space"):
        progress.save(folder, "j", Progress(delivery_state={"long": "x" * 100_000}))
    assert progress.load(folder, "j") == Progress(recorded=2, sent=2)


@pytest.mark.parametrize("damage", [b"", b"\0" * 64, b'{"sent": 5}', b"garbage\n"])
def test_a_damaged_progress_starts_again(folder, damage):
    """Sending again from the beginning is safe; trusting a damaged offset is not."""
    progress.save(folder, "j", Progress({0: 120}, recorded=5, sent=5))
    with open(progress_path(folder, "j"), "wb") as file:
        file.write(damage)
    assert progress.load(folder, "j") == Progress()


def test_a_flipped_bit_is_detected(folder):
    """A count that was changed on the disk is not believed."""
    progress.save(folder, "j", Progress({0: 120}, recorded=5, sent=5))
    path = progress_path(folder, "j")
    with open(path, "r+b") as file:
        content = bytearray(file.read())
        content[content.index(b"120")] ^= 1
        file.seek(0)
        file.write(content)
    assert progress.load(folder, "j") == Progress()


def test_files_are_private(folder):
    """Files about records are as private as the records."""
    progress.save(folder, "j", Progress())
    with progress.locked_totals(folder) as totals:
        totals.sent = 1
    assert {os.stat(os.path.join(folder, name)).st_mode & 0o777 for name in os.listdir(folder)} == {0o600}


def test_totals_are_changed_under_a_lock(folder):
    """Threads that count at once lose no update."""

    def count():
        for _ in range(50):
            with progress.locked_totals(folder) as totals:
                totals.sent += 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with progress.locked_totals(folder) as totals:
        assert totals.sent == 200


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_while_the_totals_are_locked_does_not_block_the_child(folder):
    """A forked child can count, whichever thread held the lock in the parent."""
    with progress.locked_totals(folder):
        child = os.fork()
        if child == 0:
            signal.alarm(30)  # a child that waits dies of it
            with progress._in_process:
                os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_link_is_not_followed(folder, tmp_path):
    """A symbolic link in place of a file is not followed, so that no other file is overwritten."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    os.symlink(victim, os.path.join(folder, "note.new"))
    with pytest.raises(OSError, match=r".+"):
        atomic_file.write(os.path.join(folder, "note"), b"x")
    assert victim.read_text() == "mine"
