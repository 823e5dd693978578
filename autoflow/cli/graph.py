"""``autoflow graph``: the workflow in a form for a terminal, a document or a program."""

from __future__ import annotations

import argparse
import sys

from autoflow.api.client import Api
from autoflow.cli.output import write_rendered
from autoflow.cli.response_fields import ours, reader, server
from autoflow.graph.clusters import cluster_cards
from autoflow.graph.graph import Graph
from autoflow.graph.render.formats import PICTURE_FORMATS, render

EMPTY = """\
No run is recorded here yet. Put `with autoflow.workflow("Train"):` around an app's main, decorate what loads and saves
with @workflow_input and @workflow_output, run the app, and type `autoflow graph` again; `autoflow doctor` says where
records go. `make demo` keeps a store of its own: AUTOFLOW_HOME=.demo autoflow graph."""


def show(given: argparse.Namespace) -> int:
    """Print the graph in the form asked for; in pictures five or more cards that are alike are one, unless told."""
    graph = graph_of(given, server())
    if not any(card.type == "task" for card in graph.cards):
        print(EMPTY, file=sys.stderr)
    together = given.format in PICTURE_FORMATS if given.cluster is None else given.cluster
    show_graph(cluster_cards(graph) if together else graph, given.format)
    return 0


def show_graph(graph: Graph, form: str) -> None:
    """Print a graph in one of the forms of `graph.forms`."""
    text = render(graph, form, reader())
    if form == "json":
        print(text, end="")  # the names in it are still as recorded
    else:
        write_rendered(sys.stdout, text)


def graph_of(given: argparse.Namespace, api: Api) -> Graph:
    """The graph that the command line names."""
    file = int(given.file) if given.file and given.file.isdecimal() else given.file
    with ours(api):
        return api.graph(project=given.project, task=given.task, workspace=given.workspace, file=file)
