"""Scopes of tokens and roles in teams: who may only read is refused by every method that writes, and by no other."""

from __future__ import annotations

import pytest

from autoflow.errors import NotAllowed, ServerRefused
from autoflow.server import server as dispatcher
from autoflow.server.db import roles
from autoflow.server.db.access import Caller
from autoflow.server.server import DOWNLOADS, METHODS, READING, READS, UPLOADS
from tests.postgres import on_sqlite

WRITING = sorted(METHODS - READING)
FOR_ADMINS = {"autoflow.audit.list", "autoflow.erase.list", "autoflow.retention"}  # which read


def call(server, method, caller, **body):
    """Call a method in the way that its kind is called."""
    if method in UPLOADS:
        return server.upload(method, [], body, caller)
    if method in DOWNLOADS:
        return server.content(method, body, caller)
    return server.call(method, body, caller)


def refusal_of(server, method, caller):
    """Return the status with which a caller's empty request is refused; None if it is not."""
    try:
        call(server, method, caller)
    except ServerRefused as error:
        return error.status
    return None


@on_sqlite
@pytest.mark.parametrize(("scope", "role"), [("read", "admin"), ("admin", "viewer")])
def test_who_only_reads_is_refused_by_every_write_and_by_no_read(server, scope, role):
    """By a scope and by a role alike: with 403, before the request is looked at; reads get what anybody gets."""
    reader = server.tokens.caller(server.tokens.create("ann", ["Team"], scope=scope, role=role))
    refusals = {method: refusal_of(server, method, reader) for method in METHODS}
    assert {method for method, status in refusals.items() if status == 403} == {*WRITING, *FOR_ADMINS}
    assert all(refusals[method] in {None, 400, 404} for method in READING - FOR_ADMINS)
    with pytest.raises(NotAllowed, match="scope write"):
        call(server, "projects.add", reader)


def test_a_viewer_of_one_team_writes_in_another(server):
    """A project of the team in which the user is a viewer is there for reads, and not there for writes."""
    project = server.call("projects.add", {"workspaceId": 1, "name": "lemons"})["id"]
    server.tokens.create("ann", ["Team"], role="viewer")
    ann = server.tokens.caller(server.tokens.create("ann", ["Vision"]))
    assert server.call("projects.info", {"id": project}, ann)["name"] == "lemons"
    with pytest.raises(ServerRefused) as refusal:
        server.call("projects.editInfo", {"id": project, "name": "limes"}, ann)
    assert refusal.value.status == 404
    (workspace,) = server.call("workspaces.list", {"teamId": 2}, ann)["entities"]
    assert server.call("projects.add", {"workspaceId": workspace["id"], "name": "own"}, ann)["id"]


def test_a_role_changes_from_the_next_request_on(server):
    """A promoted viewer writes; a new token of a member leaves the role as it is."""
    token = server.tokens.create("ann", ["Team"], role="viewer")
    assert server.tokens.caller(token).writable == frozenset()
    server.tokens.set_role("ann", ["Team"], "editor")
    assert server.tokens.caller(token).writable == {1}
    server.tokens.set_role("ann", ["Team"], "viewer")
    server.tokens.create("ann", ["Team"])
    assert server.tokens.caller(token).writable == frozenset()
    with pytest.raises(ServerRefused, match="membership in team"):
        server.tokens.set_role("ann", ["Others"], "editor")


def test_admins_change_the_members_of_their_teams(server):
    """They add users, change roles and remove members, of their own teams alone; a new user gets no token."""
    ann = server.tokens.caller(server.tokens.create("ann", ["Team"], role="admin", scope="admin"))
    bob = server.tokens.create("bob", ["Others"])
    for role in ("viewer", "editor"):
        server.call("autoflow.members.set", {"teamId": 1, "login": "bob", "role": role}, ann)
        shown = {row["login"]: row["role"] for row in server.call("members.list", {"teamId": 1}, ann)["entities"]}
        assert shown["bob"] == role
    assert server.tokens.caller(bob).writable == {1, 2}
    server.call("autoflow.members.remove", {"teamId": 1, "login": "bob"}, ann)
    assert server.tokens.caller(bob).teams == {2}
    for team, login in ((2, "bob"), (1, "bob"), (1, "nobody")):
        with pytest.raises(ServerRefused) as refusal:
            server.call("autoflow.members.remove", {"teamId": team, "login": login}, ann)
        assert refusal.value.status == 404
    assert len(server.tokens.list()) == 2


@on_sqlite
@pytest.mark.parametrize(("scope", "role"), [("admin", "editor"), ("write", "admin")])
def test_nobody_else_changes_members(server, scope, role):
    """Neither an editor, whose token may do everything, nor an admin by a token that may only write."""
    who = server.tokens.caller(server.tokens.create("ann", ["Team"], role=role, scope=scope))
    bodies = {"set": {"teamId": 1, "login": "ann", "role": "admin"}, "remove": {"teamId": 1, "login": "admin"}}
    for action, body in bodies.items():
        with pytest.raises(NotAllowed, match="scope admin"):
            server.call(f"autoflow.members.{action}", body, who)


@pytest.mark.parametrize("scope", roles.SCOPES)
@pytest.mark.parametrize("role", roles.ROLES)
def test_permissions_are_the_lesser_of_scope_and_role(scope, role):
    """Neither a scope nor a role gives what the other withholds."""
    rank = min(roles.SCOPES.index(scope), roles.ROLES.index(role))
    permitted = roles.permissions([(7, role)], scope)
    assert permitted == tuple(frozenset({7} if rank >= needed else ()) for needed in range(3))


def test_the_wire_shows_roles(server):
    """Of the caller in each team, and of each member."""
    server.tokens.create("vic", ["Team"], role="viewer")
    ann = server.tokens.caller(server.tokens.create("ann", ["Team", "Vision"]))
    assert [team["role"] for team in server.call("teams.list", {}, ann)["entities"]] == ["editor", "editor"]
    shown = {
        row["login"]: (row["role"], row["roleId"]) for row in server.call("members.list", {"teamId": 1})["entities"]
    }
    assert shown == {"admin": ("admin", 1), "vic": ("viewer", 4), "ann": ("editor", 2)}


def test_an_expired_token_is_refused(server):
    """By the database's clock, and the message says so."""
    token = server.tokens.create("ann", ["Team"], lifetime=-1.0)
    with pytest.raises(NotAllowed, match="expired"):
        server.tokens.caller(token)
    assert server.tokens.caller(server.tokens.create("ann", ["Team"], lifetime=3600.0)).user


def test_the_last_use_is_stored_later_and_counts_as_no_change(server):
    """A request writes nothing; the time is stored in the background, and pages do not load again for it."""
    token = server.tokens.create("ann", ["Team"])
    changes = server.call("autoflow.changes", {})
    server.tokens.caller(token)
    assert server.tokens.list()[0].last_used_at is None
    server.tokens.store_last_use()
    (listed,) = server.tokens.list()
    assert listed.last_used_at >= listed.created_at
    assert server.call("autoflow.changes", {}) == changes
    server.tokens.store_last_use()
    assert server.tokens.list() == [listed]


@on_sqlite
def test_the_token_of_a_reader_creates_no_task(guarded_reader):
    """Its own task, too, is answered without being stored."""
    response = guarded_reader.post("tasks.info", json={"id": 700}, headers={"x-task-id": "700"})
    assert (response.status_code, response.json()["status"]) == (200, "queued")
    assert guarded_reader.server.call("tasks.list", {"workspaceId": 1})["entities"] == []


@pytest.fixture
def guarded_reader(server):
    from tests.server.http.conftest import Client
    from tests.serving import served

    with served(server, auth=True) as url:
        client = Client(url, server, server.tokens.create("ann", ["Team"], scope="read"))
        yield client
        client.close()


def test_all_methods_are_of_a_kind():
    """A method reads, downloads or writes; one of two kinds would be checked as a reader."""
    kinds = (READS, dispatcher.QUERIES, DOWNLOADS, dispatcher.WRITES, dispatcher.BATCHES, UPLOADS)
    assert sum(map(len, kinds)) == len(METHODS)
    assert Caller().writable is None
