"""``autoflow trace``: print the ancestry of an entity."""

from __future__ import annotations

import argparse
import json
import sys

from autoflow.cli.api_access import needs_autoflow_server, open_api, render_options
from autoflow.cli.graph import show_graph
from autoflow.cli.output import write_rendered
from autoflow.graph.render.ancestry import render_trace


def show(args: argparse.Namespace) -> int:
    """Print the trace in the requested format."""
    api = open_api()
    with needs_autoflow_server(api):
        trace = api.trace(args.ref, every=args.all, team_id=args.team)
    format_name = "json" if args.json else args.format
    if format_name == "json":
        print(json.dumps(trace.to_json(), ensure_ascii=False, indent=2))
    elif format_name == "text":
        options = render_options()
        write_rendered(sys.stdout, render_trace(trace, color=options.color, unicode=options.unicode, zone=options.zone))
    else:
        show_graph(trace.graph, format_name)
    return 0
