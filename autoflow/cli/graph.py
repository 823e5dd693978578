"""``autoflow graph`` and ``autoflow open``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import webbrowser
from datetime import datetime

from autoflow.api.client import Api
from autoflow.cli.outbox import deliver_waiting
from autoflow.errors import ServerRefused
from autoflow.graph.forms import Reader, write
from autoflow.graph.graph import Graph


def show(given: argparse.Namespace) -> int:
    """Print the graph in the form asked for."""
    graph = _graph(given)
    terminal = sys.stdout.isatty()
    reader = Reader(
        color=terminal and "NO_COLOR" not in os.environ,
        unicode=(sys.stdout.encoding or "").lower().replace("-", "") == "utf8",
        zone=datetime.now().astimezone().tzinfo or Reader().zone,
    )
    print(write(graph, given.format, reader), end="")
    return 0


def open_page(given: argparse.Namespace) -> int:
    """Write the graph as one HTML file and open it in the browser; prints where it is."""
    text = write(_graph(given), "html", Reader(zone=datetime.now().astimezone().tzinfo or Reader().zone))
    descriptor, path = tempfile.mkstemp(prefix="autoflow-", suffix=".html")
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    print(path)
    if not webbrowser.open(f"file://{path}"):
        print("No browser could be started here: open the file yourself.", file=sys.stderr)
    return 0


def _graph(given: argparse.Namespace) -> Graph:
    """Ask the server records go to, after giving it what still waits."""
    api = Api()
    if api.origin in {"memory", "off"}:
        raise ValueError(
            f"AUTOFLOW_SERVER={api.origin} keeps no graph; set AUTOFLOW_SERVER=embedded, or a server's url"
        )
    deliver_waiting(api.records)
    file = int(given.file) if given.file and given.file.isdecimal() else given.file
    try:
        return api.graph(project=given.project, task=given.task, workspace=given.workspace, file=file)
    except ServerRefused as refusal:
        if refusal.status == 404 and "autoflow.graph" in str(refusal):
            raise ServerRefused(
                f"{api.origin} is a Supervisely instance: look at the workflow there, or set AUTOFLOW_SERVER=embedded",
                status=404,
            ) from refusal
        raise
