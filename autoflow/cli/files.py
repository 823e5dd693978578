"""``autoflow files``: the files that a path of Team Files has had, and any of them on disk."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Sequence

from autoflow.cli.api_access import needs_autoflow_server, open_api, render_options
from autoflow.cli.parsing import Commands
from autoflow.graph.render.labels import format_time, printable
from autoflow.wire.contract.lineage import HistoryFile

DIGITS = 12  # of a SHA-256 in a list


def add_files(commands: Commands) -> None:
    """Add ``autoflow files`` to the commands."""
    actions = commands.add("files", "the files that a path has had").add_subparsers(metavar="ACTION", required=True)

    def action(name: str, description: str) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = actions.add_parser(name, help=description)
        command.add_argument("path", metavar="PATH", help="path of a team file, or file:N")
        command.add_argument("--team", type=int, metavar="N", help="its team (default: the first one)")
        command.add_argument("--json", action="store_true", help="as JSON")
        command.set_defaults(run=f"files_{name}")
        return command

    action("history", "list the files that a path has had, the latest first")
    get = action("get", "download one of them")
    choice = get.add_mutually_exclusive_group()
    choice.add_argument(
        "--version", dest="number", type=int, metavar="N", help="its number in the history (default: the current one)"
    )
    choice.add_argument("--sha256", metavar="HEX", help="its SHA-256, or at least the first six digits of it")
    get.add_argument("--to", metavar="PATH", help="file or folder to write it to (default: its name, in this folder)")


def history(args: argparse.Namespace) -> int:
    """Print the files that a path has had."""
    api = open_api()
    with needs_autoflow_server(api):
        entries = api.file.history(args.path, team_id=args.team)
    if args.json:
        print(json.dumps(entries, ensure_ascii=False, indent=2))
        return 0
    if not entries:
        raise ValueError(f"{args.path} has never had a file")
    for line in _lines(entries):
        print(line)
    return 0


def _lines(entries: Sequence[HistoryFile]) -> list[str]:
    zone = render_options().zone
    lines = []
    for entry in entries:
        parts = [
            f"V{entry['number']}",
            f"file:{entry['id']}",
            format_time(entry["createdAt"], zone),
            f"{entry['size']:,} bytes",
            f"sha256:{entry['sha256'][:DIGITS]}" if entry["sha256"] else "",
            f"by {entry['author']}" if entry["author"] else "",
            "current" if entry["current"] else "",
            f"written by {', '.join(f'task:{number}' for number in entry['tasks'])}" if entry["tasks"] else "",
        ]
        lines.append("  ".join(part for part in parts if part))
    return lines


def get(args: argparse.Namespace) -> int:
    """Download one of the files that a path has had.

    Raises:
        ValueError: there is no such file, or it would replace one here.
    """
    api = open_api()
    with needs_autoflow_server(api):
        chosen = api.file.get_version(args.path, version=args.number, sha256=args.sha256, team_id=args.team)
        target = args.to or chosen["name"]
        if os.path.isdir(target):
            target = os.path.join(target, chosen["name"])
        if os.path.lexists(target):
            raise ValueError(f"{target!r} exists: choose another place by --to")
        api.file.download_version(f"file:{chosen['id']}", target)
    if args.json:
        print(json.dumps({**chosen, "to": target}, ensure_ascii=False, indent=2))
    else:
        label = f"V{chosen['number']} of {chosen['path']} (file:{chosen['id']})"
        print(printable(f"{label} was written to {target}"))
    return 0


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {"history": history, "get": get}
