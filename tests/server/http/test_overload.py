"""A real server process under requests meant to stop it: it answers others, and its memory stays bounded."""

from __future__ import annotations

import contextlib
import io
import socket
import threading

import pytest
import requests
from PIL import Image

from tests.serving import serving

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server process: its number, its url, and a session that asks it."""
    with (
        serving("--data", str(tmp_path_factory.mktemp("overload"))) as (process, url, _lines),
        requests.Session() as session,
    ):
        session.trust_env = False
        yield process, url, session


def call(server, method, **request):
    return server[2].post(f"{server[1]}/public/api/v3/{method}", timeout=60, **request)


def put(server, data=b"weights"):
    fields = [("name", (None, "a")), ("path", (None, "/")), ("file", ("a", data))]
    return call(server, "file-storage.bulk.upload?teamId=1", files=fields)


def memory(server, name):
    with open(f"/proc/{server[0].pid}/status", encoding="ascii") as status:
        (line,) = [line for line in status if line.startswith(name)]
    return int(line.split()[1]) * 1024


HEADS = {
    "form": b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 90000000\r\n\r\n--x\r\n"
    b'Content-Disposition: form-data; name="name"\r\n\r\na\r\n--x\r\n'
    b'Content-Disposition: form-data; name="path"\r\n\r\n/\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n',
    "body": b"Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    "json": b"Content-Type: application/json\r\nContent-Length: 15000000\r\n\r\n[",
}


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("method", ["file-storage.upload?teamId=1&path=%2Fx", "file-storage.bulk.upload?teamId=1"])
def test_slow_requests_block_no_other(server, method, kind):
    """Two hundred uploads that stand still: reads, writes, uploads and pages are answered all the same."""
    host, port = server[1].removeprefix("http://").split(":")
    head = f"POST /public/api/v3/{method} HTTP/1.1\r\nHost: {host}:{port}\r\n".encode()
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            slow = stack.enter_context(socket.create_connection((host, int(port)), timeout=30))
            slow.sendall(head + HEADS[kind] + b"1000\r\n" + b"0" * 3000)
        assert put(server).status_code == 200
        assert call(server, "instance.version", json={}).status_code == 200
        assert call(server, "projects.add", json={"workspaceId": 1, "name": f"{kind}{method}"}).status_code == 200
        assert server[2].get(server[1] + "/", timeout=60).status_code == 200


@pytest.mark.parametrize("element", [b"[],", b"{},", b'"aaa",', b"[[[[[[]]]]]],", b'{"a":{}},'])
def test_bodies_that_unfold_take_bounded_memory(server, element):
    """Eight bodies of 15 MiB at once, of values that take the most memory: the server refuses or bears them."""
    data = b"[" + element * (15 * MIB // len(element)) + b"0]"
    statuses = []

    def send():
        answer = requests.post(server[1] + "/public/api/v3/images.internal.hashes.list", data=data, timeout=100)
        statuses.append(answer.status_code)

    sending = [threading.Thread(target=send) for _ in range(8)]
    for entry in sending:
        entry.start()
    for entry in sending:
        entry.join()
    assert len(statuses) == 8
    assert set(statuses) <= {200, 400, 413, 503}
    assert memory(server, "VmHWM") < 1200 * MIB
    assert call(server, "instance.version", json={}).status_code == 200


def test_a_preview_costs_the_server_no_memory(server):
    """A PNG of some hundred kilobytes that unfolds to gigabytes has no preview, and the response says why."""
    stream = io.BytesIO()
    Image.new("RGB", (13_000, 13_000)).save(stream, "PNG")
    before = memory(server, "VmRSS")
    (response,) = call(server, "images.bulk.upload", files={"0-file": ("0", stream.getvalue())}).json()
    project = call(server, "projects.add", json={"workspaceId": 1, "name": "bombs"}).json()["id"]
    dataset = call(server, "datasets.add", json={"projectId": project, "name": "d"}).json()["id"]
    body = {"datasetId": dataset, "images": [{"title": "a", "hash": response["hash"]}]}
    (image,) = call(server, "images.bulk.add", json=body).json()
    for _ in range(3):
        answer = server[2].get(f"{server[1]}/storage/previews/{image['id']}", timeout=60)
        assert answer.status_code == 404
        assert "13000 x 13000 pixels" in answer.json()["details"]["message"]
    assert memory(server, "VmRSS") - before < 100 * MIB


def test_a_form_of_parts_without_end_is_refused(server):
    """A hundred thousand parts, or fields, are 413; nothing of them stays."""
    for part in (
        b'Content-Disposition: form-data; name="a"',
        b'Content-Disposition: form-data; name="f"; filename="f"',
    ):
        data = (b"--x\r\n" + part + b"\r\n\r\n1\r\n") * 100_000 + b"--x--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = call(server, "file-storage.bulk.upload?teamId=1", data=data, headers=headers)
        assert answer.status_code in {400, 413}
    assert put(server).status_code == 200
