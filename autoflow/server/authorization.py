"""Access tokens: 128 random hexadecimal digits, of which the server stores the sha256 only.

The token itself is returned once, when it is created. A slow hash is not needed: 512 random bits cannot be guessed from
the digest.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import threading
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping

from autoflow.process.os_user import user_at_host
from autoflow.server import timestamps
from autoflow.server.db import clock, reproduction_view, tokens
from autoflow.server.db.access import FIRST_TEAM, LOCAL, Caller
from autoflow.server.db.engine import Store
from autoflow.server.db.roles import ADMIN, WRITE, permissions
from autoflow.server.errors import Forbidden, Invalid, NotFound, Unauthenticated
from autoflow.wire.tokens import SESSION_START, START

BYTES = 64
UNRESTRICTED = "local"  # scope of a token that was issued by a server which needs none
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
        scope: ``read``, ``write`` or ``admin``.
        last_used_at: when it was last used, to the minute; None if it never was.
        roles: the user's roles in `teams`.
    """

    id: int
    prefix: str
    user: str
    teams: tuple[str, ...]
    created_at: str
    expires_at: str | None = None
    task: int | None = None
    scope: str = WRITE
    last_used_at: str | None = None
    roles: tuple[str, ...] = ()


def generate() -> str:
    """Return a new random token."""
    return secrets.token_hex(BYTES)


def generate_for_reproduction() -> str:
    """Return a new random token that every server recognizes as a reproduction's."""
    return START + generate()[len(START) :]


def generate_for_session() -> str:
    """Return a new random token that is recognized as the session of a browser."""
    return SESSION_START + generate()[len(SESSION_START) :]


def digest(token: str) -> str:
    """Return the digest that the server stores of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class Tokens:
    """The tokens of one server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._last_use: dict[int, str] = {}  # since it was last stored

    def create(
        self,
        user: str,
        teams: Sequence[str],
        *,
        scope: str = WRITE,
        role: str | None = None,
        lifetime: float | None = None,
    ) -> str:
        """Create a token of a user and add the user to the teams; create the user and the teams that do not exist.

        Args:
            user: the user's login.
            teams: the teams' names.
            scope: what the token may do, whatever the user's role: ``read``, ``write`` or ``admin``.
            role: the user's role in the teams; by default that of an editor, or the one that the user has.
            lifetime: seconds until the token expires, None for never.

        Raises:
            Invalid: a name is empty or too long.
        """
        for name in (user, *teams):
            if not name.strip() or len(name) > MAX_NAME:
                raise Invalid(f"{name!r} is not a name: it must have 1 to {MAX_NAME} characters")
        token = generate()
        with self._write() as conn:
            user_id = tokens.ensure_user(conn, user)
            tokens.add_member(conn, user_id, [tokens.ensure_team(conn, name) for name in teams], role)
            expires_at = clock.after(conn, lifetime) if lifetime is not None else None
            tokens.add(conn, user_id, digest(token), token[:PREFIX_LENGTH], expires_at=expires_at, scope=scope)
        return token

    def ensure_local_user(self, login: str) -> int:
        """Return the id of a user of the server's own machine, creating them, as an admin of the first team, if new."""
        with self._store.read() as conn:
            user_id = tokens.find_user_id(conn, login)
        if user_id is None:
            with self._write() as conn:
                user_id = tokens.ensure_user(conn, login)
                tokens.add_member(conn, user_id, [FIRST_TEAM], ADMIN)
        return user_id

    def _write(self) -> contextlib.AbstractContextManager[Connection]:
        """Begin a write by the user of this process, who administers the server."""
        return self._store.write(LOCAL._replace(login=user_at_host()))

    def list(self) -> list[Token]:
        """Return all tokens, expired ones included until they are removed."""
        with self._store.read() as conn:
            return [_token(row, tokens.teams_of(conn, row["user_id"])) for row in tokens.listing(conn)]

    def set_role(self, user: str, teams: Sequence[str], role: str) -> None:
        """Change a member's role in teams, from the next request on.

        Raises:
            NotFound: there is no such user, or the user is not in one of the teams; nothing is changed.
        """
        with self._write() as conn:
            user_id = tokens.get_user_id(conn, user)
            team_ids = {team["name"]: team["id"] for team in tokens.teams_of(conn, user_id)}
            for name in teams:
                if name not in team_ids:
                    raise NotFound("a membership in team", name)
            tokens.add_member(conn, user_id, [team_ids[name] for name in teams], role)

    def store_last_use(self) -> None:
        """Store when tokens were used since the last call: for a thread in the background, as it is a write."""
        with self._lock:
            times, self._last_use = self._last_use, {}
        if times:
            with self._store.write(count_change=False) as conn:
                tokens.set_last_use(conn, times)

    def remove_from_teams(self, user: str, teams: Sequence[str]) -> tuple[str, ...]:
        """Remove a user from teams, from the next request on, and return the user's remaining teams.

        Raises:
            NotFound: there is no such user, or the user is not in one of the teams; nothing is changed.
        """
        with self._write() as conn:
            user_id = tokens.get_user_id(conn, user)
            for name in teams:
                tokens.remove_member(conn, user_id, name)
            return tuple(team["name"] for team in tokens.teams_of(conn, user_id))

    def revoke(self, token_id: int) -> None:
        """Revoke a token, from the next request on.

        Raises:
            NotFound: there is no such token.
        """
        with self._write() as conn:
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
            if row["disabled"]:
                raise Unauthenticated(f"the user {row['login']} is disabled: users.disable enables them again")
            members = [(int(team["id"]), team["role"]) for team in tokens.teams_of(conn, row["user_id"])]
        with self._lock:
            self._last_use[row["id"]] = timestamps.now()
        view = None
        if row["task_id"] is not None:
            view = reproduction_view.from_text(row["view"], row["task_id"], row["created_at"])
        if row["scope"] == UNRESTRICTED:
            return LOCAL._replace(user=row["user_id"], login=row["login"], since=row["created_at"], view=view)
        if not members:
            raise Forbidden("the user of this token is in no team")
        since = None
        if row["task_id"] is not None:
            since = row["created_at"]
            members = [(team, role) for team, role in members if team == row["team_id"]]
            if not members:
                raise Forbidden(f"the user of this token has left the team of task {row['task_id']}")
        permitted = permissions(members, row["scope"])
        return Caller(
            row["user_id"],
            permitted.visible,
            since=since,
            login=row["login"],
            writable=permitted.writable,
            administered=permitted.administered,
            view=view,
        )


def for_writing(method: str, caller: Caller) -> Caller:
    """Return a caller who calls a method that writes, with those teams alone whose data they may change.

    Raises:
        Forbidden: there are none.
    """
    if caller.writable is None:
        return caller
    if not caller.writable:
        raise Forbidden(
            f"{method} changes data: that needs a token of scope write, of a user who is more than a viewer"
        )
    return caller._replace(teams=caller.writable)


def _token(row: RowMapping, teams: Sequence[RowMapping]) -> Token:
    return Token(
        row["id"],
        row["prefix"],
        row["login"],
        tuple(team["name"] for team in teams),
        row["created_at"],
        row["expires_at"],
        row["task_id"],
        row["scope"],
        row["last_used_at"],
        tuple(team["role"] for team in teams),
    )
