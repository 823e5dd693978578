"""The options of the sign-in by an OpenID provider: table ``[oidc]`` of ``server.toml``, or variables.

A variable is ``AUTOFLOW_SERVE_OIDC_<OPTION>``; lists are separated by commas, and the roles are a list in JSON. The
secret may be in a file of its own, as services are handed secrets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from autoflow.cli.lifetime import parse_lifetime
from autoflow.server.sign_in.options import OidcOptions, RoleRule

TABLE = "oidc"
PREFIX = "oidc_"
_REQUIRED = ("issuer", "client_id", "client_secret", "url")
_NAMES = (
    *("issuer", "client_id", "client_secret", "client_secret_file", "url", "scopes", "login_claim"),
    *("groups_claim", "domains", "create_users", "session", "roles"),
)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def load(file_table: Any, path: str | None, environment: Mapping[str, str], prefix: str) -> OidcOptions | None:
    """Return the options, None if there are none.

    Args:
        file_table: the table of the file, None if it has none.
        path: of that file.
        environment: values of variables by the names of options.
        prefix: of those variables.

    Raises:
        ValueError: a name or a value is invalid, or a required one is missing; the message names its source.
        OSError: the file of the secret cannot be read.
    """
    if file_table is None and not environment:
        return None
    if file_table is not None and not isinstance(file_table, dict):
        raise ValueError(f"{path} sets oidc to {file_table!r}: it must be a table")
    values: dict[str, Any] = {}
    for source, table in ((str(path), file_table or {}), (f"{prefix}...", _parsed(environment))):
        for name, value in table.items():
            values[name] = _checked(name, value, source)
    secret_file = values.pop("client_secret_file", None)
    if secret_file is not None and "client_secret" not in values:
        with open(secret_file, encoding="utf-8") as file:
            values["client_secret"] = file.read().strip()
    missing = [name for name in _REQUIRED if not values.get(name)]
    if missing:
        raise ValueError(f"the sign-in by [oidc] needs {', '.join(missing)} too")
    _check_addresses(values)
    return OidcOptions(**values)


def describe(options: OidcOptions) -> Iterator[str]:
    """Return the lines of the table; the secret is hidden."""
    yield f"[{TABLE}]"
    for name in ("issuer", "client_id", "url", "scopes", "login_claim", "groups_claim", "create_users"):
        yield f"{name} = {json.dumps(getattr(options, name), ensure_ascii=False)}"
    yield 'client_secret = "***"'
    yield f"domains = {json.dumps(list(options.domains), ensure_ascii=False)}"
    yield f'session = "{options.session_seconds / 3600:.0f}h"'
    for rule in options.roles:
        group = f", group = {json.dumps(rule.group, ensure_ascii=False)}" if rule.group is not None else ""
        yield f"# a role: team = {json.dumps(rule.team, ensure_ascii=False)}, role = {json.dumps(rule.role)}{group}"


def _parsed(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the values that the texts of variables mean; a text that means none is refused with the others."""
    values: dict[str, Any] = dict(environment)
    if "domains" in values:
        values["domains"] = [domain.strip() for domain in environment["domains"].split(",") if domain.strip()]
    if "create_users" in values:
        values["create_users"] = _BOOLEANS.get(environment["create_users"].lower(), environment["create_users"])
    if "roles" in values:
        try:
            values["roles"] = json.loads(environment["roles"])
        except ValueError as error:
            raise ValueError(f"the roles of [oidc] are not JSON: {error}") from error
    return values


def _checked(name: str, value: Any, source: str) -> Any:
    if name not in _NAMES:
        raise ValueError(f"{source} sets {name!r}, which is no option of [oidc]: it has {', '.join(_NAMES)}")
    if name == "roles":
        return _rules(value, source)
    if name == "domains" and isinstance(value, list) and all(isinstance(domain, str) for domain in value):
        return tuple(value)
    wanted = bool if name == "create_users" else list if name == "domains" else str
    if type(value) is not wanted or name == "domains":
        types = {bool: "true or false", list: "a list of texts", str: "a text"}
        raise ValueError(f"{source} sets {name} of [oidc] to {value!r}: it must be {types[wanted]}")
    return value


def _rules(value: Any, source: str) -> tuple[RoleRule, ...]:
    try:
        rules = tuple(RoleRule(**rule) for rule in value)
    except TypeError as error:
        example = '{group = "ml", team = "Vision", role = "editor"}'
        raise ValueError(f"{source} has roles of [oidc] that are not such as {example}: {error}") from error
    if not all(isinstance(text, str) for rule in rules for text in (rule.team, rule.group or "")):
        raise ValueError(f"{source} has roles of [oidc] whose teams or groups are no texts")
    return rules


def _check_addresses(values: dict[str, Any]) -> None:
    if "session" in values:
        values["session_seconds"] = parse_lifetime(values.pop("session"))
    for name in ("issuer", "url"):
        address = urlsplit(values[name])
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
            raise ValueError(f"{name} of [oidc] is {values[name]!r}: it must be an https address")
