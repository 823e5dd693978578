"""Consistent reads of files, walks of folders, and the cache."""

from __future__ import annotations

import os
import sqlite3
import threading

import pytest

from autoflow.datasets import cache_store, reading, tree
from autoflow.errors import FolderError
from tests.datasets.conftest import hash_of


def test_a_file_is_read_with_its_stamp(tmp_path):
    """The stamp of a file that was just written is empty: the next write might not change it."""
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    content = reading.read(str(path))
    assert (content.data, content.hash, content.size, content.stamp) == (b"abc", hash_of(b"abc"), 3, b"")
    assert reading.read(str(path), max_kept=-1).data is None


def test_an_old_file_has_a_stamp(tmp_path, later):
    """It equals the stamp of the walk."""
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert reading.read(str(path)).stamp == tree.walk(str(tmp_path)).stamp("a") != b""
    assert tree.stamp_size(reading.read(str(path)).stamp) == 3


def test_a_large_file_is_hashed_only(tmp_path, monkeypatch):
    """Its data is not kept, and the hash is that of the complete file."""
    monkeypatch.setattr(reading, "_CHUNK", 4)
    (tmp_path / "a").write_bytes(b"x" * 11)
    content = reading.read(str(tmp_path / "a"), max_kept=10)
    assert (content.data, content.hash) == (None, hash_of(b"x" * 11))


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path, monkeypatch):
    """The result is its final content, whether it grew, shrank or was overwritten."""
    path = tmp_path / "a"
    real = os.read
    for content in (b"longer than it was", b"less", b"0123456789"):
        path.write_bytes(b"abcdefghij")
        pending = [content]

        def read(descriptor, size, pending=pending):
            chunk = real(descriptor, size)
            if pending:
                path.write_bytes(pending.pop())
                os.utime(path, ns=(0, 0))
            return chunk

        monkeypatch.setattr(os, "read", read)
        assert reading.read(str(path)).data == content
        monkeypatch.setattr(os, "read", real)


def test_files_that_are_not_regular(tmp_path):
    """A link, a pipe and a missing file are errors that name them; a pipe does not block."""
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("a")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FolderError, match="link' cannot be read"):
        reading.read(str(tmp_path / "link"))
    assert reading.read(str(tmp_path / "link"), follow=True).data == b"abc"
    with pytest.raises(FolderError, match="pipe' is no longer a regular file"):
        reading.read(str(tmp_path / "pipe"))
    with pytest.raises(FolderError, match="none' cannot be read"):
        reading.read(str(tmp_path / "none"))


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path, monkeypatch):
    """The error names it."""
    (tmp_path / "closed").mkdir()
    real = os.scandir

    def scandir(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(FolderError, match=r"closed' cannot be read \(Permission denied\)"):
        tree.walk(str(tmp_path))


def test_a_circle_of_links_is_walked_once(tmp_path):
    """Each folder is walked once if links are followed."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"1")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to("a")
    walked = tree.walk(str(tmp_path), follow=True)
    assert sum("x.png" in files for files in walked.files.values()) == 1
    assert len(walked.links) == 2
    assert tree.walk(str(tmp_path)).links == ["b", "a/up"]


def test_a_damaged_cache_is_replaced(tmp_path, caplog):
    """An empty one is used, with a warning."""
    path = tmp_path / "cache.db"
    path.write_bytes(b"no database at all, but long enough to look like something" * 40)
    cache = cache_store.open_cache(str(path))
    cache.update_state(a=1)
    assert (cache.state(), cache.datasets()) == ({"a": 1}, [])
    cache.close()
    assert "damaged" in caplog.text


def test_images_of_another_cache_format_are_discarded(tmp_path, monkeypatch):
    """The values about the whole folder are kept."""
    cache = cache_store.open_cache(str(tmp_path / "cache.db"))
    cache.update_state(created="x")
    cache.store("d", [("n", cache_store.CachedImage(b"1", b"2", "h", 3, "m"))])
    cache.close()
    monkeypatch.setattr(cache_store, "_FORMAT", 99)
    cache = cache_store.open_cache(str(tmp_path / "cache.db"))
    assert (cache.state(), cache.datasets()) == ({"created": "x"}, [])
    cache.close()


def test_imports_of_a_folder_are_serialized(tmp_path, caplog):
    """The second process waits for the first."""
    caplog.set_level("INFO")
    order = []
    entered, released = threading.Event(), threading.Event()

    def first():
        with cache_store.locked_store("embedded", "/x"):
            entered.set()
            released.wait(60)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait(60)
    real = cache_store.fcntl.flock

    def flock(descriptor, operation):
        if not operation & cache_store.fcntl.LOCK_NB:
            released.set()
        return real(descriptor, operation)

    cache_store.fcntl.flock = flock
    try:
        with cache_store.locked_store("embedded", "/x"):
            order.append("second")
    finally:
        cache_store.fcntl.flock = real
    thread.join()
    assert order == ["first", "second"]
    assert "waiting until it has finished" in caplog.text


def test_without_a_state_folder_nothing_is_cached(monkeypatch):
    """The store is usable but empty."""
    monkeypatch.setattr(cache_store.home, "find", lambda: None)
    with cache_store.locked_store("embedded", "/x") as caches:
        assert caches.projects() == []
        cache = caches.open(1)
        cache.update_state(a=1)
        cache.close()
        caches.remove(1)
        assert caches.projects() == []


def test_a_cache_of_the_first_format_is_migrated(tmp_path):
    """Its images and values are kept under the present names."""
    conn = sqlite3.connect(tmp_path / "cache.db")
    conn.executescript(
        """
        CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE item (
            dataset TEXT, name TEXT, image BLOB NOT NULL, labels BLOB NOT NULL, hash TEXT NOT NULL,
            id INTEGER NOT NULL, mark TEXT NOT NULL, PRIMARY KEY (dataset, name)
        ) WITHOUT ROWID;
        INSERT INTO about VALUES ('seal', '"f"'), ('digest', '"d"');
        INSERT INTO item VALUES ('x', '1.png', x'01', x'02', 'h', 3, 'e');
        PRAGMA user_version = 1;
        """
    )
    conn.close()
    cache = cache_store.open_cache(str(tmp_path / "cache.db"))
    assert cache.state() == {"fingerprint": "f", "digest": "d"}
    assert cache.images("x") == {"1.png": cache_store.CachedImage(b"\1", b"\2", "h", 3, "e")}
    cache.close()
