"""``autoflow open``: open the web page of a server in the browser; the embedded server is served meanwhile."""

from __future__ import annotations

import argparse
import sys
import tempfile
import webbrowser
from urllib.parse import quote

from autoflow.api.client import Api
from autoflow.cli.api_access import needs_autoflow_server, open_api, render_options
from autoflow.cli.graph import graph_of
from autoflow.cli.serve import folder_of, witness_folder
from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing
from autoflow.graph.render.formats import render
from autoflow.graph.render.labels import is_server_url
from autoflow.transport.typed import call
from autoflow.wire.contract.admin import CHANGES, ChangesRequest

HOST = "127.0.0.1"


def show(args: argparse.Namespace) -> int:
    """Open the workflow in the browser.

    The page of a team server is opened at its address. The embedded server is served on this machine until Ctrl+C.
    With ``--static`` a standalone HTML file is written and opened.
    """
    api = open_api()
    if args.static:
        return _write(args, api)
    if is_server_url(api.origin):
        with needs_autoflow_server(api):
            call(api.transport, CHANGES, ChangesRequest())
        return _open_browser(api.origin.rstrip("/") + path_of(args))
    return _serve(args)


def path_of(args: argparse.Namespace) -> str:
    """Return the path of the page for the entity that the arguments name."""
    for entry in ("project", "task", "workspace"):
        if getattr(args, entry) is not None:
            return f"/{entry}/{getattr(args, entry)}"
    if args.file is None:
        return "/workspace"
    return f"/file/{args.file}" if args.file.isdecimal() else f"/file?path={quote(args.file, safe='/')}"


def _open_browser(url: str) -> int:
    print(url, flush=True)
    if not webbrowser.open(url):
        print("No browser could be started: open this address in a browser.", file=sys.stderr)
    return 0


def _write(args: argparse.Namespace, api: Api) -> int:
    text = render(graph_of(args, api), "html", render_options())
    with tempfile.NamedTemporaryFile("w", prefix="autoflow-", suffix=".html", delete=False, encoding="utf-8") as file:
        file.write(text)
    print(file.name)
    if not webbrowser.open(f"file://{file.name}"):
        print("No browser could be started: open this file in a browser.", file=sys.stderr)
    return 0


def _serve(args: argparse.Namespace) -> int:
    """Serve the embedded server on this machine."""
    try:
        from autoflow.server.http import listener
        from autoflow.server.http.app import application
        from autoflow.server.server import Server
    except ImportError as error:
        raise ServerExtraMissing(f"`autoflow open` needs more packages: {install('server')} ({error})") from error
    with listener.listen(HOST, args.port) as listening:
        server = Server.open(folder_of(None), notes=witness_folder())
        try:
            url = listener.address_of(listening, HOST) + path_of(args)
            print("Serving the embedded server until Ctrl+C.")
            listener.serve(application(server, auth=False, names=[HOST]), listening, lambda: _open_browser(url))
        finally:
            server.close()
    print("autoflow: stopped.")
    return 0
