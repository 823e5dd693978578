"""Tokens: who may ask at all."""

from __future__ import annotations

import os
import sqlite3

import pytest
import requests

from autoflow.errors import NotAllowed, ServerBusy, ServerRefused
from autoflow.server.authorization import Tokens
from autoflow.server.db.access import LOCAL
from autoflow.server.http import authentication
from autoflow.server.http.authentication import Authenticator, network
from tests.postgres import on_sqlite


def test_without_tokens_whoever_asks_is_the_local_user(client):
    """On loopback any token, or none, is user 1, who sees everything."""
    for token in (None, "any", "x" * 128):
        assert client.as_(token).call("users.me")["id"] == 1


def test_a_token_is_needed_when_they_are_asked_for(guarded):
    """Without a token, or with a wrong one, every door is shut; a good one opens them."""
    token = guarded.server.tokens.create("ann", ["Team"])
    guarded.refused(401, "instance.version", json={})
    guarded.as_("0" * 128).refused(401, "instance.version", json={})
    guarded.as_(token[:-1]).refused(401, "projects.list", json={})
    guarded.refused(401, "file-storage.bulk.upload?teamId=1", files={"file": ("x", b"0" * 3_000_000)})
    assert guarded.send("GET", "/storage/files/1").status_code == 401
    assert guarded.as_(token).call("users.me")["login"] == "ann"


def test_the_description_of_the_methods_is_for_all(guarded):
    """The document that describes the methods needs no token."""
    assert guarded.send("GET", "/openapi.json").json()["openapi"] == "3.1.0"


def test_a_browser_is_asked_for_the_token(guarded):
    """The page asks a browser for it, as the password of any name."""
    response = guarded.send("GET", "/")
    assert (response.status_code, response.headers["WWW-Authenticate"].split()[0]) == (401, "Basic")
    token = guarded.server.tokens.create("ann", ["Team"])
    assert requests.get(guarded.url + "/", auth=("ann", token), timeout=60).status_code == 200
    assert requests.get(guarded.url + "/", auth=("ann", "wrong"), timeout=60).status_code == 401
    for header in ("Basic !!!", "Basic /w==", "Basic", "Bearer x"):
        assert guarded.send("GET", "/", headers={"Authorization": header}).status_code == 401


def test_a_revoked_token_is_worth_nothing_at_once(guarded):
    """From the next request on."""
    asking = guarded.as_(guarded.server.tokens.create("ann", ["Team"]))
    assert asking.call("instance.version")
    (token_row,) = guarded.server.tokens.list()
    guarded.server.tokens.revoke(token_row.id)
    asking.refused(401, "instance.version", json={})
    assert guarded.server.tokens.list() == []
    with pytest.raises(ServerRefused, match="unknown"):
        guarded.server.tokens.revoke(token_row.id)


@on_sqlite
def test_the_store_has_no_token(server, tmp_path):
    """Of a token its sha256 and first digits are kept, of 128 that nobody can guess."""
    token = server.tokens.create("ann", ["Team", "Vision"])
    assert len(token) == 128
    assert int(token, 16) > 0
    assert token != server.tokens.create("ann", ["Team"])
    (token_row, _other) = server.tokens.list()
    assert (token_row.prefix, token_row.user, token_row.teams) == (token[:6], "ann", ("Team", "Vision"))
    server.close()
    with sqlite3.connect(tmp_path / "home" / "platform.db") as conn:
        assert token not in "\n".join(conn.iterdump())
    conn.close()
    for name in os.listdir(tmp_path / "home"):
        if name.startswith("platform.db"):
            assert token.encode() not in (tmp_path / "home" / name).read_bytes()


@pytest.mark.parametrize(("user", "teams"), [("", ["a"]), ("ann", [" "]), ("x" * 101, ["a"])])
def test_a_name_is_a_name(server, user, teams):
    """Users and teams are called something, and not too long; else no token is made."""
    with pytest.raises(ServerRefused, match="name"):
        server.tokens.create(user, teams)
    assert server.tokens.list() == []


def test_a_user_of_no_team_may_nothing(server):
    """A token whose user is in no team is refused with 403."""
    token = server.tokens.create("ann", [])
    with pytest.raises(NotAllowed) as refusal:
        server.tokens.caller(token)
    assert refusal.value.status == 403


def test_wrong_tokens_are_throttled_and_right_ones_never(server, monkeypatch):
    """After some wrong tokens an address is answered 429 for wrong ones, while any valid token of it passes."""
    now = [1000.0]
    monkeypatch.setattr(authentication.time, "monotonic", lambda: now[0])
    first, never_sent = (server.tokens.create("ann", ["Team"]) for _ in range(2))
    authenticator = Authenticator(server.tokens, required=True)
    ask = lambda token, address="10.0.0.1": authenticator.authenticate(token, address, "http://h")  # noqa: E731
    assert ask(first).user
    for _ in range(authentication.MAX_FAILURES):
        with pytest.raises(NotAllowed):
            ask("wrong")
    with pytest.raises(ServerBusy) as busy:
        ask("wrong")
    assert (busy.value.status, busy.value.retry_after) == (429, authentication.WINDOW)
    assert ask(first).user == ask(never_sent).user == ask(first, "10.0.0.2").user
    with pytest.raises(NotAllowed):
        ask("wrong", "10.0.0.2")
    now[0] += authentication.WINDOW
    with pytest.raises(NotAllowed):
        ask("wrong")


def test_too_many_wrong_tokens_are_429(guarded):
    """Over HTTP the client is told when to come back."""
    statuses = [
        guarded.as_(f"wrong {n}").post("instance.version").status_code for n in range(authentication.MAX_FAILURES + 1)
    ]
    assert statuses == [401] * authentication.MAX_FAILURES + [429]
    assert int(guarded.as_("wrong").post("instance.version").headers["Retry-After"]) > 0
    assert guarded.as_(guarded.server.tokens.create("ann", ["Team"])).call("users.me")["login"] == "ann"


def test_what_is_remembered_has_a_limit(server, monkeypatch):
    """However many addresses come by, memory stays what it is."""
    monkeypatch.setattr(authentication, "MAX_ADDRESSES", 2)
    authenticator = Authenticator(server.tokens, required=True)
    for number in range(5):
        with pytest.raises(NotAllowed):
            authenticator.authenticate("wrong", f"10.0.0.{number}", "")
    assert len(authenticator._failures._counts) == 2


def test_an_address_stands_for_its_user():
    """IPv6 users have a whole /64 to themselves."""
    assert network("10.0.0.1") == "10.0.0.1"
    assert network("2001:db8::1") == network("2001:db8::ffff:1") != network("2001:db8:0:1::1")
    assert network("testclient") == "testclient"


def test_the_answer_to_a_wrong_token_is_the_same_however_near_it_is(server):
    """Nothing about a token is told by how it is refused."""
    token = server.tokens.create("ann", ["Team"])
    words = set()
    for wrong in (token[:-1] + ("0" if token[-1] != "0" else "1"), "0" * 128, "", "\udcff"):
        with pytest.raises(NotAllowed) as refusal:
            Tokens(server._store).caller(wrong)
        words.add(str(refusal.value))
    assert len(words) == 1
    assert token[:6] not in words.pop()
    assert LOCAL.teams is None
