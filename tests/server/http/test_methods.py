"""Methods over HTTP: what is right is answered as embedded, what is wrong is refused in words and changes nothing."""

from __future__ import annotations

import contextlib
import json
import os
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoflow.errors import ServerBusy
from autoflow.server.http import request_body
from autoflow.server.methods.admin import reproduction_tokens
from tests.server.http.conftest import Client
from tests.serving import served


def test_a_method_is_answered_as_embedded(client):
    """The answer of a method is the same over HTTP as from the dispatcher; a query is no part of its name."""
    made = client.call("projects.add", workspaceId=1, name="lemons")
    address = {"referenceImageUrl": f"{client.url}/assets/icon.svg"}  # only what is asked over HTTP has one
    assert made == {**client.server.call("projects.info", {"id": made["id"]}), **address}
    assert client.post("projects.info?x=1", json={"id": made["id"]}).json() == made
    assert client.call("instance.version")["version"] == "6.99.0"


def test_an_empty_body_is_an_empty_object(client):
    """A client that sends no body asks for the defaults."""
    assert client.post("teams.list").json()["total"] == 1


@pytest.mark.parametrize(
    "body", [b"{", b"nonsense", b'{"a": 1,}', b"\xff\xfe\xfd", b"[" * 200_000, b'{"id": ' + b"9" * 9000 + b"}"]
)
def test_what_is_no_json_is_refused(client, body):
    """A body that cannot be read is 400 and names the reason; the next request is answered."""
    client.refused(400, "projects.info", data=body)
    assert client.call("instance.version")


@pytest.mark.parametrize(
    "body", [None, 1, "text", True, [], [1], {"id": {}}, {"id": "x"}, {"id": None}, {"id": 10**30}]
)
def test_a_body_of_the_wrong_form_is_refused(client, body):
    """A body that is no object, misses a member or has one of a wrong type is 400."""
    client.refused(400, "projects.info", data=json.dumps(body))


def test_an_unknown_number_is_not_found(client):
    """A number nobody was given is 404, and the body says of what."""
    details = client.refused(404, "projects.info", json={"id": 999})
    assert (details["type"], details["id"]) == ("project", 999)


def test_a_taken_name_is_a_conflict(client):
    """A name that is used is 409 and nothing is made."""
    client.call("projects.add", workspaceId=1, name="lemons")
    client.refused(409, "projects.add", json={"workspaceId": 1, "name": "lemons"})
    assert client.call("projects.list")["total"] == 1


def test_the_names_of_images_that_are_taken_are_told_as_the_sdk_reads_them(client):
    """Details of a refusal stand beside its message."""
    project = client.call("projects.add", workspaceId=1, name="p")["id"]
    dataset = client.call("datasets.add", projectId=project, name="d")["id"]
    body = {"datasetId": dataset, "images": [{"title": "a", "link": "http://x/a.png"}]}
    client.post("images.bulk.add", json=body)
    assert client.refused(400, "images.bulk.add", json=body)["type"] == "NONUNIQUE"


def test_a_long_body_is_refused_and_the_connection_goes_on(client):
    """A body beyond 16 MiB is 413 without being kept, and a client that sends it to the end reads so."""
    details = client.refused(413, "autoflow.records.add", data=b" " * (16 * 1024 * 1024 + 1))
    assert details["limit"] == 16 * 1024 * 1024
    assert client.call("instance.version")
    assert client.post("instance.version", data=b" " * (16 * 1024 * 1024)).status_code == 200


def test_an_unknown_method_is_named_and_counted(client):
    """A method that is not here is 404, and how often it was asked for can be asked."""
    for _ in range(2):
        assert "figures.explode" in client.refused(404, "figures.explode", json={})["message"]
    client.refused(404, "figures.other", files={"file": b"x"})
    client.refused(404, "not a name", json={})
    counted = {entry["method"]: entry["count"] for entry in client.call("autoflow.unknown_methods")["methods"]}
    assert counted == {"figures.explode": 2, "figures.other": 1}


def test_asking_in_vain_is_no_change(client):
    """A page that polls the change counter is not woken by a client that asks for what is not here."""
    before = client.call("autoflow.changes")
    client.refused(404, "figures.explode", json={})
    assert client.call("autoflow.changes") == before


def test_a_method_asked_for_the_wrong_way_is_told_the_right_one(client):
    """A form for a method that takes JSON, and the reverse, is 400 and not counted as unknown."""
    assert "JSON" in client.refused(400, "projects.info", files={"file": b"x"})["message"]
    assert "form" in client.refused(400, "images.bulk.upload", json={})["message"]
    assert client.call("autoflow.unknown_methods")["methods"] == []


def test_another_path_or_verb_is_refused_in_the_same_form(client):
    """What is no method at all is 404, a GET of one that changes something 405, both in the wire's form."""
    for verb, path, status in (
        ("GET", "/nothing", 404),
        ("GET", "/public/api/v3/nothing", 404),
        ("GET", "/public/api/v3/projects.add", 405),
        ("PUT", "/public/api/v3/projects.info", 405),
    ):
        answer = client.send(verb, path)
        assert (answer.status_code, set(answer.json())) == (status, {"error", "details"})


def test_what_only_reads_can_be_asked_for_by_its_address(client):
    """A GET with a query is answered as a POST of the same members, as the SDK asks for a few methods."""
    made = client.call("projects.add", workspaceId=1, name="lemons")
    assert client.send("GET", f"/public/api/v3/projects.info?id={made['id']}").json() == made
    assert client.send("GET", "/public/api/v3/projects.info?id=999").status_code == 404
    assert client.send("GET", "/public/api/v3/projects.info?id=x").status_code == 400


def test_a_busy_store_asks_to_come_back(client, monkeypatch):
    """A server that cannot now is 503 with Retry-After, whatever status it has for itself."""

    def busy(*_arguments):
        raise ServerBusy("the disk is full", status=507, retry_after=2.3)

    monkeypatch.setattr(client.server, "call", busy)
    answer = client.post("projects.list", json={})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert "disk is full" in answer.json()["details"]["message"]


def test_a_failure_says_nothing_of_the_inside(client, monkeypatch, caplog):
    """What the server did not foresee is 500 in the wire's form, with its reason in the log alone."""

    def broken(*_arguments):
        raise RuntimeError("secret")

    monkeypatch.setattr(client.server, "call", broken)
    answer = client.post("projects.list", json={})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_task_is_created_for_the_client_whose_own_it_is(client):
    """``tasks.info`` answers for any free number and stores nothing, unless the client names it as its own task."""
    for header in ({}, {"x-task-id": "53"}, {"x-task-id": "nonsense"}):
        draft = client.post("tasks.info", json={"id": 52}, headers=header).json()
        assert (draft["id"], draft["teamId"], draft["status"]) == (52, 1, "queued")
        assert client.call("tasks.list", workspaceId=1)["entities"] == []
    response = client.post("tasks.info", json={"id": 52}, headers={"x-task-id": "52"}).json()
    assert (response["id"], response["teamId"], response["status"]) == (52, 1, "started")
    assert client.call("tasks.info", id="52") == response
    edge = {"teamId": 1, "node": {"type": "task", "id": "52"}, "type": "folder", "id": "/x"}
    assert client.post("workflow.node.add-output", json=edge).json() == {"success": True}


def test_a_reader_gets_its_task_without_creating_it(guarded, monkeypatch):
    """A token that may not write gets the same answer with its ``x-task-id`` as without."""
    ann = guarded.as_(guarded.server.tokens.create("ann", ["Team"]))
    task = ann.call("autoflow.runs.ensure", run="r")["task"]
    reader = guarded.as_(ann.call("autoflow.reproduction.token", task=task)["token"])
    monkeypatch.setattr(reproduction_tokens, "WRITABLE", frozenset())
    response = reader.post("tasks.info", json={"id": 52}, headers={"x-task-id": "52"}).json()
    assert (response["id"], response["teamId"], response["status"]) == (52, 1, "queued")
    assert [entry["id"] for entry in ann.call("tasks.list", workspaceId=1)["entities"]] == [task]


@pytest.fixture(scope="module")
def shared(module_server):
    with served(module_server) as url:
        made = Client(url, module_server)
        yield made
        made.close()


KINDS = [
    "application/json",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "multipart/mixed; boundary=\xff",
    "text/plain",
]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(
        [
            "projects.info",
            "images.bulk.upload",
            "file-storage.download",
            "file-storage.bulk.upload?teamId=1",
            "%00",
            "..%2f",
        ]
    ),
    body=st.binary(max_size=200)
    | st.sampled_from([b"--x\r\n", b"--x--\r\n", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nv\r\n--x--']),
    kind=st.sampled_from(KINDS),
)
def test_no_bytes_whatever_break_the_server(shared, method, body, kind):
    """Any bytes under any type are answered or refused, never with a 5xx."""
    answer = shared.post(method, data=body, headers={"Content-Type": kind.encode("latin-1")})
    assert answer.status_code in {200, 400, 404}
    received = os.path.join(shared.server._context.blobs.address, "new")
    assert not os.path.isdir(received) or os.listdir(received) == []


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x"])
def test_silence_ends_a_request(client, monkeypatch, kind):
    """A client that begins a request and sends no more gets an error; it holds no thread for ever."""
    monkeypatch.setattr(request_body, "READ_TIMEOUT", 0.05)
    host, port = client.url.removeprefix("http://").split(":")
    head = f"POST /public/api/v3/images.bulk.upload HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: {kind}\r\n"
    with contextlib.closing(socket.create_connection((host, int(port)))) as connection:
        connection.settimeout(20)
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n--x\r\n".encode())
        answer = b""
        while data := connection.recv(65536):
            answer += data
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"error": "TIMEOUT"' in answer
