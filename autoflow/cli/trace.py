"""``autoflow trace``: everything a thing came from."""

from __future__ import annotations

import argparse
import json

from autoflow.cli.asking import ours, reader, server
from autoflow.graph.ancestry import ancestry
from autoflow.graph.forms import write


def trace(given: argparse.Namespace) -> int:
    """Print the trace in the form asked for."""
    api = server()
    with ours(api):
        found = api.trace(given.ref, every=given.all, team_id=given.team)
    form = "json" if given.json else given.format
    if form == "json":
        print(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
    elif form == "text":
        told = reader()
        print(ancestry(found, color=told.color, unicode=told.unicode, zone=told.zone), end="")
    else:
        print(write(found.graph, form, reader()), end="")
    return 0
