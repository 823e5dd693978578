"""Files over HTTP: up and down in streams, whole or in part, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import socket
import time

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.http import request_body
from autoflow.server.http.responses import parse_range

DATA = bytes(range(256)) * 4


def stray(client):
    """Files that are being received, or were left behind."""
    folder = os.path.join(client.server._context.blobs.address, "new")
    return os.listdir(folder) if os.path.isdir(folder) else []


def test_a_file_goes_up_and_comes_down(client):
    """A file is uploaded as the SDK does it, and downloaded by path and by number."""
    uploaded = client.put("/models/a b.pt", DATA)
    assert uploaded["meta"]["size"] == len(DATA)
    for body in ({"teamId": 1, "path": "/models/a b.pt"}, {"id": uploaded["id"]}):
        response = client.post("file-storage.download", json=body)
        assert response.content == DATA
        assert response.headers["x-content-checksum-sha256"] == uploaded["hash"]
    client.refused(404, "file-storage.download", json={"teamId": 1, "path": "/none"})


def test_the_full_storage_url_leads_to_the_bytes(client):
    """`fullStorageUrl` is absolute, of the host in the request, and answers a GET."""
    uploaded = client.put(data=DATA)
    assert uploaded["fullStorageUrl"].startswith(client.url + "/")
    response = client.session.get(uploaded["fullStorageUrl"], timeout=60)
    assert (response.content, response.headers["Accept-Ranges"]) == (DATA, "bytes")
    other = client.post("file-storage.info", json={"id": uploaded["id"]}, headers={"Host": "localhost:1"}).json()
    assert other["fullStorageUrl"].startswith("http://localhost:1/")
    assert client.send("GET", "/storage/files/999").status_code == 404
    assert client.server.call("file-storage.info", {"id": uploaded["id"]})["fullStorageUrl"] is None


def test_a_part_of_a_file_is_answered(client):
    """A range is 206 with where it stands, by POST and GET; one that is none is all, one beyond the end 416."""
    uploaded = client.put(data=DATA)
    for send in (
        lambda header: client.post("file-storage.download", json={"id": uploaded["id"]}, headers=header),
        lambda header: client.send("GET", f"/storage/files/{uploaded['id']}", headers=header),
    ):
        response = send({"Range": "bytes=10-19"})
        assert (response.status_code, response.content) == (206, DATA[10:20])
        assert response.headers["Content-Range"] == f"bytes 10-19/{len(DATA)}"
        assert send({"Range": "bytes=1000-"}).content == DATA[1000:]
        assert send({"Range": "bytes=-7"}).content == DATA[-7:]
        assert send({"Range": "lines=1-2"}).content == DATA
        assert send({"Range": "bytes=10-19", "If-Range": '"other"'}).content == DATA
        assert send({"Range": "bytes=10-19", "If-Range": response.headers["ETag"]}).content == DATA[10:20]
        beyond = send({"Range": "bytes=1024-"})
        assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(DATA)}")


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        (None, 10, None),
        ("bytes=0-", 10, (0, 10)),
        ("bytes=2-4", 10, (2, 5)),
        ("bytes=2-400", 10, (2, 10)),
        ("bytes=-4", 10, (6, 10)),
        ("bytes=-40", 10, (0, 10)),
        ("bytes=4-2", 10, None),
        ("bytes=-", 10, None),
        ("bytes=1-2,4-5", 10, None),
        ("bytes=a-b", 10, None),
        ("bytes=10-", 10, 416),
        ("bytes=-0", 10, 416),
        ("bytes=0-", 0, 416),
    ],
)
def test_ranges_are_read_by_the_rules(header, size, expected):
    """Both ends, one end, a suffix; several ranges and nonsense are no range; beyond the end is 416."""
    if expected == 416:
        with pytest.raises(ServerRefused):
            parse_range(header, size)
    else:
        assert parse_range(header, size) == expected


def test_an_unchanged_file_is_not_sent_again(client):
    """A client that has the content gets 304, and HEAD gives the head alone."""
    uploaded = client.put(data=DATA)
    path = f"/storage/files/{uploaded['id']}"
    head = client.send("HEAD", path)
    assert (head.headers["Content-Length"], head.content) == (str(len(DATA)), b"")
    assert client.send("GET", path, headers={"If-None-Match": head.headers["ETag"]}).status_code == 304


def test_a_file_is_never_a_page_of_this_site(client):
    """Whatever type its uploader gave it, a browser saves a file and runs nothing of it; no name breaks the header."""
    name = 'x"\u00e4;.html'
    fields = [("name", (None, name)), ("path", (None, "/")), ("file", ("x.html", b"<script>1</script>", "text/html"))]
    uploaded = client.post("file-storage.bulk.upload?teamId=1", files=fields).json()[0]
    assert uploaded["name"] == name
    response = client.send("GET", f"/storage/files/{uploaded['id']}")
    assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''x%22%C3%A4%3B.html"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    odd = [("name", (None, "b")), ("path", (None, "/")), ("file", ("b", b"", "text/html\u00e4 x"))]
    uploaded = client.post("file-storage.bulk.upload?teamId=1", files=odd).json()[0]
    assert client.send("GET", f"/storage/files/{uploaded['id']}").headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("x.js", None),
        ("x.mjs", "application/javascript"),
        ("x.css", "text/css"),
        ("x.html", "text/html"),
        ("x.xhtml", "application/xhtml+xml"),
        ("x.xml", "text/xml"),
        ("x.wasm", "application/wasm"),
        ("x", "text/javascript; charset=utf-8"),
        ("x", "text/ecmascript"),
        ("x", "image/png, text/javascript"),
        ("x", "multipart/x-mixed-replace; boundary=a"),
    ],
)
def test_no_uploaded_file_has_a_type_that_a_browser_runs(client, name, declared):
    """A script, style or document is sent as bytes: by nosniff, `<script src>` of it is refused on this origin too."""
    file = ("x", b"alert(1)") if declared is None else ("x", b"alert(1)", declared)
    fields = [("name", (None, name)), ("path", (None, "/")), ("file", file)]
    uploaded = client.post("file-storage.bulk.upload?teamId=1", files=fields).json()[0]
    by_method = client.post("file-storage.download", json={"id": uploaded["id"]})
    for response in (client.send("GET", f"/storage/files/{uploaded['id']}"), by_method):
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize("path", ["../../etc/passwd", "/../x", "/a/../../b", "\0", "..", "/a\\..\\b"])
def test_a_path_is_a_name_and_leads_nowhere(client, tmp_path, path):
    """Paths in team files are data: whatever they say, only the folder of blobs is written."""
    before = set(os.listdir(tmp_path))
    fields = [("name", (None, "x")), ("path", (None, path)), ("file", ("x", b"data"))]
    response = client.post("file-storage.bulk.upload?teamId=1", files=fields)
    assert response.status_code in {200, 400}
    names = [("name", (None, path)), ("path", (None, "/")), ("file", (path, b"data"))]
    assert client.post("file-storage.bulk.upload?teamId=1", files=names).status_code in {200, 400}
    client.post("file-storage.download", json={"teamId": 1, "path": path})
    assert set(os.listdir(tmp_path)) == before
    assert set(os.listdir(tmp_path / "home")) <= {
        "blobs",
        *(f"platform.db{end}" for end in ("", "-wal", "-shm", "-lock", ".lock")),
    }


def test_a_refused_upload_is_read_to_its_end(client):
    """An upload to a team that is not there is 404 though the client was still sending, and nothing is kept."""
    fields = [("name", (None, "x")), ("path", (None, "/")), ("file", ("x", b"0" * 8_000_000))]
    client.refused(404, "file-storage.bulk.upload?teamId=9", files=fields)
    assert stray(client) == []


def _wait(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_an_upload_that_breaks_off_leaves_nothing(client, monkeypatch):
    """A client that goes away in the middle of a file too long to be received first leaves no file and no bytes."""
    monkeypatch.setattr(request_body, "MAX_SPOOLED", 100_000)
    host, port = client.url.removeprefix("http://").split(":")
    head = (
        f"POST /public/api/v3/file-storage.bulk.upload?teamId=1 HTTP/1.1\r\nHost: {host}:{port}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 90000000\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n'
        '--x\r\nContent-Disposition: form-data; name="path"\r\n\r\n/\r\n'
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    )
    with contextlib.closing(socket.create_connection((host, int(port)))) as connection:
        connection.sendall(head.encode() + b"0" * 300_000)
        _wait(lambda: stray(client))
    _wait(lambda: not stray(client))
    assert client.call("autoflow.changes") == {"changes": 0}
    assert client.post("file-storage.list", json={"teamId": 1, "path": "/"}).json() == []


@pytest.mark.parametrize("spooled", [0, 1000, 100_000, 10_000_000])
def test_a_file_arrives_whole_however_much_is_received_first(client, monkeypatch, spooled):
    """What was received before the upload began and what comes after are one file."""
    monkeypatch.setattr(request_body, "MAX_SPOOLED", spooled)
    data = os.urandom(3_000_000)
    uploaded = client.put("/a.bin", data)
    assert client.send("GET", f"/storage/files/{uploaded['id']}").content == data
    assert not request_body.DISK._held


def test_a_file_that_cannot_be_read_is_no_half_answer(client):
    """When the bytes are gone from the disk the response is an error to try again, not a short file."""
    uploaded = client.put(data=DATA)
    for folder, _folders, names in os.walk(client.server._context.blobs.address):
        for name in names:
            os.unlink(os.path.join(folder, name))
    assert client.post("file-storage.download", json={"id": uploaded["id"]}).status_code == 503


def test_an_image_is_fetched_by_its_address(client):
    """An image's `fullStorageUrl` gives its bytes, and that of a linked one is the link."""
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (4, 3)).save(stream, "PNG")
    (uploaded,) = client.post("images.bulk.upload", files={"0-file": ("0", stream.getvalue())}).json()
    project = client.call("projects.add", workspaceId=1, name="p")["id"]
    dataset = client.call("datasets.add", projectId=project, name="d")["id"]
    images = [{"title": "a", "hash": uploaded["hash"]}, {"title": "b", "link": "http://elsewhere/b.png"}]
    stored, linked = client.call("images.bulk.add", datasetId=dataset, images=images)
    response = client.session.get(stored["fullStorageUrl"], timeout=60)
    assert (response.content, response.headers["Content-Type"]) == (stream.getvalue(), "image/png")
    assert linked["fullStorageUrl"] == "http://elsewhere/b.png"
    small = client.send("GET", f"/previews/q/ext:png/resize:fit:2:0:0/q:70/plain/storage/images/{stored['id']}")
    assert (small.status_code, small.headers["Content-Type"]) == (200, "image/png")
    assert client.send("GET", "/previews/q/ext:png/resize:fit:2:0:0/q:70/plain/storage/images/99").status_code == 404
    assert client.send("GET", "/previews/q/ext:gif/plain/storage/images/1").status_code == 400
    pictured = client.call("projects.info", id=project)["referenceImageUrl"]
    assert client.session.get(pictured, timeout=60).headers["Content-Type"] == "image/jpeg"
    empty = client.call("projects.add", workspaceId=1, name="empty")["referenceImageUrl"]
    assert client.session.get(empty, timeout=60).status_code == 200


def test_a_file_may_be_the_body_itself(client):
    """As the SDK's asynchronous uploads send it: the team and the path are in the query, the body is the bytes."""
    send = {"data": iter([DATA[:100], DATA[100:]]), "headers": {"Content-Type": "application/octet-stream"}}
    uploaded = client.post("file-storage.upload?teamId=1&path=%2Fa%2Fb.bin", **send).json()
    assert (uploaded["path"], uploaded["meta"]["size"]) == ("/a/b.bin", len(DATA))
    assert client.send("GET", f"/storage/files/{uploaded['id']}").content == DATA
    for query in ("teamId=9&path=%2Fa", "teamId=1", "teamId=1&path=%2Fa%2F"):
        response = client.post(f"file-storage.upload?{query}", data=b"x", headers=send["headers"])
        assert response.status_code == (404 if "9" in query else 400)
    fields = [("name", (None, "c")), ("path", (None, "/a/")), ("file", ("c", b"1"))]
    assert client.post("file-storage.upload?teamId=1", files=fields).json()["path"] == "/a/c"
    two = [*fields, ("name", (None, "d")), ("path", (None, "/a/")), ("file", ("d", b"1"))]
    client.refused(400, "file-storage.upload?teamId=1", files=two)
    client.refused(400, "file-storage.upload?teamId=1", files=fields[:2])
    assert stray(client) == []
