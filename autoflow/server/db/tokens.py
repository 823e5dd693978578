"""Access tokens, their users, and the users' teams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, bindparam, delete, insert, or_, select, update

from autoflow.server import timestamps
from autoflow.server.db import audit, clock, roles
from autoflow.server.db import teams as store
from autoflow.server.db.schema import blob_leases, members, tasks, teams, tokens, users
from autoflow.server.db.upsert import insert_or_ignore
from autoflow.server.errors import NotFound


def _get_or_create(conn: Connection, table: Table, column: str, **values: Any) -> tuple[int, bool]:
    """Return the id of the row with a value in a column, inserting it if there is none; and whether it was inserted."""
    query = select(table.c.id).where(table.c[column] == values[column])
    now = timestamps.now()
    new = conn.execute(query).first() is None  # checked first: an insert that conflicts uses up an id
    new = new and insert_or_ignore(conn, table, **values, created_at=now, updated_at=now)
    return int(conn.execute(query).scalar_one()), new


def ensure_user(conn: Connection, login: str) -> int:
    """Return the id of a user by login, creating the user if there is none."""
    return _get_or_create(conn, users, "login", login=login, name=login)[0]


def ensure_team(conn: Connection, name: str) -> int:
    """Return the id of a team by name, creating it with a workspace if there is none."""
    number, new = _get_or_create(conn, teams, "name", name=name)
    if new:
        store.add_workspace(conn, number, "Workspace", "")
        audit.record(conn, "team.create", f"team:{number}", team_id=number, name=name)
    return number


def add_member(conn: Connection, user_id: int, team_ids: Sequence[int], role: str | None = None) -> None:
    """Add a user to teams with a role, by default that of an editor; a member's role changes only if one is passed."""
    for number in team_ids:
        own = (members.c.team_id == number, members.c.user_id == user_id)
        before = conn.execute(select(members.c.role).where(*own)).scalar()
        after = role or before or roles.EDITOR
        if after == before:
            continue
        if not insert_or_ignore(conn, members, team_id=number, user_id=user_id, role=after):
            conn.execute(update(members).where(*own).values(role=after))
        entity = _member_reference(conn, user_id)
        audit.record(conn, "member.set", entity, team_id=number, before=before, after=after)


def _member_reference(conn: Connection, user_id: int) -> str:
    return f"member:{conn.execute(select(users.c.login).where(users.c.id == user_id)).scalar_one()}"


def find_user_id(conn: Connection, login: str) -> int | None:
    """Return the id of a user by login, None if there is none."""
    return conn.execute(select(users.c.id).where(users.c.login == login)).scalar()


def get_user_id(conn: Connection, login: str) -> int:
    """Return the id of a user by login.

    Raises:
        NotFound: there is none.
    """
    user_id = find_user_id(conn, login)
    if user_id is None:
        raise NotFound("user", login)
    return user_id


def remove_member(conn: Connection, user_id: int, name: str) -> None:
    """Remove a user from a team; their leases on uploads end.

    Raises:
        NotFound: they are in no team of that name.
    """
    team_id = conn.execute(select(teams.c.id).where(teams.c.name == name)).scalar()
    if team_id is None or not remove_membership(conn, user_id, team_id):
        raise NotFound("a membership in team", name)


def remove_login(conn: Connection, login: str, team_id: int) -> None:
    """Remove a user from a team by login; their leases on uploads end.

    Raises:
        NotFound: no member of the team has that login.
    """
    user_id = conn.execute(select(users.c.id).where(users.c.login == login)).scalar()
    if user_id is None or not remove_membership(conn, int(user_id), team_id):
        raise NotFound("member", login)


def remove_membership(conn: Connection, user_id: int, team_id: int) -> bool:
    """Remove a user from a team; return whether the user was in it."""
    own = (members.c.user_id == user_id, members.c.team_id == team_id)
    role = conn.execute(delete(members).where(*own).returning(members.c.role)).scalar()
    if role is None:
        return False
    # it is unknown for which of their teams they uploaded
    conn.execute(delete(blob_leases).where(blob_leases.c.user_id == user_id))
    audit.record(conn, "member.remove", _member_reference(conn, user_id), team_id=team_id, before=role)
    return True


def teams_of(conn: Connection, user_id: int) -> list[RowMapping]:
    """Return the teams of a user, each with the user's role."""
    query = (
        select(teams, members.c.role).join(members, members.c.team_id == teams.c.id).where(members.c.user_id == user_id)
    )
    return list(conn.execute(query.order_by(teams.c.id)).mappings())


def add(
    conn: Connection,
    user_id: int,
    digest: str,
    prefix: str,
    *,
    expires_at: ColumnElement[str] | None = None,
    task_id: int | None = None,
    scope: str = roles.WRITE,
) -> RowMapping:
    """Insert a token by its digest; return its row.

    Args:
        conn: the transaction.
        user_id: whose token it is.
        digest: sha256 of the token.
        prefix: its first digits.
        expires_at: when it expires, None for never.
        task_id: the task whose reproduction it is restricted to.
        scope: see `roles`.
    """
    values = {"user_id": user_id, "hash": digest, "prefix": prefix, "scope": scope, "created_at": timestamps.now()}
    statement = insert(tokens).values(**values, expires_at=expires_at, task_id=task_id).returning(tokens)
    row = conn.execute(statement).mappings().one()
    _record(conn, "token.create", row, after=scope if task_id is None else f"{scope}, to reproduce task:{task_id}")
    return row


def _record(conn: Connection, action: audit.Action, token: RowMapping, **change: str) -> None:
    """Add an entry about a token to the log, in each of its user's teams."""
    name = conn.execute(select(users.c.login).where(users.c.id == token["user_id"])).scalar_one()
    for team_id in [team["id"] for team in teams_of(conn, token["user_id"])] or [None]:
        audit.record(conn, action, f"token:{token['id']}", team_id=team_id, name=name, **change)


def find(conn: Connection, digest: str) -> RowMapping | None:
    """Return a token by digest, with its user's login, its task's team and whether it expired; None for no token."""
    expired = (tokens.c.expires_at <= clock.now(conn)).label("expired")
    query = select(tokens, users.c.login, users.c.disabled, tasks.c.team_id, expired)
    query = query.join_from(tokens, users).join(tasks, tasks.c.id == tokens.c.task_id, isouter=True)
    return conn.execute(query.where(tokens.c.hash == digest)).mappings().one_or_none()


def set_last_use(conn: Connection, times: Mapping[int, str]) -> None:
    """Store when tokens were last used; a later time that another server has stored stays."""
    later = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < bindparam("used_at"))
    statement = update(tokens).where(tokens.c.id == bindparam("token_id"), later)
    conn.execute(
        statement.values(last_used_at=bindparam("used_at")),
        [{"token_id": number, "used_at": used_at} for number, used_at in sorted(times.items())],
    )


def remove_expired(conn: Connection, seconds: float) -> None:
    """Delete the tokens that expired more than so many seconds ago."""
    conn.execute(delete(tokens).where(tokens.c.expires_at <= clock.after(conn, -seconds)))


def remove_of_reproduction(conn: Connection, number: int, user_id: int) -> None:
    """Delete a user's token of a reproduction.

    Raises:
        NotFound: there is no such token.
    """
    _revoke(conn, number, *_of_reproduction(number, user_id))


def get_of_reproduction(conn: Connection, number: int, user_id: int) -> RowMapping:
    """Return a user's token of a reproduction.

    Raises:
        NotFound: there is no such token.
    """
    row = conn.execute(select(tokens).where(*_of_reproduction(number, user_id))).mappings().one_or_none()
    if row is None:
        raise NotFound("token", number)
    return row


def set_view(conn: Connection, number: int, view: str) -> None:
    """Store what a token of a reproduction sees."""
    conn.execute(update(tokens).where(tokens.c.id == number).values(view=view))


def _of_reproduction(number: int, user_id: int) -> tuple[ColumnElement[bool], ...]:
    return (tokens.c.id == number, tokens.c.user_id == user_id, tokens.c.task_id.is_not(None))


def listing(conn: Connection) -> list[RowMapping]:
    """Return all tokens, each with its user's login."""
    query = select(tokens, users.c.login).join(users, users.c.id == tokens.c.user_id).order_by(tokens.c.id)
    return list(conn.execute(query).mappings())


def remove(conn: Connection, number: int) -> None:
    """Delete a token, which revokes it.

    Raises:
        NotFound: there is none.
    """
    _revoke(conn, number, tokens.c.id == number)


def _revoke(conn: Connection, number: int, *condition: ColumnElement[bool]) -> None:
    row = conn.execute(delete(tokens).where(*condition).returning(tokens)).mappings().one_or_none()
    if row is None:
        raise NotFound("token", number)
    _record(conn, "token.revoke", row, before=row["scope"])
