"""Sessions of browsers: tokens that expire, one for each sign-in.

The roles of a user in the teams that the rules name are those that the provider's groups grant, and are set at each
sign-in. Memberships in other teams stay as they are. An account that the provider has disabled cannot sign in again:
its session ends when it expires, or by `autoflow token revoke`.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from autoflow.server.authorization import PREFIX_LENGTH, digest, generate_for_session
from autoflow.server.db import clock, tokens
from autoflow.server.db.access import LOCAL
from autoflow.server.db.engine import Store
from autoflow.server.db.roles import ADMIN
from autoflow.server.db.schema import users
from autoflow.server.errors import Forbidden
from autoflow.server.sign_in.identity import Identity
from autoflow.server.sign_in.options import OidcOptions


class Sessions:
    """The sessions of one server's users.

    Args:
        store: where users and tokens are.
        options: of the sign-in.
    """

    def __init__(self, store: Store, options: OidcOptions) -> None:
        self._store = store
        self._options = options

    def begin(self, identity: Identity) -> str:
        """Return the token of a new session, after the user's roles are set.

        Raises:
            Forbidden: the user has no login here, or is in no team; memberships that ended are removed nevertheless.
        """
        token = generate_for_session()
        with self._store.write(LOCAL._replace(login=identity.login)) as conn:
            user_id = self._user(conn, identity)
            self._set_roles(conn, user_id, identity)
            in_teams = bool(tokens.teams_of(conn, user_id))
            if in_teams:
                expires_at = clock.after(conn, self._options.session_seconds)
                prefix = token[:PREFIX_LENGTH]
                tokens.add(conn, user_id, digest(token), prefix, expires_at=expires_at, scope=ADMIN)
        if not in_teams:
            raise Forbidden(f"{identity.login} is in no team of this server: an administrator has to add you to one")
        return token

    def end(self, token: str) -> None:
        """Revoke the token of a session, if there is one."""
        with self._store.write() as conn:
            row = tokens.find(conn, digest(token))
            if row is not None:
                tokens.remove(conn, row["id"])

    def _user(self, conn: Connection, identity: Identity) -> int:
        """Return the id of the user with a subject; a login without a subject is bound to the first that has it."""
        bound = conn.execute(select(users.c.id).where(users.c.oidc_subject == identity.subject)).scalar()
        if bound is not None:
            return int(bound)
        query = select(users.c.oidc_subject).where(users.c.login == identity.login)
        row = conn.execute(query).one_or_none()
        if row is None and not self._options.create_users:
            raise Forbidden(f"{identity.login} has no login on this server: an administrator has to create it")
        if row is not None and row.oidc_subject is not None:
            raise Forbidden(f"the login {identity.login} belongs to another account of the provider")
        user_id = tokens.ensure_user(conn, identity.login)
        conn.execute(update(users).where(users.c.id == user_id).values(oidc_subject=identity.subject))
        return user_id

    def _set_roles(self, conn: Connection, user_id: int, identity: Identity) -> None:
        for name, role in identity.roles.items():
            tokens.add_member(conn, user_id, [tokens.ensure_team(conn, name)], role)
        ended = {rule.team for rule in self._options.roles} - identity.roles.keys()
        for team in tokens.teams_of(conn, user_id):
            if team["name"] in ended:
                tokens.remove_membership(conn, user_id, team["id"])
