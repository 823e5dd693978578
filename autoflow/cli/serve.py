"""``autoflow serve``: the server for a team, over HTTP."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from autoflow.distribution import install
from autoflow.errors import ServerBusy, ServerExtraMissing, StoreUnavailable
from autoflow.outbox import home

if TYPE_CHECKING:
    from autoflow.server.server import Server


def folder_of(given: argparse.Namespace) -> str:
    """Where the server is kept: ``--data``, else where it is kept embedded, so that nothing has to be moved.

    Raises:
        OSError: no folder can be used.
    """
    if given.data is not None:
        return os.path.abspath(os.path.expanduser(str(given.data)))
    found = home.find()
    if found is None:
        raise NotADirectoryError("there is no folder for the server on this machine: set AUTOFLOW_HOME, or use --data")
    return os.path.join(found, "platform")


def notes_folder() -> str | None:
    """Where this machine keeps which stores it had, None where nothing can be kept."""
    found = home.find()
    return os.path.join(found, "stores") if found is not None else None


def serve(given: argparse.Namespace) -> int:
    """Serve until a signal; prints where, and how an app is pointed at it."""
    try:
        from autoflow.server.background_maintenance import BackgroundMaintenance
        from autoflow.server.http import listener
        from autoflow.server.http.app import application
        from autoflow.server.server import Server
    except ImportError as error:
        raise ServerExtraMissing(f"the server needs more: {install('server')} ({error})") from error
    with listener.listen(given.host, given.port) as listening:
        auth = given.auth or not listener.on_loopback(listening)
        folder = folder_of(given)
        server = Server.open(
            folder, given.database, blobs=given.blobs, migrate=given.migrate, notes=notes_folder(), lazy=True
        )
        caretaker = BackgroundMaintenance(server)
        try:
            anybody = _open(server)
            caretaker.start()
            url = listener.address_of(listening, given.host)
            app = application(server, auth=auth, names=[given.host])
            where = server.database if given.database else folder
            listener.serve(app, listening, lambda: _tell(url, where, auth=auth, anybody=anybody))
        finally:
            caretaker.stop()
            server.close()
    print("autoflow: stopped.")
    return 0


def _open(server: Server) -> bool:
    """Open the store; gives whether it has tokens, True while nobody can say.

    A store that is unavailable, and a database server that does not answer, are waited for: requests are answered
    with 503 until then.

    Raises:
        ServerBusy: waiting would not help.
    """
    try:
        server.store.open()
        return bool(server.tokens.list())
    except ServerBusy as error:
        waits = isinstance(error, StoreUnavailable) or (server.store.is_remote and error.retry_after is not None)
        if not waits:
            raise
        print(f"autoflow: every request is answered with 503 until this is over: {error}", file=sys.stderr, flush=True)
        return True


def _tell(url: str, where: str, *, auth: bool, anybody: bool) -> None:
    token = "<token>" if auth else "any"
    print(f"autoflow serves {where}")
    print(f"  look at it    {url}/" + ("    (any name, and a token as the password)" if auth else ""))
    print(f"  from an app   AUTOFLOW_SERVER={url}" + (" AUTOFLOW_TOKEN=<token>" if auth else ""))
    print(f"  with the SDK  ENV=production SERVER_ADDRESS={url} API_TOKEN={token}")
    if not auth:
        print("Whoever uses this machine may do everything here; --auth asks for tokens.")
    elif not anybody:
        print("There is no token yet: make one with `autoflow token create`.")
    print("Ctrl+C stops it.", flush=True)
