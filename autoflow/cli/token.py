"""``autoflow token``: who may use the server."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from autoflow.cli.serve import folder_of, notes_folder
from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing

if TYPE_CHECKING:
    from autoflow.server.authorization import Tokens


@contextlib.contextmanager
def _tokens(given: argparse.Namespace) -> Iterator[Tokens]:
    try:
        from autoflow.server.server import Server
    except ImportError as error:
        raise ServerExtraMissing(f"tokens need more: {install('server')} ({error})") from error
    server = Server.open(folder_of(given), given.database, notes=notes_folder())
    try:
        yield server.tokens
    finally:
        server.close()


def create(given: argparse.Namespace) -> int:
    """Make a token and print it, alone on standard output: it is not shown again."""
    with _tokens(given) as tokens:
        token = tokens.create(given.user, given.team or ["Team"])
    print(token)
    print("Keep it: only its sha256 is kept here, and it is not shown again.", file=sys.stderr)
    return 0


def list_all(given: argparse.Namespace) -> int:
    """Print the tokens there are, each by its first digits."""
    with _tokens(given) as tokens:
        found = tokens.list()
    if given.json:
        print(json.dumps([token._asdict() for token in found], indent=2))
        return 0
    for token in found:
        use = f", to reproduce task:{token.task}" if token.task is not None else ""
        end = f", expires {token.expires_at}" if token.expires_at is not None else ""
        teams = ", ".join(token.teams) or "no team"
        print(f"{token.id:>4}  {token.start}…  {token.created_at}  {token.user} in {teams}{use}{end}")
    if not found:
        print("There is no token.", file=sys.stderr)
    return 0


def revoke(given: argparse.Namespace) -> int:
    """Make a token worth nothing, at once."""
    with _tokens(given) as tokens:
        tokens.revoke(given.id)
    return 0


def leave(given: argparse.Namespace) -> int:
    """Take a user out of teams, at once; tokens of a user of no team are worth nothing until they join one."""
    with _tokens(given) as tokens:
        left = tokens.leave(given.user, given.team)
    print(f"{given.user} is in {', '.join(left) or 'no team'} now.", file=sys.stderr)
    return 0
