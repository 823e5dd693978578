"""Files are read whole and as they were at one moment; what a folder holds is looked at without opening anything."""

from __future__ import annotations

import os
import threading

import pytest

from autoflow.datasets import cache_store, reading, tree
from autoflow.errors import FolderError
from tests.datasets.conftest import hash_of


def test_a_file_is_read_with_its_stamp(tmp_path):
    """The stamp of a file that was just written is not told: it might not change with the next writing."""
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    content = reading.read(str(path))
    assert (content.kept, content.hash, content.size, content.stamp) == (b"abc", hash_of(b"abc"), 3, b"")
    assert reading.read(str(path), keep=-1).kept is None


def test_an_old_file_has_a_stamp(tmp_path, later):
    """It is the one that a walk finds."""
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert reading.read(str(path)).stamp == tree.walk(str(tmp_path)).stamp("a") != b""
    assert tree.size_of(reading.read(str(path)).stamp) == 3


def test_a_large_file_is_not_kept(tmp_path, monkeypatch):
    """Its hash is that of all of it."""
    monkeypatch.setattr(reading, "_CHUNK", 4)
    (tmp_path / "a").write_bytes(b"x" * 11)
    content = reading.read(str(tmp_path / "a"), keep=10)
    assert (content.kept, content.hash) == (None, hash_of(b"x" * 11))


def test_a_file_that_changed_once_is_read_again(tmp_path, monkeypatch):
    """What is told is what it is in the end, whether it grew, shrank or was written over."""
    path = tmp_path / "a"
    real = os.read
    for content in (b"longer than it was", b"less", b"0123456789"):
        path.write_bytes(b"abcdefghij")
        once = [content]

        def read(descriptor, size, once=once):
            found = real(descriptor, size)
            if once:
                path.write_bytes(once.pop())
                os.utime(path, ns=(0, 0))
            return found

        monkeypatch.setattr(os, "read", read)
        assert reading.read(str(path)).kept == content
        monkeypatch.setattr(os, "read", real)


def test_what_is_no_regular_file(tmp_path):
    """A link, a pipe and a file that cannot be read are told by their paths; a pipe is not waited for."""
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("a")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FolderError, match="link' cannot be read"):
        reading.read(str(tmp_path / "link"))
    assert reading.read(str(tmp_path / "link"), follow=True).kept == b"abc"
    with pytest.raises(FolderError, match="pipe' is no longer a regular file"):
        reading.read(str(tmp_path / "pipe"))
    with pytest.raises(FolderError, match="none' cannot be read"):
        reading.read(str(tmp_path / "none"))


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    """Whatever the reason is."""
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
    """Followed links lead into each folder once."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"1")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to("a")
    found = tree.walk(str(tmp_path), follow=True)
    assert sum("x.png" in files for files in found.files.values()) == 1
    assert len(found.links) == 2
    assert tree.walk(str(tmp_path)).links == ["b", "a/up"]


def test_a_damaged_cache_is_begun_anew(tmp_path, caplog):
    """It is a cache: nothing is lost but time."""
    path = tmp_path / "cache.db"
    path.write_bytes(b"no database at all, but long enough to look like something" * 40)
    found = cache_store.open_file(str(path))
    found.note(a=1)
    assert (found.about(), found.datasets()) == ({"a": 1}, [])
    found.close()
    assert "damaged" in caplog.text


def test_a_cache_of_another_form_is_begun_anew(tmp_path, monkeypatch):
    """What is known of the whole stays: which project it is."""
    found = cache_store.open_file(str(tmp_path / "cache.db"))
    found.note(created="x")
    found.keep("d", [("n", cache_store.Row(b"1", b"2", "h", 3, "m"))])
    found.close()
    monkeypatch.setattr(cache_store, "_FORMAT", 99)
    found = cache_store.open_file(str(tmp_path / "cache.db"))
    assert (found.about(), found.datasets()) == ({"created": "x"}, [])
    found.close()


def test_one_folder_is_made_a_project_by_one_at_a_time(tmp_path, caplog):
    """Who comes second waits for the first."""
    caplog.set_level("INFO")
    order = []
    inside, go_on = threading.Event(), threading.Event()

    def first():
        with cache_store.shelf("embedded", "/x"):
            inside.set()
            go_on.wait(60)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(60)
    real = cache_store.fcntl.flock

    def flock(descriptor, how):
        if not how & cache_store.fcntl.LOCK_NB:
            go_on.set()
        return real(descriptor, how)

    cache_store.fcntl.flock = flock
    try:
        with cache_store.shelf("embedded", "/x"):
            order.append("second")
    finally:
        cache_store.fcntl.flock = real
    thread.join()
    assert order == ["first", "second"]
    assert "waits until that is done" in caplog.text


def test_without_a_home_nothing_is_kept(monkeypatch):
    """The folder becomes a project all the same."""
    monkeypatch.setattr(cache_store.home, "find", lambda: None)
    with cache_store.shelf("embedded", "/x") as found:
        assert found.projects() == []
        opened = found.open(1)
        opened.note(a=1)
        opened.close()
        found.remove(1)
        assert found.projects() == []
