"""``autoflow trace``: everything a thing came from."""

from __future__ import annotations

import argparse
import json
import sys

from autoflow.cli.graph import show_graph
from autoflow.cli.output import write_rendered
from autoflow.cli.response_fields import ours, reader, server
from autoflow.graph.render.ancestry import render_trace


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
        write_rendered(sys.stdout, render_trace(found, color=told.color, unicode=told.unicode, zone=told.zone))
    else:
        show_graph(found.graph, form)
    return 0
