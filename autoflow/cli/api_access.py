"""The `Api` object and the render options of the commands that read."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from datetime import datetime

from autoflow.api.client import Api
from autoflow.errors import ServerRefused
from autoflow.graph.render.formats import RenderOptions
from autoflow.outbox.destinations.servers import ServerConnector
from autoflow.runtime.delivery import deliver_waiting


def open_api() -> Api:
    """Deliver pending records, and return an `Api` for the server that receives them.

    Raises:
        ValueError: records are not stored anywhere.
    """
    api = Api()
    if api.origin in {"memory", "off"}:
        raise ValueError(
            f"AUTOFLOW_SERVER={api.origin} does not store records: set AUTOFLOW_SERVER=embedded, or to a server's URL"
        )
    deliver_waiting(api.records)
    return api


@contextlib.contextmanager
def needs_autoflow_server(api: Api) -> Iterator[None]:
    """Explain the error of a method that a Supervisely instance lacks.

    Raises:
        ServerRefused: the server is an instance.
    """
    try:
        yield
    except ServerRefused as refusal:
        # A typing error is a 404, too: the server itself says which of the two it is.
        if refusal.status == 404 and not refusal.foreign and not ServerConnector(api.transport).identify().own_methods:
            raise ServerRefused(
                f"{api.origin} is a Supervisely instance, which does not support this command: use the instance's own "
                "page, or set AUTOFLOW_SERVER=embedded",
                status=404,
            ) from refusal
        raise


def render_options() -> RenderOptions:
    """Return the options for output to standard output."""
    return RenderOptions(
        color=sys.stdout.isatty() and "NO_COLOR" not in os.environ,
        unicode=(sys.stdout.encoding or "").lower().replace("-", "") == "utf8",
        zone=datetime.now().astimezone().tzinfo or RenderOptions().zone,
    )
