"""``autoflow token``: create, list and revoke access tokens of a server."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from autoflow.cli import serve_options
from autoflow.cli.lifetime import parse_lifetime
from autoflow.cli.serve import folder_of, witness_folder
from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing

if TYPE_CHECKING:
    from autoflow.server.authorization import Token, Tokens


@contextlib.contextmanager
def _tokens(args: argparse.Namespace) -> Iterator[Tokens]:
    try:
        from autoflow.server.server import Server
    except ImportError as error:
        raise ServerExtraMissing(f"`autoflow token` needs more packages: {install('server')} ({error})") from error
    options, _ = serve_options.load(args)
    folder = folder_of(options.data)
    server = Server.open(folder, options.database, blobs=options.blobs, notes=witness_folder())
    try:
        yield server.tokens
    finally:
        server.close()


def create(args: argparse.Namespace) -> int:
    """Create a token and print it on standard output; it cannot be printed again."""
    lifetime = parse_lifetime(args.expires) if args.expires is not None else None
    with _tokens(args) as tokens:
        token = tokens.create(args.user, args.team or ["Team"], scope=args.scope, role=args.role, lifetime=lifetime)
    print(token)
    print("Store it safely: the server has only its sha256, and cannot print it again.", file=sys.stderr)
    return 0


def list_all(args: argparse.Namespace) -> int:
    """Print all tokens, each by its first digits."""
    with _tokens(args) as tokens:
        listed = tokens.list()
    if args.json:
        print(json.dumps([_to_json(token) for token in listed], indent=2))
        return 0
    for token in listed:
        use = f", to reproduce task:{token.task}" if token.task is not None else ""
        end = f", expires {token.expires_at}" if token.expires_at is not None else ""
        teams = ", ".join(f"{team} ({role})" for team, role in zip(token.teams, token.roles, strict=True)) or "no team"
        last_use = f", last used {token.last_used_at}" if token.last_used_at is not None else ", never used"
        rights = f"may {token.scope}{use}{end}{last_use}"
        print(f"{token.id:>4}  {token.prefix}…  {token.created_at}  {token.user} in {teams}, {rights}")
    if not listed:
        print("There are no tokens; create one with `autoflow token create`.", file=sys.stderr)
    return 0


def _to_json(token: Token) -> dict[str, Any]:
    """Return a token as the command prints it; scripts read these names, of which ``start`` is the prefix."""
    members = token._asdict()
    return {"id": members.pop("id"), "start": members.pop("prefix"), **members}


def revoke(args: argparse.Namespace) -> int:
    """Revoke a token immediately."""
    with _tokens(args) as tokens:
        tokens.revoke(args.id)
    return 0


def set_role(args: argparse.Namespace) -> int:
    """Change a user's role in teams immediately."""
    with _tokens(args) as tokens:
        tokens.set_role(args.user, args.team, args.role)
    return 0


def leave(args: argparse.Namespace) -> int:
    """Remove a user from teams immediately; tokens of a user without a team are not accepted."""
    with _tokens(args) as tokens:
        remaining = tokens.remove_from_teams(args.user, args.team)
    print(f"{args.user} is now in {', '.join(remaining) or 'no team'}.", file=sys.stderr)
    return 0
