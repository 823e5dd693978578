"""Tokens: 128 random hexadecimal digits, of which the server keeps the sha256 alone.

The token itself is told once, to whoever made it. Its randomness is what a slow hash would be for: there is nothing
to guess from the digest.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import NamedTuple

from autoflow.server.db import tokens
from autoflow.server.db.access import Caller
from autoflow.server.db.engine import Store
from autoflow.server.errors import Forbidden, Invalid, Unauthenticated

BYTES = 64
START = 6  # digits a token is told by in a list
LONGEST_NAME = 100


class Token(NamedTuple):
    """What is known of a token.

    Args:
        id: its number.
        start: its first digits.
        user: the login of its user.
        teams: the names of the user's teams.
        created_at: when it was created.
        expires_at: when it expires, None for never.
        task: the task whose reproduction it is restricted to, None for a token without restriction.
    """

    id: int
    start: str
    user: str
    teams: tuple[str, ...]
    created_at: str
    expires_at: str | None = None
    task: int | None = None


def generate() -> str:
    """Return a new random token."""
    return secrets.token_hex(BYTES)


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class Tokens:
    """The tokens of one server."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, user: str, teams: Sequence[str]) -> str:
        """Make a token of a user, who joins the teams; users and teams that are new are made.

        Raises:
            ServerRefused: a name is empty or too long.
        """
        for name in (user, *teams):
            if not name.strip() or len(name) > LONGEST_NAME:
                raise Invalid(f"{name!r} is no name: it must not be empty, nor longer than {LONGEST_NAME}")
        token = generate()
        with self._store.write() as conn:
            user_id = tokens.ensure_user(conn, user)
            tokens.add_member(conn, user_id, [tokens.ensure_team(conn, name) for name in teams])
            tokens.add(conn, user_id, digest(token), token[:START])
        return token

    def list(self) -> list[Token]:
        """All tokens that are worth something."""
        with self._store.read() as conn:
            return [
                Token(
                    row["id"],
                    row["start"],
                    row["login"],
                    tuple(team["name"] for team in tokens.teams_of(conn, row["user_id"])),
                    row["created_at"],
                    row["expires_at"],
                    row["task_id"],
                )
                for row in tokens.listing(conn)
            ]

    def leave(self, user: str, teams: Sequence[str]) -> tuple[str, ...]:
        """Take a user out of teams, from the next request on; gives the teams they are in now.

        Raises:
            NotFound: there is no such user, or they are not in one of the teams; then nothing is changed.
        """
        with self._store.write() as conn:
            user_id = tokens.get_user_id(conn, user)
            for name in teams:
                tokens.remove_member(conn, user_id, name)
            return tuple(team["name"] for team in tokens.teams_of(conn, user_id))

    def revoke(self, number: int) -> None:
        """Make a token worth nothing, from the next request on.

        Raises:
            NotFound: there is none of that number.
        """
        with self._store.write() as conn:
            tokens.remove(conn, number)

    def caller(self, token: str) -> Caller:
        """Whose a token is.

        Raises:
            NotAllowed: 401, it is nobody's, or it has expired; 403, its user is in no team, or not in that of its task.
        """
        wanted = digest(token)
        with self._store.read() as conn:
            found = tokens.find(conn, wanted)
            if found is None or not hmac.compare_digest(found["hash"], wanted):
                raise Unauthenticated("this token is not valid here")
            if found["expired"]:
                raise Unauthenticated(f"this token expired at {found['expires_at']}: get a new one")
            teams = frozenset(int(team["id"]) for team in tokens.teams_of(conn, found["user_id"]))
        if not teams:
            raise Forbidden("the user of this token is in no team")
        if found["task_id"] is None:
            return Caller(found["user_id"], teams)
        if found["team_id"] not in teams:
            raise Forbidden(f"the user of this token has left the team of task {found['task_id']}")
        return Caller(found["user_id"], frozenset({found["team_id"]}), since=found["created_at"])
