"""The login and the roles of a user, by the claims of the provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from autoflow.server.db.roles import ROLES
from autoflow.server.errors import Forbidden, shortened
from autoflow.server.sign_in.options import OidcOptions

EMAIL = "email"
MAX_LOGIN = 100  # characters


class Identity(NamedTuple):
    """A user of the provider.

    Args:
        subject: the provider's issuer and its identifier of the user, which is never given to another user.
        login: the user's login here.
        roles: the role in each team that the rules grant.
    """

    subject: str
    login: str
    roles: Mapping[str, str]


def identify(claims: Mapping[str, Any], options: OidcOptions) -> Identity:
    """Return the user whose claims these are.

    Args:
        claims: of an ID token that was verified, and of the user info of the same subject.
        options: of the sign-in.

    Raises:
        Forbidden: the login is missing, an address is not verified, or its domain is not admitted.
    """
    login = claims.get(options.login_claim)
    if not isinstance(login, str) or not login.strip() or len(login) > MAX_LOGIN:
        raise Forbidden(f"the provider sent no login for you: its claim {options.login_claim!r} is {shortened(login)}")
    if options.domains or options.login_claim == EMAIL:
        _check_email(claims, options.domains)
    return Identity(f"{options.issuer} {claims['sub']}", login.strip(), _roles(claims, options))


def _check_email(claims: Mapping[str, Any], domains: tuple[str, ...]) -> None:
    address = claims.get(EMAIL)
    if claims.get("email_verified") is not True or not isinstance(address, str):
        raise Forbidden(f"the provider has not verified your e-mail address {shortened(address)}")
    domain = address.rpartition("@")[2].lower()
    if domains and domain not in {admitted.lower() for admitted in domains}:
        raise Forbidden(f"users of {shortened(domain)} are not admitted to this server")


def _roles(claims: Mapping[str, Any], options: OidcOptions) -> dict[str, str]:
    value = claims.get(options.groups_claim)
    groups = {value} if isinstance(value, str) else {group for group in value or () if isinstance(group, str)}
    roles: dict[str, str] = {}
    for rule in options.roles:
        if rule.group is None or rule.group in groups:
            roles[rule.team] = max(rule.role, roles.get(rule.team, rule.role), key=ROLES.index)
    return roles
