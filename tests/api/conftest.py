"""The data API of a server in this process, and of one over HTTP."""

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


class RecordingTransport:
    """A transport or server that records the requested methods."""

    origin = "embedded"

    def __init__(self, server):
        self.server = server
        self.requested = []

    def call(self, method, body, *, timeout=None):
        self.requested.append(method)
        return self.server.call(method, body)

    def upload(self, method, parts, query=None):
        self.requested.append(method)
        return self.server.upload(method, parts, query)

    def download(self, method, body):
        self.requested.append(method)
        return self.server.download(method, body)

    def close(self):
        self.server.close()


class DataApi:
    """The data objects of `Api`."""

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
    from autoflow.server.server import Server  # not at the top: other tests in this folder run without it
    from autoflow.transport.http import HttpTransport
    from tests.serving import served

    with contextlib.ExitStack() as stack:
        transport = server = Server.open(tmp_path / "home")
        stack.callback(server.close)
        if request.param == "served":
            transport = HttpTransport(stack.enter_context(served(server)), lambda: None)
            stack.callback(transport.close)
        yield DataApi(RecordingTransport(transport))


@pytest.fixture
def picture():
    """A function that returns a PNG of one color."""

    def make(colour=(1, 2, 3)):
        from PIL import Image

        stream = io.BytesIO()
        Image.new("RGB", (4, 3), colour).save(stream, "PNG")
        return stream.getvalue()

    return make
