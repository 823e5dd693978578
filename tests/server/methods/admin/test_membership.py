"""Teams, users and members: who may add and change them."""

from __future__ import annotations

import pytest

from autoflow.errors import ServerRefused


def status_of(server, method, body, caller):
    with pytest.raises(ServerRefused) as refusal:
        server.call(method, body, caller)
    return refusal.value.status


def test_the_administrator_adds_teams_and_users_and_a_teams_admin_its_members(server):
    """Users of tokens add neither; members are changed by an admin of that team alone."""
    team = server.call("teams.add", {"name": "Vision"})["id"]
    user = server.call("users.add", {"login": "bob", "password": "p"})["id"]
    assert server.call("workspaces.list", {"teamId": team})["total"] == 1
    admin = server.tokens.caller(server.tokens.create("ann", ["Vision"], scope="admin", role="admin"))
    editor = server.tokens.caller(server.tokens.create("eve", ["Vision"]))
    add = {"teamId": team, "login": "bob", "roleId": 4}
    assert status_of(server, "teams.add", {"name": "More"}, admin) == 403
    assert status_of(server, "users.add", {"login": "more"}, admin) == 403
    assert status_of(server, "members.add", add, editor) == 403
    assert status_of(server, "members.add", {**add, "teamId": 1}, admin) == 404
    assert server.call("members.add", add, admin)["userId"] == user
    role = {entry["login"]: entry["role"] for entry in server.call("members.list", {"teamId": team})["entities"]}
    assert role["bob"] == "viewer"
    server.call("members.editInfo", {"teamId": team, "id": user, "roleId": 2}, admin)
    assert status_of(server, "members.editInfo", {"teamId": team, "id": user, "roleId": 9}, admin) == 400
    server.call("members.remove", {"teamId": team, "id": user}, admin)
    assert status_of(server, "members.editInfo", {"teamId": team, "id": user, "roleId": 2}, admin) == 404


def test_names_are_taken_once(server):
    """Of teams, users, and a team's workspaces."""
    server.call("teams.add", {"name": "Vision"})
    server.call("workspaces.add", {"teamId": 1, "name": "second"})
    renamed = server.call("workspaces.editInfo", {"id": 1, "name": "first", "description": "d"})
    assert (renamed["name"], renamed["description"]) == ("first", "d")
    for method, body in (
        ("teams.add", {"name": "Vision"}),
        ("users.add", {"login": "admin"}),
        ("workspaces.editInfo", {"id": 1, "name": "second"}),
    ):
        with pytest.raises(ServerRefused) as refusal:
            server.call(method, body)
        assert refusal.value.status == 409


def test_only_an_empty_workspace_is_archived(filled):
    """It is hidden, and nothing of it is removed; with a project, with a run, or as the team's first it is refused."""
    with_project, with_run, empty = (
        filled.call("workspaces.add", teamId=1, name=name)["id"] for name in ("projects", "runs", "empty")
    )
    filled.call("projects.add", workspaceId=with_project, name="lemons")
    filled.call("autoflow.runs.ensure", run="r1", workspace=with_run)
    for number in (1, with_project, with_run):
        with pytest.raises(ServerRefused) as refusal:
            filled.call("workspaces.archive", id=number)
        assert refusal.value.status == 409
    assert filled.call("workspaces.archive", id=empty) == {"success": True}
    assert filled.call("workspaces.info", id=empty)["hidden"] is True
    assert filled.call("workspaces.info", id=with_run)["hidden"] is False
