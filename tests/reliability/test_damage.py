"""Journals after damage, planted files and power cuts."""

from __future__ import annotations

import itertools
import os
import shutil
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autoflow
from autoflow.outbox import frame, home, journal, journal_lease
from autoflow.outbox.destinations.servers import ServerConnector
from autoflow.outbox.journal import Journal
from autoflow.outbox.journal_files import journals, lock_path, segment_path
from autoflow.outbox.status import of_folder
from autoflow.outbox.sync import sync
from autoflow.transport.http import HttpTransport
from tests.reliability.kit import ORIGIN, RECORD, ids, load, numbers

pytestmark = [pytest.mark.core, pytest.mark.filterwarnings("ignore::DeprecationWarning")]  # forks beside threads


# -- 49: damage


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_49_damage_in_a_journal_affects_only_the_lines_it_touches(server, tmp_path_factory, data):
    """A bit flipped, zeros, noise, a tail cut off: every other record arrives, in order, and the counts agree."""
    folder = str(tmp_path_factory.mktemp("damaged"))
    child = os.fork()
    if child == 0:
        try:
            written = Journal(folder, server.address)
            for number in range(30):
                written.append(RECORD % number)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    (name,) = journals(folder)
    path = segment_path(folder, name, 0)
    with open(path, "rb") as file:
        lines = file.read().splitlines(keepends=True)
    content = bytearray(b"".join(lines))
    at = data.draw(st.integers(0, len(content) - 1))
    kind = data.draw(st.sampled_from(["flip", "zeros", "noise", "cut"]))
    end = at + 1
    if kind == "flip":
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "cut":
        end = len(content)
        del content[at:]
    else:
        end = min(len(content), at + data.draw(st.integers(1, 300)))
        content[at:end] = (
            bytes(end - at) if kind == "zeros" else data.draw(st.binary(min_size=end - at, max_size=end - at))
        )
    with open(path, "wb") as file:
        file.write(content)
    ends = list(itertools.accumulate(map(len, lines)))
    complete = [
        number
        for number, (begin, stop) in enumerate(itertools.pairwise(ends))  # the first line is the header
        if not (begin < end and at < stop)
    ]
    before = len(server.edges)
    assert sync(folder, server.address, ServerConnector(HttpTransport(server.address, lambda: None)))
    got = ids(server)[before:]
    assert [number for number in got if number in complete] == complete
    assert got == sorted(got)
    totals = of_folder(folder)
    assert totals["recorded"] == totals["sent"] + totals["dead"]
    assert totals["sent"] == len(got)
    assert totals["waiting"] == 0


# -- 50: what is not ours


def test_50_files_are_private(server, towards):
    """Folders 0700, files 0600, whatever the umask."""
    towards(server)
    before = os.umask(0)
    try:
        with autoflow.workflow("w"):
            load(1)
        assert autoflow.flush(60)
    finally:
        os.umask(before)
    for parent, folders, files in os.walk(home.find()):
        for name in folders:
            assert os.stat(os.path.join(parent, name)).st_mode & 0o777 == 0o700, name
        for name in files:
            assert os.stat(os.path.join(parent, name)).st_mode & 0o777 == 0o600, name


def test_50_a_planted_journal_is_not_sent(server, tmp_path):
    """A symbolic link in place of a journal is not followed: its target does not leave the machine."""
    folder = home.outbox_of(server.address)
    secret = tmp_path / "secret"
    secret.write_bytes(frame.encode(b'{"n":1,' + RECORD % 666 + b"}"))
    os.symlink(secret, segment_path(folder, "0" * 16, 0))
    assert not sync(folder, server.address, ServerConnector(HttpTransport(server.address, lambda: None)))
    assert server.edges == []
    assert secret.exists()


def test_50_a_planted_lock_is_not_followed(folder, tmp_path):
    """A symbolic link in place of a lock file is not followed."""
    (tmp_path / "victim").write_text("mine")
    os.symlink(tmp_path / "victim", lock_path(folder, "j"))
    with pytest.raises(OSError, match=r".+"):
        journal_lease.take(lock_path(folder, "j"))
    assert (tmp_path / "victim").read_text() == "mine"


# -- 51: the power is cut


class Machine:
    """What is certain to be on the disk: files as they were when last synced, under names whose folder was."""

    def __init__(self, monkeypatch, folder):
        self.folder = folder
        self._sizes = {}
        self._names = set()
        self._real = os.fdatasync, os.fsync
        monkeypatch.setattr(os, "fdatasync", self._sync)
        monkeypatch.setattr(os, "fsync", self._sync)

    def _sync(self, descriptor):
        file_status = os.fstat(descriptor)
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            self._names |= set(os.listdir(self.folder))
        else:
            self._sizes[file_status.st_ino] = max(file_status.st_size, self._sizes.get(file_status.st_ino, 0))

    def cut(self, into):
        """The folder after a power cut at this moment, in another place."""
        os.makedirs(into)
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            if name in self._names and (size := self._sizes.get(os.stat(path).st_ino)) is not None:
                shutil.copy(path, into)
                os.truncate(os.path.join(into, name), size)
        return str(into)


def test_51_with_sync_no_acknowledged_record_is_lost_to_a_power_cut(folder, monkeypatch, tmp_path):
    """At any time, across rotations and from several threads, each acknowledged record is on the disk."""
    monkeypatch.setenv("AUTOFLOW_DURABILITY", "sync")
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 2000)
    machine = Machine(monkeypatch, folder)
    written = Journal(folder, ORIGIN)
    done = []
    numbered = itertools.count()

    def work():
        for _ in range(60):
            number = next(numbered)
            if written.append(RECORD % number):
                done.append(number)

    threads = [threading.Thread(target=work) for _ in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for step in range(8):
            acknowledged = list(done)
            assert set(acknowledged) <= set(numbers(machine.cut(tmp_path / f"cut{step}")))
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert sorted(numbers(machine.cut(tmp_path / "end"))) == list(range(180))


@given(steps=st.lists(st.sampled_from(["record", "record", "record", "tick"]), max_size=60))
def test_51_with_interval_a_power_cut_loses_only_what_followed_the_last_sync(steps, tmp_path_factory):
    """Records made before the last sync of the interval are on the disk, also those in an older segment."""
    folder = str(tmp_path_factory.mktemp("journals"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOFLOW_DURABILITY", "interval")
        patch.setattr(journal, "SEGMENT_BYTES", 500)
        patch.setattr("autoflow.outbox.journal._sync_periodically", lambda journal: None)  # the test is the clock
        machine = Machine(patch, folder)
        written = Journal(folder, ORIGIN)
        count = safe = 0
        for step in steps:
            if step == "record":
                assert written.append(RECORD % count)
                count += 1
            else:
                written.sync()
                safe = count
        delivered = numbers(machine.cut(os.path.join(str(tmp_path_factory.mktemp("cut")), "after")))
        assert delivered[:safe] == list(range(safe))
        assert delivered == list(range(len(delivered)))


def test_51_with_interval_the_journal_is_synced_once_a_second(folder, monkeypatch):
    """Without a sender and without another record, the records are on the disk soon."""
    monkeypatch.setenv("AUTOFLOW_DURABILITY", "interval")
    synced = threading.Event()
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: synced.set())
    written = Journal(folder, ORIGIN)
    assert written.append(RECORD % 1)
    synced.clear()
    assert written.append(RECORD % 2)
    assert synced.wait(60)


def test_51_progress_lost_to_a_power_cut_sends_again_under_the_same_keys(server):
    """Records sent before the power cut are sent again under the same keys: the server has each once."""
    folder = home.outbox_of(server.address)
    child = os.fork()
    if child == 0:
        try:
            written = Journal(folder, server.address)
            for number in range(50):
                written.append(RECORD % number)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    (name,) = journals(folder)
    kept_numbers = {path: open_bytes(path) for path in [segment_path(folder, name, 0)]}
    assert sync(folder, server.address, ServerConnector(HttpTransport(server.address, lambda: None)))
    for path, content in kept_numbers.items():
        with open(path, "wb") as file:
            file.write(content)
    os.unlink(os.path.join(folder, "totals"))
    assert sync(folder, server.address, ServerConnector(HttpTransport(server.address, lambda: None)))
    assert ids(server) == list(range(50))
    totals = of_folder(folder)
    assert totals["recorded"] == totals["sent"] == 50


def open_bytes(path):
    with open(path, "rb") as file:
        return file.read()
