"""Team files: whole or not at all, never overwritten, found by path and by number."""

from __future__ import annotations

import base64
import hashlib
import io
import os

import pytest

from autoflow.errors import ServerBusy, ServerRefused
from autoflow.server.blobs import durable
from autoflow.wire.parts import Part
from tests.blobs import blob_files


def read(filled, **body):
    return b"".join(filled.server.download("file-storage.download", body))


def current(tmp_path):
    return blob_files(tmp_path / "home" / "blobs")


def test_a_file_is_uploaded_and_read(filled, tmp_path):
    """A file comes back as it was sent, described as the SDK reads it, kept read-only under its sha256."""
    response = filled.file("/models/best.pt", b"weights")
    digest = hashlib.sha256(b"weights").digest()
    assert response["path"] == "/models/best.pt"
    assert response["meta"] == {"mime": "application/octet-stream", "ext": "pt", "size": 7}
    assert response["hash"] == base64.b64encode(digest).decode()
    assert read(filled, teamId=1, path="/models/best.pt") == read(filled, id=response["id"]) == b"weights"
    assert filled.call("file-storage.info", id=str(response["id"])) == response
    (path,) = current(tmp_path)
    assert os.path.basename(path).startswith(digest.hex() + ".")
    assert os.path.basename(os.path.dirname(path)) == digest.hex()[:2]
    assert os.stat(path).st_mode & 0o222 == 0


def test_a_taken_path_gets_a_new_file(filled):
    """Uploading to a path again makes a new number; the old one reads as it did."""
    old, new = filled.file(data=b"one"), filled.file(data=b"two")
    assert old["id"] != new["id"]
    assert read(filled, teamId=1, path="/models/best.pt") == b"two"
    assert read(filled, id=old["id"]) == b"one"
    assert [file["id"] for file in filled.call("file-storage.list", teamId=1, path="/models/best.pt")] == [new["id"]]


def test_equal_bytes_are_kept_once(filled, tmp_path):
    """Two files with the same content are one blob, and no stray file is left."""
    filled.file("/a", b"same")
    filled.file("/b", b"same")
    assert len(current(tmp_path)) == 1


def test_several_files_are_answered_in_order(filled):
    """A bulk upload is answered in the order sent, and a name twice in one request is the last one's."""
    parts = []
    for name, data in (("a.txt", b"1"), ("b.txt", b"2"), ("a.txt", b"3")):
        parts += [Part("name", name), Part("path", "/x/"), Part("file", io.BytesIO(data), name, "text/plain")]
    response = filled.server.upload("file-storage.bulk.upload", parts, {"teamId": "1"})
    assert [file["name"] for file in response] == ["a.txt", "b.txt", "a.txt"]
    assert read(filled, teamId=1, path="/x/a.txt") == b"3"
    assert len(filled.call("file-storage.list", teamId=1, path="/x/", recursive=True)) == 2


def test_a_failed_upload_leaves_nothing(filled, tmp_path):
    """When a later part is refused no file is there and no bytes are kept."""
    parts = [
        Part("name", "a"),
        Part("path", "/"),
        Part("file", io.BytesIO(b"1"), "a"),
        Part("file", io.BytesIO(b"2"), "b"),
    ]
    with pytest.raises(ServerRefused, match="path"):
        filled.server.upload("file-storage.bulk.upload", parts, {"teamId": 1})
    assert filled.call("file-storage.list", teamId=1, path="/") == []
    assert current(tmp_path) == []
    with pytest.raises(ServerRefused, match="team 9"):
        filled.file(team=9)


def test_a_full_disk_is_busy_and_leaves_nothing(filled, tmp_path, monkeypatch):
    """Bytes the disk does not take are busy: the client keeps them, the server keeps no part of them."""

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)
    with pytest.raises(ServerBusy, match="No space left"):
        filled.file()
    assert current(tmp_path) == []


def test_folders_are_listed(filled):
    """Recursive lists all files below, not recursive what is right there, folders included, prefixes not confused."""
    for path in ("/a/1.txt", "/a/b/2.txt", "/a/b/3.txt", "/ab/4.txt"):
        filled.file(path)
    paths = lambda **body: [file["path"] for file in filled.call("file-storage.list", teamId=1, **body)]  # noqa: E731
    assert paths(path="/a", recursive=True) == ["/a/1.txt", "/a/b/2.txt", "/a/b/3.txt"]
    assert paths(path="/a/", recursive=False) == ["/a/1.txt", "/a/b/"]
    assert paths(path="a/b/2.txt", recursive=True) == ["/a/b/2.txt"]
    assert len(paths(path="/", recursive=True)) == 4
    assert paths(path="/none", recursive=True) == []


def test_files_and_folders_are_removed(filled):
    """A removed file is gone from its path but reads on by its number; a folder goes with all in it."""
    first = filled.file("/a/1.txt", b"1")
    filled.file("/a/b/2.txt")
    filled.call("file-storage.remove", teamId=1, path="/a/1.txt")
    assert read(filled, id=first["id"]) == b"1"
    filled.call("file-storage.remove", teamId=1, path="/a/")
    assert filled.call("file-storage.list", teamId=1, path="/", recursive=True) == []
    with pytest.raises(ServerRefused, match=r"/a/1\.txt"):
        read(filled, teamId=1, path="/a/1.txt")
    with pytest.raises(ServerRefused, match="unknown"):
        filled.call("file-storage.remove", teamId=1, path="/a/1.txt")


@pytest.mark.parametrize(
    ("name", "path"), [("..", "/x/"), ("a/b", "/x/"), ("a", "/../etc/"), ("", "/x/"), ("a\0", "/"), (".", "/")]
)
def test_a_name_that_leads_elsewhere_is_refused(filled, name, path):
    """A file's name is one step and its path has no `..`."""
    parts = [Part("name", name), Part("path", path), Part("file", io.BytesIO(b"x"), None)]
    with pytest.raises(ServerRefused) as refusal:
        filled.server.upload("file-storage.bulk.upload", parts, {"teamId": 1})
    assert refusal.value.status == 400


def test_a_download_of_nothing_is_refused_at_once(filled):
    """An unknown path or number is refused before the first chunk is asked for."""
    for body in ({"teamId": 1, "path": "/none"}, {"id": 9}, {"teamId": 9, "path": "/x"}):
        with pytest.raises(ServerRefused) as refusal:
            filled.server.download("file-storage.download", body)
        assert refusal.value.status == 404


def test_a_folder_is_listed_in_parts(filled):
    """The other list tells files and folders apart, only those wanted, and goes on after the last."""
    for path in ("/f/a.txt", "/f/in/b.txt", "/f/in/c.txt", "/g.txt"):
        filled.file(path)

    def listed(**more):
        response = filled.call("file-storage.v2.list", teamId=1, path="/f/", **more)
        return [(entry["path"], entry["type"]) for entry in response["entities"]], response["continuationToken"]

    files = [("/f/a.txt", "file"), ("/f/in/b.txt", "file"), ("/f/in/c.txt", "file")]
    assert listed() == (files, None)
    assert listed(recursive=False) == ([("/f/a.txt", "file"), ("/f/in/", "folder")], None)
    assert listed(recursive=False, files=False) == ([("/f/in/", "folder")], None)
    assert listed(recursive=False, folders=False) == ([("/f/a.txt", "file")], None)
    first, token = listed(limit=2)
    assert (first, listed(limit=2, continuationToken=token)) == (files[:2], (files[2:], None))
