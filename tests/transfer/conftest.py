"""Two servers: an embedded one, and one over HTTP with tokens, on SQLite or PostgreSQL."""

from __future__ import annotations

import contextlib
import io

import pytest

from autoflow.server.server import Server
from autoflow.transport.embedded import EmbeddedTransport
from autoflow.transport.http import HttpTransport
from tests.postgres import DATABASES, database_of
from tests.serving import served


def picture(colour):
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (4, 3), colour).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def source(tmp_path):
    """An embedded server."""
    transport = EmbeddedTransport(str(tmp_path / "source" / "platform"))
    yield transport
    transport.close()


@pytest.fixture(params=DATABASES)
def target_server(request, tmp_path):
    """The other server, as an object."""
    with database_of(request) as url:
        server = Server.open(tmp_path / "target", url)
        yield server
        server.close()


@pytest.fixture
def connect(target_server):
    """A function that connects to the other server as a user of a team."""
    with served(target_server, auth=True) as url, contextlib.ExitStack() as stack:

        def open_transport(login="ann", team="Vision"):
            token = target_server.tokens.create(login, [team])
            return stack.enter_context(contextlib.closing(HttpTransport(url, lambda: token)))

        yield open_transport
