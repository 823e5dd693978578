"""The data objects over a server in a folder of the test's own, in this process and over HTTP."""

from __future__ import annotations

import contextlib
import io

import pytest

from autoflow.api.annotation import AnnotationApi
from autoflow.api.dataset import DatasetApi
from autoflow.api.file import FileApi
from autoflow.api.image import ImageApi
from autoflow.api.project import ProjectApi
from autoflow.api.task import TaskApi


class Watched:
    """A transport to a server, or the server itself, that keeps what was asked."""

    origin = "embedded"

    def __init__(self, server):
        self.server = server
        self.asked = []

    def call(self, method, body, *, timeout=None):
        self.asked.append(method)
        return self.server.call(method, body)

    def upload(self, method, parts, query=None):
        self.asked.append(method)
        return self.server.upload(method, parts, query)

    def download(self, method, body):
        self.asked.append(method)
        return self.server.download(method, body)

    def close(self):
        self.server.close()


class DataApi:
    """What the guide's `api` object has for data."""

    def __init__(self, transport):
        self.transport = transport
        self.project = ProjectApi(transport)
        self.dataset = DatasetApi(transport)
        self.image = ImageApi(transport)
        self.annotation = AnnotationApi(transport)
        self.file = FileApi(transport)
        self.task = TaskApi(transport)


@pytest.fixture(params=["embedded", "served"])
def api(request, tmp_path):
    from autoflow.server.server import Server  # not at the top: other tests here run without the server
    from autoflow.transport.http import HttpTransport
    from tests.serving import served

    with contextlib.ExitStack() as stack:
        asked = server = Server.open(tmp_path / "home")
        stack.callback(server.close)
        if request.param == "served":
            asked = HttpTransport(stack.enter_context(served(server)), lambda: None)
            stack.callback(asked.close)
        yield DataApi(Watched(asked))


@pytest.fixture
def picture():
    """Makes a PNG of a colour."""

    def make(colour=(1, 2, 3)):
        from PIL import Image

        stream = io.BytesIO()
        Image.new("RGB", (4, 3), colour).save(stream, "PNG")
        return stream.getvalue()

    return make
