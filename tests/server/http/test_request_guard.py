"""Requests that another site's page makes a browser send, and what every answer carries."""

from __future__ import annotations

import pytest

from autoflow.server.http.request_guard import is_loopback


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost.evil", "10.0.0.1"]
)
def test_a_foreign_name_is_not_answered_to(client, host):
    """A name that a site made point here is refused before anything is read: no page reads this machine's store."""
    for verb, path in (("POST", "/public/api/v3/projects.list"), ("GET", "/"), ("GET", "/openapi.json")):
        answer = client.send(verb, path, headers={"Host": host})
        assert answer.status_code == 403
        assert "--auth" in answer.json()["details"]["message"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:99", "127.9.9.9", "[::1]:8765"])
def test_this_machines_own_names_are_answered_to(client, host):
    """Whatever port a tunnel or a test gave it."""
    assert client.post("instance.version", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["", "a b", "x/../y", "[zz]", "x:99999999", "<script>"])
def test_a_wrong_host_header_is_refused(client, host):
    """What is no host's name is 400, so that no address is ever made of it."""
    assert client.post("instance.version", headers={"Host": host}).status_code == 400


def test_with_tokens_any_name_is_answered_to(guarded):
    """A page cannot know the token, and a server has the names its proxies give it."""
    token = guarded.server.tokens.create("ann", ["Team"])
    assert guarded.as_(token).post("instance.version", headers={"Host": "vision.example"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://evil.example#127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_cannot_write(client, headers):
    """A form or script of another site is refused, and nothing was done."""
    client.refused(403, "projects.add", json={"workspaceId": 1, "name": "x"}, headers=headers)
    assert client.call("projects.list")["total"] == 0


def test_the_servers_own_page_may_write(client):
    """A request from the page this server gave out is answered."""
    headers = {"Origin": client.url, "Sec-Fetch-Site": "same-origin"}
    assert client.post("instance.version", json={}, headers=headers).status_code == 200


def test_every_answer_carries_the_security_headers(client):
    """Answers, errors and pages say that they are not to be framed, sniffed or kept."""
    for answer in (
        client.post("instance.version", json={}),
        client.post("nothing.here", json={}),
        client.send("GET", "/nothing"),
        client.send("GET", "/"),
        client.send("GET", "/", headers={"Host": "evil.example"}),
    ):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in answer.headers["Permissions-Policy"]
        assert answer.headers["X-Request-Id"]
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Server" not in answer.headers


def test_only_this_machine_is_loopback():
    """Names that merely look local are not."""
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "localhost.evil", "128.0.0.1", "fe80::1", "")))
