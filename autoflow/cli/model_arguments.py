"""The arguments of ``autoflow models``, ``autoflow audit`` and ``autoflow webhooks``."""

from __future__ import annotations

import argparse
from typing import Any

from autoflow.cli.parsing import Commands


def add_models(commands: Commands) -> None:
    """Add ``autoflow models`` and ``autoflow audit`` to the commands."""
    models = commands.add("models", "models, their versions and aliases")
    _add_options(models, "models_list")
    models.set_defaults(query=None)
    actions = models.add_subparsers(metavar="ACTION")
    listing = _action(actions, "list", "list the models")
    listing.add_argument("query", nargs="?", metavar="TEXT", help="part of the name")
    show = _action(actions, "show", "print the versions of a model, or a single one")
    show.add_argument(
        "model", metavar="MODEL", help="lemons, lemons@3, lemons@champion, 'lemons@champion on 2026-06-01'"
    )
    register = _action(actions, "register", "make a file the next version of a model")
    register.add_argument("model", metavar="MODEL", help="name of the model, created if new")
    register.add_argument("file", metavar="FILE", help="file:N, or the path of a team file")
    alias = _action(actions, "alias", "let an alias name another version")
    alias.add_argument("model", metavar="MODEL", help="name of the model")
    alias.add_argument("alias", metavar="ALIAS", help="as champion or production")
    alias.add_argument("number", nargs="?", type=int, metavar="VERSION", help="number of the version")
    alias.add_argument("--why", default="", metavar="TEXT", help="the reason, for the audit log")
    alias.add_argument("--remove", action="store_true", help="remove the alias")
    history = _action(actions, "history", "print when aliases moved, by whom and why")
    history.add_argument("model", metavar="MODEL", help="name of the model")
    history.add_argument("alias", nargs="?", metavar="ALIAS", help="a single alias (default: all)")

    audit = commands.add("audit", "print the audit log: aliases, tokens, members, deletions and restores")
    _add_options(audit, "audit")
    audit.add_argument("--action", metavar="NAME", help="as alias.set, or token. for all that begin so")
    audit.add_argument("--entity", metavar="REF", help="as project:7, model:lemons, member:anna or token:3")
    audit.add_argument("--who", metavar="NAME", help="login of a user, or user@host")
    audit.add_argument("--since", metavar="TIME", help="a day, or a time in ISO 8601 (without an offset in UTC)")
    audit.add_argument("--until", metavar="TIME", help="likewise, not included")
    audit.add_argument("--limit", type=int, default=100, metavar="N", help="most entries (default: 100)")


def _action(actions: argparse._SubParsersAction[Any], name: str, description: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = actions.add_parser(name, help=description)
    _add_options(command, f"models_{name}")
    return command


def _add_options(command: argparse.ArgumentParser, run: str) -> None:
    command.add_argument("--team", type=int, metavar="N", help="the team (default: all, your first one first)")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run=run)


def add_webhooks(commands: Commands) -> None:
    """Add ``autoflow webhooks`` to the commands."""
    actions = commands.add("webhooks", "addresses that get a team's events").add_subparsers(
        metavar="ACTION", required=True
    )
    for name, description in (
        ("list", "list the webhooks of a team"),
        ("add", "add a webhook and print its secret"),
        ("remove", "remove a webhook"),
        ("test", "send an event to a webhook"),
        ("deliveries", "print what became of the latest events"),
    ):
        command: argparse.ArgumentParser = actions.add_parser(name, help=description)
        command.add_argument("--json", action="store_true", help="as JSON")
        command.set_defaults(run=f"webhooks_{name}")
        if name in {"list", "add", "test"}:
            command.add_argument("--team", type=int, default=1, metavar="N", help="the team (default: 1)")
        if name == "add":
            command.add_argument("event", metavar="EVENT", help="run.failed, version.created, alias.moved, ...")
            command.add_argument("url", metavar="URL", help="where it is sent, by POST")
        elif name != "list":
            command.add_argument("id", type=int, metavar="ID", help="number of the webhook")
