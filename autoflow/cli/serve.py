"""``autoflow serve``: serve a team over HTTP."""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import os
import sys
from typing import TYPE_CHECKING

from autoflow.cli import serve_options
from autoflow.distribution import install
from autoflow.errors import ServerBusy, ServerExtraMissing, StoreUnavailable
from autoflow.outbox import home

if TYPE_CHECKING:
    from autoflow.server.server import Server


def folder_of(data: str | None) -> str:
    """Return the server's folder: that of the option, else the embedded server's, whose data is then served.

    Raises:
        OSError: no folder can be used.
    """
    if data is not None:
        return os.path.abspath(os.path.expanduser(data))
    state_folder = home.find()
    if state_folder is None:
        raise NotADirectoryError("no folder can be used for the server: set AUTOFLOW_HOME, or pass --data")
    return os.path.join(state_folder, "platform")


def witness_folder() -> str | None:
    """Return the folder that lists the stores this machine has served; None if there is no writable folder."""
    state_folder = home.find()
    return os.path.join(state_folder, "stores") if state_folder is not None else None


def serve(args: argparse.Namespace) -> int:
    """Serve until a signal; print the address and how to configure an app for it."""
    options, sources = serve_options.load(args)
    if args.print_config:
        print("\n".join(serve_options.describe(options, sources)))
        return 0
    try:
        from autoflow.server.background_maintenance import BackgroundMaintenance
        from autoflow.server.http import listener
        from autoflow.server.http.access_log import AccessLog
        from autoflow.server.http.app import application
        from autoflow.server.server import Server
        from autoflow.server.webhook_delivery import WebhookDelivery

        if options.oidc is not None:
            importlib.import_module("autoflow.server.http.login.routes")
    except ImportError as error:
        extras = ("server", "oidc") if options.oidc is not None else ("server",)
        raise ServerExtraMissing(f"`autoflow serve` needs more packages: {install(*extras)} ({error})") from error
    with contextlib.ExitStack() as closing:
        listening = closing.enter_context(listener.listen(options.host, options.port))
        auth = options.auth or options.oidc is not None or not listener.on_loopback(listening)
        access_log = AccessLog(options.access_log) if options.access_log is not None else None
        if access_log is not None:
            closing.callback(access_log.close)
        folder = folder_of(options.data)
        server = Server.open(
            folder, options.database, blobs=options.blobs, migrate=options.migrate, notes=witness_folder(), lazy=True
        )
        maintenance = BackgroundMaintenance(server)
        webhooks = WebhookDelivery(server.store, allow_private=options.private_webhooks)
        try:
            has_tokens = _open(server)
            maintenance.start()
            webhooks.start()
            url = listener.address_of(listening, options.host)
            app = application(server, auth=auth, names=[options.host], access_log=access_log, oidc=options.oidc)
            store = server.database if options.database else folder
            sign_in = options.oidc.issuer if options.oidc is not None else None
            usage = functools.partial(_print_usage, url, store, auth=auth, has_tokens=has_tokens, sign_in=sign_in)
            listener.serve(app, listening, usage)
        finally:
            webhooks.stop()
            maintenance.stop()
            server.close()
    print("autoflow: stopped.")
    return 0


def _open(server: Server) -> bool:
    """Open the store, and return whether it has tokens; True if that is not known yet.

    If the store is unavailable, or its database server does not respond, the server starts nevertheless and responds
    with 503 until it is available.

    Raises:
        ServerBusy: the error is permanent.
    """
    try:
        server.store.open()
        return bool(server.tokens.list())
    except ServerBusy as error:
        is_temporary = isinstance(error, StoreUnavailable) or (server.store.is_remote and error.retry_after is not None)
        if not is_temporary:
            raise
        print(f"autoflow: all requests get status 503 until this is resolved: {error}", file=sys.stderr, flush=True)
        return True


def _print_usage(url: str, store: str, *, auth: bool, has_tokens: bool, sign_in: str | None) -> None:
    token = "<token>" if auth else "any"
    hint = f"    (sign in by {sign_in})" if sign_in else "    (any user name, and a token as the password)"
    print(f"autoflow serves {store}")
    print(f"  open in browser  {url}/" + (hint if auth else ""))
    print(f"  from an app      AUTOFLOW_SERVER={url}" + (" AUTOFLOW_TOKEN=<token>" if auth else ""))
    print(f"  with the SDK     ENV=production SERVER_ADDRESS={url} API_TOKEN={token}")
    if not auth:
        print("All users of this machine have full access; start with --auth to require tokens.")
    elif not has_tokens:
        print("There is no token yet; create one with `autoflow token create`.")
    print("Ctrl+C stops it.", flush=True)
