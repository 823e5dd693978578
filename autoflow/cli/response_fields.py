"""What commands that read share: the server that is asked, and the terminal that is written for."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from datetime import datetime

from autoflow.api.client import Api
from autoflow.errors import ServerRefused
from autoflow.graph.render.formats import RenderOptions
from autoflow.runtime.delivery import deliver_waiting


def server() -> Api:
    """The server records go to, after it was given what still waits.

    Raises:
        ValueError: records go nowhere lasting.
    """
    api = Api()
    if api.origin in {"memory", "off"}:
        raise ValueError(f"AUTOFLOW_SERVER={api.origin} keeps nothing; set AUTOFLOW_SERVER=embedded, or a server's url")
    deliver_waiting(api.records)
    return api


@contextlib.contextmanager
def ours(api: Api) -> Iterator[None]:
    """Say of a method of autoflow's own that is not there that the server is an instance.

    Raises:
        ServerRefused: it is one.
    """
    try:
        yield
    except ServerRefused as refusal:
        if refusal.status == 404 and not refusal.foreign and "autoflow." in str(refusal):
            raise ServerRefused(
                f"{api.origin} is a Supervisely instance: look there, or set AUTOFLOW_SERVER=embedded", status=404
            ) from refusal
        raise


def reader() -> RenderOptions:
    """Who standard output is read by."""
    return RenderOptions(
        color=sys.stdout.isatty() and "NO_COLOR" not in os.environ,
        unicode=(sys.stdout.encoding or "").lower().replace("-", "") == "utf8",
        zone=datetime.now().astimezone().tzinfo or RenderOptions().zone,
    )
