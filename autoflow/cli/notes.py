"""``autoflow note``: what people wrote on a card."""

from __future__ import annotations

import argparse
import json
import sys

from autoflow.cli.api_access import needs_autoflow_server, open_api, render_options
from autoflow.cli.parsing import Commands
from autoflow.graph.render.labels import format_time, printable


def add_note(commands: Commands) -> None:
    """Add ``autoflow note`` to the commands."""
    command = commands.add("note", "write a note on a card, or print its notes")
    command.add_argument(
        "ref", metavar="REF", help="as file:9, version:4, task:5, /models/best.pt, model:lemons@champion"
    )
    command.add_argument("text", nargs="?", metavar="TEXT", help="the note (default: print the notes)")
    command.add_argument("--team", type=int, metavar="N", help="team of a path or a model (default: your first one)")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.set_defaults(run="note")


def note(args: argparse.Namespace) -> int:
    """Write a note, and print it; without a text print the notes, the latest first."""
    api = open_api()
    with needs_autoflow_server(api):
        if args.text is not None:
            notes = [api.note.add(args.ref, args.text, team_id=args.team)]
        else:
            notes = list(api.note.get_list(args.ref, team_id=args.team))
    if args.json:
        print(json.dumps(notes, ensure_ascii=False, indent=2))
        return 0
    zone = render_options().zone
    for entry in notes:
        print(f"{format_time(entry['createdAt'], zone)}  {printable(entry['createdBy'] or 'unknown')}")
        for line in entry["text"].splitlines():
            print(f"  {printable(line)}")
    if not notes:
        print(f'There are no notes; write one with `autoflow note {args.ref} "TEXT"`.', file=sys.stderr)
    return 0
