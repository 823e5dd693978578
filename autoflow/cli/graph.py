"""``autoflow graph``, ``trace`` and ``impact``: print the graph, the ancestry of an entity, or what it led to."""

from __future__ import annotations

import argparse
import csv
import json
import sys

from autoflow.api.client import Api
from autoflow.cli.api_access import needs_autoflow_server, open_api, render_options
from autoflow.cli.output import write_rendered
from autoflow.graph.clusters import cluster_cards
from autoflow.graph.graph import Graph
from autoflow.graph.impact import ImpactRow
from autoflow.graph.render.ancestry import render_impact, render_trace
from autoflow.graph.render.formats import PICTURE_FORMATS, render

EMPTY = """\
No run has been recorded on this server. Put `with autoflow.workflow("Train"):` around an app's main, decorate the
functions that load and save data with @workflow_input and @workflow_output, run the app, and run `autoflow graph`
again. `autoflow doctor` prints where records are sent. The runs of `make demo` have their own store:
AUTOFLOW_HOME=.demo autoflow graph."""


def show(args: argparse.Namespace) -> int:
    """Print the graph in the requested format; in pictures five or more similar cards are combined by default."""
    graph = graph_of(args, open_api())
    if not any(card.type == "task" for card in graph.cards):
        print(EMPTY, file=sys.stderr)
    combine = args.format in PICTURE_FORMATS if args.cluster is None else args.cluster
    show_graph(cluster_cards(graph) if combine else graph, args.format)
    return 0


def show_trace(args: argparse.Namespace) -> int:
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


def show_impact(args: argparse.Namespace) -> int:
    """Print the impact as a tree, JSON, CSV or a graph."""
    api = open_api()
    with needs_autoflow_server(api):
        impact = api.impact(args.ref, team_id=args.team)
    format_name = "json" if args.json else "csv" if args.csv else args.format
    if format_name == "json":
        print(json.dumps(impact.to_json(), ensure_ascii=False, indent=2))
    elif format_name == "csv":
        table = csv.writer(sys.stdout, lineterminator="\n")
        table.writerow(ImpactRow._fields)
        table.writerows(impact.rows())
    elif format_name == "text":
        options = render_options()
        text = render_impact(impact, color=options.color, unicode=options.unicode, zone=options.zone)
        write_rendered(sys.stdout, text)
    else:
        show_graph(impact.graph, format_name)
    if not impact.complete and format_name != "text":
        print(f"autoflow: at least {impact.omitted} more runs and data are not shown", file=sys.stderr)
    return 0


def show_graph(graph: Graph, format_name: str) -> None:
    """Print a graph in a format of `autoflow.graph.render.formats`."""
    text = render(graph, format_name, render_options())
    if format_name == "json":
        print(text, end="")  # without the escapes of rendered text
    else:
        write_rendered(sys.stdout, text)


def graph_of(args: argparse.Namespace, api: Api) -> Graph:
    """Request the graph of the entity that the arguments name."""
    file = int(args.file) if args.file and args.file.isdecimal() else args.file
    with needs_autoflow_server(api):
        return api.graph(project=args.project, task=args.task, workspace=args.workspace, file=file)
