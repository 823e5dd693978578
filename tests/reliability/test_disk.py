"""The outbox on disks that are full, removed or not writable. Scenarios 40 to 43.

Scenarios 44 to 48 are the store's: `test_disk_store.py`; 49 to 51: `test_damage.py`.
"""

from __future__ import annotations

import errno
import glob
import json
import os
import subprocess
import sys
import textwrap
import time

import pytest

import autoflow
from autoflow.outbox import home, journal
from autoflow.outbox.journal import Journal
from autoflow.outbox.reader import Reader
from autoflow.outbox.status import of_folder
from tests.reliability.disks import SECONDS, run
from tests.reliability.kit import ORIGIN, RECORD, counts, ids, load, numbers

pytestmark = [
    pytest.mark.core,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]  # forks beside threads

# -- 40: the disk is full


def test_40_a_write_cut_short_by_a_full_disk_loses_that_record_only(tmp_path):
    """The wrapped function returns; the record is counted as dropped; with room again recording goes on."""
    totals = run(
        """
        import json, os, resource, autoflow
        from autoflow.outbox.outbox import _outboxes

        @autoflow.workflow_input("project")
        def load(project_id):
            return project_id

        with autoflow.workflow("w", log=False):
            load(1)
            outbox = _outboxes[0]
            written = os.fstat(outbox._journal._fd).st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (written + 100, resource.RLIM_INFINITY))
            results = [load(number) for number in range(2, 12)]
            full = autoflow.status()
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            torn = os.fstat(outbox._journal._fd).st_size - written
            results.append(load(12))
        print(json.dumps([results, torn, full, autoflow.status()]))
        """,
        AUTOFLOW_SERVER=ORIGIN,
        AUTOFLOW_EXIT_FLUSH="0",
        AUTOFLOW_HOME=str(tmp_path / "home"),
    )
    results, torn, full, after = totals
    assert results == list(range(2, 13))
    assert torn == 100  # the kernel took what fitted
    assert full["dropped"] >= 10
    assert after["dropped"] == full["dropped"]
    (folder,) = (tmp_path / "home" / "outbox").iterdir()
    assert numbers(str(folder)) == [1, 12]
    assert of_folder(str(folder))["dropped"] == full["dropped"]


def test_40_recording_survives_a_full_disk(small_disk):
    """A real file system without a free byte: calls return, losses are counted, and all that was written arrives."""
    full, after, arrived = small_disk(
        """
        with FaultyServer("server") as server:
            os.environ["AUTOFLOW_SERVER"] = server.address
            server.stop()
            with autoflow.workflow("w", log=False):
                number = 0
                while look()["dropped"] < 50:
                    for _ in range(100):
                        number += 1
                        assert load(number) == number
                assert os.statvfs(home).f_bavail == 0
                full = look()
                server.start()
                while not autoflow.flush():
                    pass
                assert server.wait_for(lambda: len(server.edges) > 0)
                load(1_000_000)
            while not autoflow.flush():
                pass
            print(json.dumps([full, look(), [edge["entity"]["id"] for edge in server.edges]]))
        """
    )
    assert full["waiting"] == full["recorded"] > 500
    assert after["waiting"] == after["dead"] == 0
    assert after["recorded"] == after["sent"] >= full["recorded"]
    assert arrived == sorted(set(arrived))
    assert len(arrived) >= full["recorded"] - 2


def test_42_a_file_system_without_free_inodes(small_disk):
    """No file can be created, calls return, and records go to the next candidate folder."""
    (output,) = small_disk(
        """
        os.makedirs(home, mode=0o700)
        made = 0
        try:
            while True:
                open(os.path.join(os.path.dirname(home), f"f{made}"), "w").close()
                made += 1
        except OSError:
            pass
        with FaultyServer("server") as server:
            os.environ["AUTOFLOW_SERVER"] = server.address
            with autoflow.workflow("w", log=False):
                assert load(7) == 7
            assert autoflow.flush(60)
            print(json.dumps([[edge["entity"]["id"] for edge in server.edges]]))
        """,
        "nr_inodes=20",
    )
    assert output == [7]


# -- 41: no memory map


def test_41_no_part_of_the_outbox_is_mapped_into_memory(towards):
    """A map of a file on a full disk kills the process with SIGBUS: journals are written, never mapped."""
    towards(ORIGIN)
    with autoflow.workflow("w"):
        load(1)
    if not os.path.exists("/proc/self/maps"):
        pytest.skip("needs /proc")
    with open("/proc/self/maps") as maps:
        assert home.find() not in maps.read()


# -- 42: errors of the system


@pytest.mark.parametrize("code", [errno.EDQUOT, errno.ENOSPC, errno.EIO, errno.EAGAIN, errno.EINTR, errno.EROFS])
def test_42_a_write_error_is_counted_and_not_raised(folder, monkeypatch, code):
    """Whatever error a write raises, the caller gets none; the loss is counted, and noted with the next record."""
    written = Journal(folder, ORIGIN)
    assert written.append(RECORD % 1)

    def failing(descriptor, line):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(journal, "write", failing)
        assert [written.append(RECORD % number) for number in (2, 3)] == [0, 0]
    assert written.dropped == 2
    assert written.append(RECORD % 4)
    assert written.dropped == 0
    assert numbers(folder) == [1, 4]
    assert of_folder(folder)["dropped"] == 2
    assert of_folder(folder)["recorded"] == 2


def test_42_a_process_out_of_descriptors_goes_on(tmp_path):
    """With no descriptor left (EMFILE) at the first record calls return; with some again, records are on the disk."""
    results, waiting, dropped = run(
        """
        import json, os, resource, autoflow

        @autoflow.workflow_input("project")
        def load(project_id):
            return project_id

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
        held = []
        try:
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        with autoflow.workflow("w", log=False):
            results = [load(number) for number in range(5)]
            for descriptor in held:
                os.close(descriptor)
            held.clear()
            from autoflow.outbox import journal
            journal.time.monotonic = lambda was=journal.time.monotonic: was() + 5  # the next look is due
            results.append(load(5))
        found = autoflow.status()
        print(json.dumps([results, found["waiting"], found["dropped"]]))
        """,
        AUTOFLOW_SERVER=ORIGIN,
        AUTOFLOW_EXIT_FLUSH="0",
        AUTOFLOW_HOME=str(tmp_path / "home"),
    )
    assert results == list(range(6))
    assert dropped >= 5
    (folder,) = (tmp_path / "home" / "outbox").iterdir()
    assert 5 in numbers(str(folder))
    assert waiting >= 2


def test_42_dropped_records_are_noted_without_another_record(server, towards, monkeypatch):
    """The sender leaves the note when the app records no more: `outbox status` of any process counts it."""
    towards(server)
    with autoflow.workflow("w"):
        load(1)
        assert autoflow.flush(60)
        with monkeypatch.context() as patch:
            patch.setattr(journal, "write", lambda descriptor, line: 0)
            load(2)
        assert not autoflow.flush(60)
        assert autoflow.flush(60)
        folder = home.outbox_of(server.address)
        assert of_folder(folder)["dropped"] == 1
    assert ids(server) == [1]


# -- the quota


def test_a_full_outbox_refuses_and_counts_records_and_keeps_those_waiting(folder, monkeypatch):
    """Above the quota records are refused; nothing unsent is removed."""
    quota = 200_000
    written = Journal(folder, ORIGIN, quota)
    kept_numbers = [number for number in range(5000) if written.append(RECORD % number)]
    used = sum(entry.stat().st_size for entry in os.scandir(folder))
    assert 0 < len(kept_numbers) < 5000
    assert quota * 0.8 < used < quota * 1.1
    assert numbers(folder) == kept_numbers
    assert kept_numbers == list(range(len(kept_numbers)))
    assert written.dropped == 5000 - len(kept_numbers)
    written.maintain()
    assert of_folder(folder)["dropped"] == 5000 - len(kept_numbers)
    assert of_folder(folder)["waiting"] == len(kept_numbers)


def test_processes_share_the_quota(folder):
    """The quota is the folder's: a process that starts when it is full writes almost nothing."""
    quota = 200_000
    first = Journal(folder, ORIGIN, quota)
    while first.append(RECORD % 1):
        pass
    before = sum(entry.stat().st_size for entry in os.scandir(folder))
    for _ in range(5):
        other = Journal(folder, ORIGIN, quota)
        for _ in range(100):
            other.append(RECORD % 2)
    assert sum(entry.stat().st_size for entry in os.scandir(folder)) < before + 5_000


def test_a_full_outbox_takes_records_again_once_it_is_sent(folder, server, monkeypatch):
    """Space freed by sending is used, although this process's own journal filled the quota."""
    monkeypatch.setattr(journal, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr("autoflow.outbox.reader.SETTLE_SECONDS", 0.0)
    written = Journal(folder, server.address, 200_000)
    kept_numbers = 0
    while written.append(RECORD % kept_numbers):
        kept_numbers += 1
    reader = Reader(folder, written.name, owned=True)
    while entries := reader.entries():
        for entry in entries:
            reader.advance(entry)
    reader.progress.sent = reader.progress.recorded
    reader.save()
    reader.tidy(closed=False)
    reader.tidy(closed=False)
    assert written.append(RECORD % kept_numbers)
    assert of_folder(folder)["recorded"] == kept_numbers + 1
    assert of_folder(folder)["waiting"] == 1


def test_dead_letters_count_toward_the_quota(folder):
    """Records that can never be sent fill the same quota."""
    from autoflow.outbox import dead_letters

    for number in range(100):
        dead_letters.append(folder, f"j:{number}", {"filler": "x" * 2000}, "refused")
    written = Journal(folder, ORIGIN, 200_000)
    for number in range(100):
        written.append(RECORD % number)
    assert written.dropped > 0


# -- 43: nowhere to write


NOWHERE = """
import json, logging, os, sys
logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(message)s", level=logging.WARNING)
import autoflow
from autoflow.outbox import home
from autoflow.testing import FaultyServer

@autoflow.workflow_input("project")
def load(project_id):
    return project_id
"""


def test_43_without_any_folder_records_stay_in_memory_with_one_warning(tmp_path):
    """HOME unset, everything else impossible, the working directory gone: records are sent from memory."""
    (tmp_path / "file").write_text("")
    for location in ("gone", "tmp"):
        (tmp_path / location).mkdir()
    (tmp_path / "tmp" / f"autoflow-{os.geteuid()}").write_text("taken")
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    script = """
        import tempfile
        tempfile.tempdir = os.environ["ONLY_TMP"]
        os.rmdir(os.getcwd())
        with FaultyServer("server") as server:
            os.environ["AUTOFLOW_SERVER"] = server.address
            for turn in range(2):
                with autoflow.workflow("w", log=False):
                    assert load(turn + 1) == turn + 1
            assert autoflow.flush(60)
            print(json.dumps([[edge["entity"]["id"] for edge in server.edges], autoflow.status()["sent"]]))
    """
    done = subprocess.run(
        [sys.executable, "-c", NOWHERE + textwrap.dedent(script)],
        env={
            **environment,
            "AUTOFLOW_HOME": "relative",
            "XDG_STATE_HOME": str(tmp_path / "file" / "below"),
            "ONLY_TMP": str(tmp_path / "tmp"),
        },
        cwd=tmp_path / "gone",
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    arrived, sent = json.loads(done.stdout)
    assert arrived == [1, 2]
    assert sent >= 2
    warnings = [line for line in done.stderr.splitlines() if "memory only" in line]
    assert len(warnings) == 1
    assert "AUTOFLOW_HOME" in warnings[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the superuser, to become somebody who may not write")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_43_a_folder_without_permission_is_skipped(monkeypatch, tmp_path):
    """A folder that can be read but not written is skipped for the next one."""
    os.chmod(tmp_path, 0o755)
    location = tmp_path / "named"
    location.mkdir(mode=0o555)
    other = tmp_path / "other"
    other.mkdir(mode=0o777)
    os.chmod(other, 0o777)
    monkeypatch.setenv("AUTOFLOW_HOME", str(location / "autoflow"))
    monkeypatch.setenv("XDG_STATE_HOME", str(other))
    for parent in list(tmp_path.parents)[:-1]:
        if not os.stat(parent).st_mode & 0o001:
            os.chmod(parent, os.stat(parent).st_mode | 0o001)
    child = os.fork()
    if child == 0:
        try:
            os.setgid(65534)
            os.setuid(65534)
            os._exit(home.find() != str(other / "autoflow"))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_43_an_outbox_removed_while_running_is_created_again(server, towards, tmp_path):
    """Somebody moves or removes the folder: what waits is written to a new one, and is sent."""
    towards(server)
    server.stop()
    with autoflow.workflow("w"):
        load(1)
        os.rename(home.find(), tmp_path / "gone")
        deadline = time.monotonic() + 60
        while not glob.glob(f"{home.find()}/outbox/*/*.journal") and time.monotonic() < deadline:
            autoflow.flush(0.05)  # has the sender look; while the server is away it returns at once
        assert load(2) == 2
        server.start()
        while not autoflow.flush() and time.monotonic() < deadline:
            pass
        assert ids(server) == [1, 2]
        assert counts()["waiting"] == 0
    assert os.stat(home.outbox_of(server.address)).st_mode & 0o777 == 0o700
