"""Roles of users in teams and scopes of tokens: what a caller may do is the lesser of the two.

A role is a row's; a scope is chosen when a token is created, so that a job that only reads can have a token that cannot
do more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

VIEWER, EDITOR, ADMIN = "viewer", "editor", "admin"
ROLES = (VIEWER, EDITOR, ADMIN)  # each may do what those before it may
READ, WRITE = "read", "write"
SCOPES = (READ, WRITE, ADMIN)
_NEEDED_SCOPE = {VIEWER: READ, EDITOR: WRITE, ADMIN: ADMIN}


class Permissions(NamedTuple):
    """The teams in which a caller has the rights of each role.

    Args:
        visible: whose data the caller may read.
        writable: whose data the caller may change.
        administered: whose members the caller may change.
    """

    visible: frozenset[int]
    writable: frozenset[int]
    administered: frozenset[int]


def permissions(memberships: Iterable[tuple[int, str]], scope: str) -> Permissions:
    """Return the permissions of a user's token.

    Args:
        memberships: the user's teams, each with the user's role.
        scope: the token's.
    """
    members = list(memberships)

    def teams(role: str) -> frozenset[int]:
        if SCOPES.index(_NEEDED_SCOPE[role]) > SCOPES.index(scope):
            return frozenset()
        return frozenset(team for team, member_role in members if ROLES.index(member_role) >= ROLES.index(role))

    return Permissions(teams(VIEWER), teams(EDITOR), teams(ADMIN))
