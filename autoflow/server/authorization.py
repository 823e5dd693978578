"""Access tokens: 128 random hexadecimal digits, of which the server stores the sha256 only.

The token itself is returned once, when it is created. A slow hash is not needed: 512 random bits cannot be guessed from
the digest.
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
PREFIX_LENGTH = 6  # digits that identify a token in a list
MAX_NAME = 100  # characters


class Token(NamedTuple):
    """A token as lists show it, without its secret.

    Args:
        id: its row's id.
        prefix: its first digits.
        user: the login of its user.
        teams: the names of the user's teams.
        created_at: when it was created.
        expires_at: when it expires, None for never.
        task: the task whose reproduction it is restricted to, None for a token without restriction.
    """

    id: int
    prefix: str
    user: str
    teams: tuple[str, ...]
    created_at: str
    expires_at: str | None = None
    task: int | None = None


def generate() -> str:
    """Return a new random token."""
    return secrets.token_hex(BYTES)


def digest(token: str) -> str:
    """Return the digest that the server stores of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class Tokens:
    """The tokens of one server."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, user: str, teams: Sequence[str]) -> str:
        """Create a token of a user and add the user to the teams; create the user and the teams that do not exist.

        Raises:
            Invalid: a name is empty or too long.
        """
        for name in (user, *teams):
            if not name.strip() or len(name) > MAX_NAME:
                raise Invalid(f"{name!r} is not a name: it must have 1 to {MAX_NAME} characters")
        token = generate()
        with self._store.write() as conn:
            user_id = tokens.ensure_user(conn, user)
            tokens.add_member(conn, user_id, [tokens.ensure_team(conn, name) for name in teams])
            tokens.add(conn, user_id, digest(token), token[:PREFIX_LENGTH])
        return token

    def list(self) -> list[Token]:
        """Return all tokens, expired ones included until they are removed."""
        with self._store.read() as conn:
            return [
                Token(
                    row["id"],
                    row["prefix"],
                    row["login"],
                    tuple(team["name"] for team in tokens.teams_of(conn, row["user_id"])),
                    row["created_at"],
                    row["expires_at"],
                    row["task_id"],
                )
                for row in tokens.listing(conn)
            ]

    def remove_from_teams(self, user: str, teams: Sequence[str]) -> tuple[str, ...]:
        """Remove a user from teams, from the next request on, and return the user's remaining teams.

        Raises:
            NotFound: there is no such user, or the user is not in one of the teams; nothing is changed.
        """
        with self._store.write() as conn:
            user_id = tokens.get_user_id(conn, user)
            for name in teams:
                tokens.remove_member(conn, user_id, name)
            return tuple(team["name"] for team in tokens.teams_of(conn, user_id))

    def revoke(self, token_id: int) -> None:
        """Revoke a token, from the next request on.

        Raises:
            NotFound: there is no such token.
        """
        with self._store.write() as conn:
            tokens.remove(conn, token_id)

    def caller(self, token: str) -> Caller:
        """Return the caller that a token belongs to.

        Raises:
            Unauthenticated: the token is unknown, or it has expired.
            Forbidden: its user is in no team, or not in the team of the token's task.
        """
        token_digest = digest(token)
        with self._store.read() as conn:
            row = tokens.find(conn, token_digest)
            if row is None or not hmac.compare_digest(row["hash"], token_digest):
                raise Unauthenticated("this token is not valid here")
            if row["expired"]:
                raise Unauthenticated(f"this token expired at {row['expires_at']}: get a new one")
            teams = frozenset(int(team["id"]) for team in tokens.teams_of(conn, row["user_id"]))
        if not teams:
            raise Forbidden("the user of this token is in no team")
        if row["task_id"] is None:
            return Caller(row["user_id"], teams, login=row["login"])
        if row["team_id"] not in teams:
            raise Forbidden(f"the user of this token has left the team of task {row['task_id']}")
        return Caller(row["user_id"], frozenset({row["team_id"]}), since=row["created_at"], login=row["login"])
