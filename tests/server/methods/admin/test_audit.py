"""The audit log: each action has one entry, nobody changes it, and each team's admins read their own."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from autoflow.errors import NotAllowed, ServerRefused
from autoflow.process.os_user import user_at_host
from autoflow.server.db import audit, tokens

PLAIN = ("action", "entity", "name", "before", "after")


def entries(server, caller=None, **filters):
    """Return the entries that a caller gets, the oldest first."""
    response = server.call("autoflow.audit.list", filters, *([caller] if caller else []))
    return response["entries"][::-1]


def test_tokens_and_members_are_in_the_log_and_each_team_reads_its_own(server):
    """Each change of rights has an entry with who, before and after, which only the admins of its team read."""
    ann = server.tokens.caller(server.tokens.create("ann", ["Vision"], scope="admin", role="admin"))
    carl = server.tokens.caller(server.tokens.create("carl", ["Sound"], scope="admin", role="admin"))
    (team,) = ann.teams
    server.call("autoflow.members.set", {"teamId": team, "login": "bob", "role": "viewer"}, ann)
    server.call("autoflow.members.set", {"teamId": team, "login": "bob", "role": "viewer"}, ann)
    server.call("autoflow.members.set", {"teamId": team, "login": "bob", "role": "editor"}, ann)
    server.call("autoflow.members.remove", {"teamId": team, "login": "bob"}, ann)
    server.tokens.revoke(2)

    mine = entries(server, ann)
    assert [tuple(entry[name] for name in PLAIN) for entry in mine] == [
        ("team.create", f"team:{team}", "Vision", None, None),
        ("member.set", "member:ann", "", None, "admin"),
        ("token.create", "token:1", "ann", None, "admin"),
        ("member.set", "member:bob", "", None, "viewer"),
        ("member.set", "member:bob", "", "viewer", "editor"),
        ("member.remove", "member:bob", "", "editor", None),
    ]
    assert [entry["who"] for entry in mine] == [user_at_host()] * 3 + ["ann"] * 3
    assert {entry["teamId"] for entry in entries(server, carl)} == carl.teams
    assert len(entries(server)) == len(mine) + len(entries(server, carl))
    assert [entry["action"] for entry in entries(server, carl, action="token.")] == ["token.create", "token.revoke"]
    assert [entry["after"] for entry in entries(server, ann, entity="member:bob", who="ann")][:2] == [
        "viewer",
        "editor",
    ]
    assert entries(server, ann, until=mine[0]["at"]) == []
    assert len(entries(server, ann, since=mine[0]["at"][:10])) == len(mine)

    first = server.call("autoflow.audit.list", {"limit": 4}, ann)
    second = server.call("autoflow.audit.list", {"limit": 4, "before": first["next"]}, ann)
    assert [*second["entries"][::-1], *first["entries"][::-1]] == mine
    assert second["next"] is None

    reader = server.tokens.caller(server.tokens.create("ann", ["Vision"], scope="write"))
    for caller, body, error in (
        (reader, {}, NotAllowed),
        (reader, {"teamId": team}, NotAllowed),
        (carl, {"teamId": team}, ServerRefused),
    ):
        with pytest.raises(error):
            server.call("autoflow.audit.list", body, caller)


def _record_and_fail(conn):
    audit.record(conn, "project.delete", "project:8")
    tokens.remove(conn, 99)


def test_an_entry_is_neither_changed_nor_removed(server):
    """The database itself refuses both, and a transaction that fails leaves no entry."""
    with server.store.write() as conn:
        audit.record(conn, "project.delete", "project:7", team_id=1, name="lemons", reason="x" * 9000)
    for statement in ("UPDATE audit_log SET who = 'eve'", "DELETE FROM audit_log"):
        with pytest.raises((DBAPIError, ServerRefused), match="append-only"), server.store.write() as conn:
            conn.execute(text(statement))
    with pytest.raises(ServerRefused, match="token 99 is unknown"), server.store.write() as conn:
        _record_and_fail(conn)
    (entry,) = entries(server)
    assert (entry["entity"], entry["who"], len(entry["reason"])) == ("project:7", "admin", audit.MAX_TEXT)
