"""``autoflow webhooks``: addresses that get a team's events."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from autoflow.api.webhook import WebhookInfo
from autoflow.cli.api_access import open_api, render_options
from autoflow.graph.render.labels import format_time, printable


def list_all(args: argparse.Namespace) -> int:
    """Print the webhooks of a team."""
    hooks = open_api().webhook.get_list(args.team)
    if args.json:
        print(json.dumps([_to_json(hook) for hook in hooks], indent=2))
        return 0
    for hook in hooks:
        print(printable(f"webhook:{hook.id}  {hook.action}  {hook.url}"))
    if not hooks:
        print("There are no webhooks; add one with `autoflow webhooks add EVENT URL`.", file=sys.stderr)
    return 0


def _to_json(hook: WebhookInfo) -> dict[str, Any]:
    members = hook._asdict()
    return members if hook.secret else {name: value for name, value in members.items() if name != "secret"}


def add(args: argparse.Namespace) -> int:
    """Add a webhook, and print the secret that signs its requests."""
    hook = open_api().webhook.create(args.team, args.url, args.event)
    if args.json:
        print(json.dumps(_to_json(hook), indent=2))
        return 0
    print(hook.secret)
    print(f"webhook:{hook.id} was added. Store its secret safely: it cannot be printed again.", file=sys.stderr)
    return 0


def remove(args: argparse.Namespace) -> int:
    """Remove a webhook."""
    open_api().webhook.remove(args.id)
    print(json.dumps({"removed": args.id}) if args.json else f"webhook:{args.id} was removed.")
    return 0


def test(args: argparse.Namespace) -> int:
    """Add an event for a webhook."""
    open_api().webhook.test(args.team, args.id)
    if args.json:
        print(json.dumps({"tested": args.id}))
    print(f"An event waits; `autoflow webhooks deliveries {args.id}` prints what became of it.", file=sys.stderr)
    return 0


def deliveries(args: argparse.Namespace) -> int:
    """Print the latest events of a webhook."""
    entries = open_api().webhook.deliveries(args.id)
    if args.json:
        print(json.dumps(entries, indent=2))
        return 0
    for entry in entries:
        print(printable(_delivery_line(entry)))
    return 0


def _delivery_line(entry: Mapping[str, Any]) -> str:
    zone = render_options().zone
    next_attempt = f"next attempt {format_time(entry['nextAt'], zone)}" if entry["nextAt"] else ""
    attempts = f"{entry['attempts']} attempts" if entry["attempts"] != 1 else "1 attempt"
    parts = [format_time(entry["createdAt"], zone), entry["action"], entry["state"], attempts, next_attempt]
    return "  ".join(part for part in (*parts, entry["error"] or "") if part)


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": list_all,
    "add": add,
    "remove": remove,
    "test": test,
    "deliveries": deliveries,
}
