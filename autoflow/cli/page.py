"""``autoflow open``: the live page in the browser; the embedded server's is served from here while one looks."""

from __future__ import annotations

import argparse
import sys
import tempfile
import webbrowser
from urllib.parse import quote

from autoflow.api.client import Api
from autoflow.cli.graph import graph_of
from autoflow.cli.response_fields import ours, reader
from autoflow.cli.response_fields import server as asked
from autoflow.cli.serve import folder_of, notes_folder
from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing
from autoflow.graph.render.formats import render
from autoflow.graph.render.labels import is_server_url

HOST = "127.0.0.1"


def show(given: argparse.Namespace) -> int:
    """Open the workflow in the browser.

    A server's page is opened where it is. The embedded server is served until Ctrl+C, on this machine alone. With
    ``--static`` one HTML file is written and opened, which needs no server.
    """
    api = asked()
    if given.static:
        return _write(given, api)
    if is_server_url(api.origin):
        with ours(api):
            api.transport.call("autoflow.changes", {})
        return _look(api.origin.rstrip("/") + path_of(given))
    return _serve(given)


def path_of(given: argparse.Namespace) -> str:
    """The page's path of what the command line names."""
    for entry in ("project", "task", "workspace"):
        if getattr(given, entry) is not None:
            return f"/{entry}/{getattr(given, entry)}"
    if given.file is None:
        return "/workspace"
    return f"/file/{given.file}" if given.file.isdecimal() else f"/file?path={quote(given.file, safe='/')}"


def _look(url: str) -> int:
    print(url, flush=True)
    if not webbrowser.open(url):
        print("No browser could be started here: open the address yourself.", file=sys.stderr)
    return 0


def _write(given: argparse.Namespace, api: Api) -> int:
    text = render(graph_of(given, api), "html", reader())
    with tempfile.NamedTemporaryFile("w", prefix="autoflow-", suffix=".html", delete=False, encoding="utf-8") as file:
        file.write(text)
    print(file.name)
    if not webbrowser.open(f"file://{file.name}"):
        print("No browser could be started here: open the file yourself.", file=sys.stderr)
    return 0


def _serve(given: argparse.Namespace) -> int:
    """Serve the embedded server at a free port of this machine."""
    try:
        from autoflow.server.http import listener
        from autoflow.server.http.app import application
        from autoflow.server.server import Server
    except ImportError as error:
        raise ServerExtraMissing(f"the page needs more: {install('server')} ({error})") from error
    with listener.listen(HOST, given.port) as listening:
        server = Server.open(folder_of(argparse.Namespace(data=None)), notes=notes_folder())
        try:
            url = listener.address_of(listening, HOST) + path_of(given)
            print("autoflow shows this machine's own server until Ctrl+C.")
            listener.serve(application(server, auth=False, names=[HOST]), listening, lambda: _look(url))
        finally:
            server.close()
    print("autoflow: stopped.")
    return 0
