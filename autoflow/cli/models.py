"""``autoflow models`` and ``autoflow audit``: models with their aliases, and the audit log."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from autoflow.cli.api_access import needs_autoflow_server, open_api, render_options
from autoflow.graph.render.labels import format_time, printable
from autoflow.wire.contract.models import ModelVersion


def _print_json(value: Any) -> int:
    print(json.dumps(value, ensure_ascii=False, indent=2))
    return 0


def list_all(args: argparse.Namespace) -> int:
    """Print the models, those with the newest versions first."""
    api = open_api()
    with needs_autoflow_server(api):
        models = api.model.get_list(team_id=args.team, query=args.query)
    if args.json:
        return _print_json(models)
    zone = render_options().zone
    for model in models:
        aliases = ", ".join(f"{printable(alias)} = {number}" for alias, number in model["aliases"].items())
        parts = [
            f"model:{printable(model['name'])}",
            f"V{model['latest']}",
            format_time(model["latestAt"], zone),
        ]
        print("  ".join(part for part in (*parts, aliases) if part))
    if not models:
        print('There are no models; @workflow_output("file", model="NAME") makes versions of one.', file=sys.stderr)
    return 0


def show(args: argparse.Namespace) -> int:
    """Print the versions of a model, or the one that a reference names."""
    api = open_api()
    name = args.model.removeprefix("model:")
    with needs_autoflow_server(api):
        if "@" in name:
            versions = [api.model.get(name, team_id=args.team)]
        else:
            versions = api.model.versions(name, team_id=args.team)
    if args.json:
        return _print_json(versions)
    for version in versions:
        print(_version_line(version))
    return 0


def _version_line(version: ModelVersion) -> str:
    parts = [
        f"model:{printable(version['model'])}@{version['version']}",
        printable(", ".join(version["aliases"])),
        printable(version["path"] or version["ref"]),
        f"sha256:{version['sha256'][:12]}" if version["sha256"] else "",
        f"task:{version['task']}" if version["task"] is not None else "",
        printable(version["createdBy"] or ""),
        format_time(version["createdAt"], render_options().zone),
    ]
    return "  ".join(part for part in parts if part)


def register(args: argparse.Namespace) -> int:
    """Make a file the next version of a model, and print it."""
    api = open_api()
    with needs_autoflow_server(api):
        version = api.model.register(args.model.removeprefix("model:"), args.file, team_id=args.team)
    if args.json:
        return _print_json(version)
    print(_version_line(version))
    return 0


def alias(args: argparse.Namespace) -> int:
    """Move an alias of a model, or remove it."""
    api = open_api()
    name = args.model.removeprefix("model:")
    if (args.number is None) == (not args.remove):
        raise ValueError("name the version that the alias shall name, or write --remove")
    with needs_autoflow_server(api):
        if args.number is None:
            move = api.model.remove_alias(name, args.alias, reason=args.why, team_id=args.team)
        else:
            move = api.model.set_alias(name, args.alias, args.number, reason=args.why, team_id=args.team)
    if args.json:
        return _print_json(move)
    before, after = (
        f"version {number}" if number is not None else "nothing" for number in (move["before"], move["version"])
    )
    label = f"model:{printable(name)}@{printable(args.alias)}"
    print(
        f"{label} names {after} now, and named {before} before." if move["moved"] else f"{label} names {after} already."
    )
    return 0


def history(args: argparse.Namespace) -> int:
    """Print the moves of a model's aliases, the latest first."""
    api = open_api()
    with needs_autoflow_server(api):
        moves = api.model.history(args.model.removeprefix("model:"), args.alias, team_id=args.team)
    if args.json:
        return _print_json(moves)
    zone = render_options().zone
    for move in moves:
        before, after = ("-" if number is None else str(number) for number in (move["before"], move["version"]))
        parts = [
            format_time(move["at"], zone),
            printable(move["who"]),
            printable(move["alias"]),
            f"{before} -> {after}",
        ]
        print("  ".join(part for part in (*parts, printable(move["reason"])) if part))
    if not moves:
        print("No alias was moved.", file=sys.stderr)
    return 0


def audit(args: argparse.Namespace) -> int:
    """Print entries of the audit log, the newest first."""
    api = open_api()
    with needs_autoflow_server(api):
        entries = api.audit(
            team_id=args.team,
            action=args.action,
            entity=args.entity,
            who=args.who,
            since=args.since,
            until=args.until,
            limit=args.limit,
        )
    if args.json:
        return _print_json(entries)
    zone = render_options().zone
    for entry in entries:
        print("  ".join(part for part in _entry_parts(entry, zone) if part))
    if not entries:
        print("The audit log has no such entries.", file=sys.stderr)
    return 0


def _entry_parts(entry: Mapping[str, Any], zone: Any) -> list[str]:
    change = ""
    if entry["before"] is not None or entry["after"] is not None:
        before, after = ("-" if value is None else printable(value) for value in (entry["before"], entry["after"]))
        change = f"{before} -> {after}"
    texts = (entry["who"], entry["action"], entry["entity"], entry["name"])
    return [format_time(entry["at"], zone), *(printable(text) for text in texts), change, printable(entry["reason"])]


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": list_all,
    "show": show,
    "register": register,
    "alias": alias,
    "history": history,
}
