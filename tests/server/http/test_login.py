"""Sign-in of browsers by an OpenID provider, a real one: npm's oidc-provider in a process."""

from __future__ import annotations

import contextlib
import re

import pytest
from sqlalchemy import update

from autoflow.server.db.schema import tokens
from autoflow.server.http.login.own_path import own_path
from autoflow.server.server import Server
from autoflow.server.sign_in.options import OidcOptions, RoleRule
from tests.oidc_provider import SECRET, Browser, provider
from tests.serving import served

pytest.importorskip("authlib")
ME = "/public/api/v3/users.me"
COOKIE = "autoflow-session"
RULES = (RoleRule("Everyone"), RoleRule("Vision", "editor", "ml"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with contextlib.closing(Server.open(tmp_path_factory.mktemp("login"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def url(server):
    with contextlib.ExitStack() as closing:

        def options(url):
            issuer = closing.enter_context(provider(f"{url}/login/callback"))
            return OidcOptions(issuer, "autoflow", SECRET, url, domains=("example.org",), roles=RULES)

        yield closing.enter_context(served(server, auth=True, oidc=options))


@pytest.fixture
def browser(url):
    with Browser(url) as opened:
        yield opened


def test_a_browser_signs_in_and_out(browser, url):
    """A page leads to the sign-in and is there after it; the groups grant roles; another account cannot have the login;
    signing out ends the session.
    """
    away = browser.open("/search?q=a%20b")
    assert (away.status_code, away.headers["Location"]) == (303, "/login?next=/search%3Fq%3Da%2520b")
    start = re.search(r'href="(/login/start\?next=[^"]+)"', browser.open(away.headers["Location"]).text)
    back = browser.sign_in("ann", start[1].partition("next=")[2])
    assert (back.status_code, back.headers["Location"]) == (303, "/search?q=a%20b")
    assert re.search("autoflow-session=s[0-9a-f]{127}; httponly; .*samesite=lax", back.headers["Set-Cookie"].lower())

    assert 'title="Signed in as ann@example.org"' in browser.open("/search?q=a%20b").text
    assert browser.post(url + ME, json={}, timeout=30).json()["login"] == "ann@example.org"
    teams = browser.post(url + "/public/api/v3/teams.list", json={}, timeout=30).json()["entities"]
    assert [(team["name"], team["role"]) for team in teams] == [("Everyone", "viewer"), ("Vision", "editor")]
    foreign = browser.post(url + ME, json={}, headers={"Origin": "https://evil.example"}, timeout=30)
    assert foreign.status_code == 403

    with Browser(url) as twin:
        refused = twin.sign_in("twin-ann")
        assert (refused.status_code, twin.cookies.get(COOKIE)) == (403, None)
        assert "another account" in refused.text
    session = browser.cookies[COOKIE]
    out = browser.post(url + "/logout", allow_redirects=False, timeout=30)
    assert (out.status_code, out.headers["Location"]) == (303, "/login")
    assert browser.open("/").status_code == 303
    assert browser.post(url + ME, json={}, cookies={COOKIE: session}, timeout=30).status_code == 401


def test_a_code_is_used_once_by_the_browser_that_began(browser, url):
    """A callback with another state, issuer or code, twice, or in another browser, begins no session."""
    callback = browser.callback_of("mallory")
    began = {name: value for name, value in browser.cookies.items() if name == "autoflow-login"}

    def status(address):
        browser.cookies.update(began)
        return browser.open(address).status_code

    for name in ("state", "iss", "code"):
        assert status(re.sub(f"([?&]{name}=)[^&]+", r"\g<1>x", callback)) == 400, name
    with Browser(url) as victim:
        assert victim.open(callback).status_code == 400
    assert status(callback) == 403  # the code is valid, but the address of this account is not verified
    assert status(callback) == 400
    assert browser.cookies.get(COOKIE) is None


def test_access_ends_with_the_session(browser, server):
    """A viewer changes nothing; a session expires, and an account that the provider has removed gets no other one."""
    assert browser.sign_in("eve").status_code == 303
    body = {"workspaceId": 1, "name": "p", "type": "images"}
    assert browser.post(browser.url + "/public/api/v3/projects.add", json=body, timeout=30).status_code == 403
    issuer = browser.open("/login/start").headers["Location"].partition("/auth")[0]
    browser.get(issuer + "/remove?login=eve", timeout=30)
    assert browser.open("/").status_code == 200
    session = next(token for token in server.tokens.list() if token.user == "eve@example.org")
    with server.store.write() as conn:
        conn.execute(update(tokens).where(tokens.c.id == session.id).values(expires_at="2020-01-01T00:00:00.000Z"))
    expired = browser.cookies[COOKIE]
    for _ in range(11):  # more often than wrong tokens of an address are accepted
        assert browser.post(browser.url + ME, json={}, cookies={COOKIE: expired}, timeout=30).status_code == 401
    assert browser.open("/").status_code == 303
    with pytest.raises(AssertionError, match=r"server_error|does not let"):
        browser.sign_in("eve")


def test_a_token_signs_in_too(browser, server):
    """A user of no provider opens the page by a token, which signing out does not revoke."""
    token = server.tokens.create("dora", ["Vision"])
    form = {"token": token, "next": "/search"}
    used = browser.post(browser.url + "/login/token", data=form, allow_redirects=False, timeout=30)
    assert (used.status_code, used.headers["Location"]) == (303, "/search")
    assert browser.open("/search").status_code == 200
    browser.post(browser.url + "/logout", timeout=30)
    assert browser.open("/search").status_code == 303
    assert server.tokens.caller(token).login == "dora"
    assert browser.post(browser.url + "/login/token", data={"token": "x"}, timeout=30).status_code == 401
    assert browser.post(browser.url + "/login/token", data=b"x" * 9000, timeout=30).status_code == 400


def test_no_other_site_is_opened():
    """The address after the sign-in is a path of this server."""
    outside = ["//evil.example", "/\\evil.example", "https://evil.example/", "/\t/evil.example", "javascript:1", None]
    assert {own_path(target) for target in [*outside, "/a\nb", "/login/start"]} == {"/"}
    assert own_path("/runs/compare?runs=1,2") == "/runs/compare?runs=1,2"
