"""The options of the sign-in by an OpenID provider."""

from __future__ import annotations

from dataclasses import dataclass, field

from autoflow.server.db.roles import ROLES, VIEWER

SESSION_SECONDS = 12 * 3600.0


@dataclass(frozen=True)
class RoleRule:
    """A role in a team that users of the provider get.

    Args:
        team: name of the team, which is created when the first user gets the role.
        role: ``viewer``, ``editor`` or ``admin``.
        group: the provider's group whose members get it; None for everybody.

    Raises:
        ValueError: there is no such role.
    """

    team: str
    role: str = VIEWER
    group: str | None = None

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"{self.role!r} is no role in a team: roles are {', '.join(ROLES)}")


@dataclass(frozen=True)
class OidcOptions:
    """The provider, and what its users may do here.

    Args:
        issuer: the provider's identifier, where its ``.well-known/openid-configuration`` is.
        client_id: of this server at the provider.
        client_secret: of this server at the provider.
        url: the address of this server in browsers; the provider must accept `redirect_uri`.
        scopes: requested of the provider, separated by spaces.
        login_claim: claim that is the user's login here; an ``email`` must be verified.
        groups_claim: claim that lists the user's groups.
        domains: of e-mail addresses whose users may sign in; empty for all.
        create_users: whether a user who has no login here gets one.
        session_seconds: after which a user has to sign in again.
        roles: a user gets the highest role of the rules that apply, in each team.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    url: str
    scopes: str = "openid profile email"
    login_claim: str = "email"
    groups_claim: str = "groups"
    domains: tuple[str, ...] = ()
    create_users: bool = True
    session_seconds: float = SESSION_SECONDS
    roles: tuple[RoleRule, ...] = ()

    @property
    def redirect_uri(self) -> str:
        """The address that the provider sends browsers back to."""
        return self.url.rstrip("/") + "/login/callback"

    @property
    def secure(self) -> bool:
        """True if cookies are sent over TLS alone."""
        return self.url.startswith("https://")
