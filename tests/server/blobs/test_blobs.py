"""What a folder and a bucket promise alike."""

from __future__ import annotations

import base64
import hashlib
import io
import subprocess
import sys

import pytest

from autoflow.errors import ServerBusy
from autoflow.server.blobs import open_blob_store
from autoflow.server.blobs.content import blob_path, hash_from_name

LARGE = 20_000_000

# How many kilobytes a process grows by while 500 MB go in and out of a place.
FLAT = """
import re, sys
from autoflow.server.blobs import open_blob_store
from tests.server.blobs.test_blobs import Endless

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])

store = open_blob_store(sys.argv[1])
before = peak()
received = store.receive(Endless(500_000_000), "s1-1")
store.sync([received])
assert sum(len(chunk) for chunk in store.read(received.hash, received.generation, 0, received.size)) == 500_000_000
print(peak() - before)
"""


def put(store, data, generation="s1-1", probe=None):
    received = store.receive(io.BytesIO(data), generation, probe)
    store.sync([received])
    return received


def read(store, received, start=0, stop=None):
    return b"".join(store.read(received.hash, received.generation, start, received.size if stop is None else stop))


def paths(store, after=""):
    return [file.path for file in store.files(after)]


class Endless:
    """A stream of so many bytes that are nowhere."""

    def __init__(self, size):
        self.left = size

    def read(self, size):
        size = min(size, self.left)
        self.left -= size
        return bytes(size)


@pytest.mark.parametrize("data", [b"", b"weights", bytes(range(256)) * 5000], ids=["none", "few", "many"])
def test_bytes_come_back(store, data):
    """What was received is told by its sha256 and size, and reads back whole and in part."""
    received = put(store, data)
    assert received.hash == base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert (received.size, received.generation) == (len(data), "s1-1")
    assert read(store, received) == data
    assert read(store, received, len(data) // 2, len(data)) == data[len(data) // 2 :]
    assert read(store, received, 2, 2) == b""
    assert store.size(received.hash, received.generation) == len(data)


def test_a_file_is_found_by_its_name(store):
    """A file's name tells its hash and generation, and the same bytes may be there under two."""
    first, second = put(store, b"1", "s1-1"), put(store, b"1", "s2-7")
    files = list(store.files())
    assert [entry.path for entry in files] == [blob_path(first.hash, "s1-1"), blob_path(first.hash, "s2-7")]
    assert {(entry.hash, entry.generation) for entry in files} == {(first.hash, "s1-1"), (second.hash, "s2-7")}
    store.remove(files[0].path)
    store.remove(files[0].path)
    assert store.size(first.hash, "s1-1") is None
    assert read(store, second) == b"1"


def test_files_are_listed_from_any_of_them_on(store):
    """A list in parts is the whole list."""
    for number in range(30):
        put(store, str(number).encode(), f"s1-{number}")
    all_paths = paths(store)
    assert all_paths == sorted(all_paths)
    assert len(all_paths) == 30
    for index in (0, 11, 29):
        assert paths(store, all_paths[index]) == all_paths[index + 1 :]


def test_a_generation_is_used_once(store):
    """A file is never written over, whoever tries."""
    received = put(store, b"first", "s1-1")
    before = read(store, received)
    put(store, b"first", "s1-2")
    assert read(store, received) == before
    assert len(paths(store)) == 2


def test_whoever_looks_sees_all_bytes(store):
    """Bytes can be looked at while they come, from any position, also those of a large file."""

    def probe(file):
        file.seek(-3, io.SEEK_END)
        return file.read()

    assert put(store, b"abcdef", probe=probe).probed == b"def"
    large = store.receive(Endless(LARGE), "s1-2", probe)
    assert large.probed == bytes(3)
    store.sync([large])


def test_memory_is_flat(url):
    """A large file goes in and comes out in chunks."""
    done = subprocess.run([sys.executable, "-c", FLAT, url], capture_output=True, text=True, timeout=100)
    assert int(done.stdout) < 150_000, done.stderr  # kilobytes: parts on their way, several at a time


def test_what_is_discarded_is_gone(store):
    """A file that came to no name leaves nothing, settled or not."""
    store.discard(store.receive(io.BytesIO(b"1"), "s1-1"))
    store.discard(put(store, b"2", "s1-2"))
    assert paths(store) == []


def test_a_stream_that_breaks_off_leaves_nothing(store):
    """The stream's own error goes through, and nothing of it is kept."""

    class Broken(Endless):
        def read(self, size):
            if self.left < LARGE // 2:
                raise ValueError("gone")
            return super().read(size)

    for size in (10, LARGE):
        with pytest.raises(ValueError, match="gone"):
            store.receive(Broken(size), "s1-1")
    assert paths(store) == []


def test_a_damaged_file_is_put_aside(store):
    """In quarantine a file is read and listed by nobody, and it is still there."""
    received = put(store, b"rotten")
    store.quarantine(received.hash, received.generation)
    store.quarantine(received.hash, received.generation)
    assert store.size(received.hash, received.generation) is None
    assert paths(store) == []
    with pytest.raises(ServerBusy):
        read(store, received)


def test_a_missing_file_is_an_error(store):
    """What is not there has no size, and cannot be read."""
    absent = base64.b64encode(bytes(32)).decode()
    assert store.size(absent, "s1-1") is None
    with pytest.raises(ServerBusy):
        next(store.read(absent, "s1-1", 0, 1))


def test_names_are_told_from_others():
    """Only a sha256 with a dot after it is a name."""
    content = base64.b64encode(bytes(32)).decode()
    assert hash_from_name(blob_path(content, "g").partition("/")[2]) == content
    for other in ("", "readme.txt", "0" * 64, "x" * 64 + ".1"):
        assert hash_from_name(other) is None


@pytest.mark.parametrize("url", ["http://x/y", "s3://", "gs://b/p", "s3://user@b/p", "s3://b?x=1", "file://host/x"])
def test_an_address_that_is_none_is_refused(url):
    """What names neither folder nor bucket is said so."""
    with pytest.raises(ValueError, match="s3://bucket/prefix"):
        open_blob_store(url)


def test_a_folder_may_be_given_as_a_url(tmp_path):
    """``file://`` names a folder; spaces in it are written as urls write them."""
    assert open_blob_store((tmp_path / "a b").as_uri()).address == str(tmp_path / "a b")


def test_the_trash_gives_back_and_is_emptied_by_days(store):
    """A trashed file is no file; looked at or read it is back; old days are emptied and younger ones are not."""
    received = [put(store, str(number).encode(), f"g{number}") for number in range(3)]
    expected_paths = [blob_path(entry.hash, entry.generation) for entry in received]
    for path, day in zip(expected_paths, ("2026-01-01", "2026-01-02", "2026-01-03"), strict=True):
        store.trash(path, day)
        store.trash(path, day)  # it is gone: nothing happens
    assert list(store.files()) == []
    assert store.size(received[2].hash, received[2].generation) == 1
    assert b"".join(store.read(received[1].hash, received[1].generation, 0, 1)) == b"1"
    assert [file.path for file in store.files()] == sorted(expected_paths[1:])
    for path, day in zip(expected_paths[1:], ("2026-01-02", "2026-01-03"), strict=True):
        store.trash(path, day)
    assert store.empty_trash("2026-01-03", 1) == 1
    assert store.empty_trash("2026-01-03", 100) == 1
    assert store.empty_trash("2026-01-03", 100) == 0
    assert store.size(received[0].hash, received[0].generation) is None
    assert store.size(received[2].hash, received[2].generation) == 1


def test_a_mark_is_kept_beside_the_files(store):
    """It is read as it was written, and is no blob."""
    assert store.read_mark() is None
    for mark in (b"one", b"another"):
        store.write_mark(mark)
        assert store.read_mark() == mark
    assert list(store.files()) == []


def test_a_trial_is_no_blob(store):
    """Writing as a trial leaves nothing that is listed, however often."""
    for _ in range(2):
        store.check_writable()
    assert paths(store) == []
