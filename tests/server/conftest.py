"""Fixtures: a server on SQLite and on PostgreSQL, and shortcuts that fill it with data."""

from __future__ import annotations

import io
import itertools

import pytest

from autoflow.server.server import Server
from autoflow.wire.parts import Part
from tests.postgres import DATABASES, database_of
from tests.server.scope_check import checking_scopes


@pytest.fixture(autouse=True, scope="session")
def _scopes_checked():
    with checking_scopes():
        yield


@pytest.fixture(params=DATABASES)
def database(request):
    """The url of a new database, None for a file in the server's folder."""
    with database_of(request) as url:
        yield url


@pytest.fixture(params=DATABASES, scope="module")
def module_server(request, tmp_path_factory):
    """One server for all tests of a module."""
    with database_of(request) as url:
        opened = Server.open(tmp_path_factory.mktemp("module_server"), url)
        yield opened
        opened.close()


@pytest.fixture
def server(tmp_path, database):
    opened = Server.open(tmp_path / "home", database)
    yield opened
    opened.close()


class Filled:
    """A server with shortcuts for the calls that tests make most."""

    def __init__(self, server):
        self.server = server
        self._keys = itertools.count(1)

    def call(self, method, **body):
        return self.server.call(method, body)

    def project(self, name="lemons", **more):
        return self.call("projects.add", workspaceId=1, name=name, **more)["id"]

    def dataset(self, project, name="ds", **more):
        return self.call("datasets.add", projectId=project, name=name, **more)["id"]

    def picture(self, colour=(200, 180, 0), size=(4, 3)):
        from PIL import Image

        stream = io.BytesIO()
        Image.new("RGB", size, colour).save(stream, "PNG")
        return stream.getvalue()

    def content(self, data):
        part = Part("0-file", io.BytesIO(data), "0", "image/*")
        return self.server.upload("images.bulk.upload", [part], {})[0]["hash"]

    def image(self, dataset, name="a.png", **more):
        content = self.content(self.picture())
        return self.call("images.bulk.add", datasetId=dataset, images=[{"title": name, "hash": content, **more}])[0]

    def file(self, path="/models/best.pt", data=b"weights", team=1):
        folder, _, name = path.rpartition("/")
        parts = [
            Part("name", name),
            Part("path", folder + "/"),
            Part("file", io.BytesIO(data), name, "application/octet-stream"),
        ]
        return self.server.upload("file-storage.bulk.upload", parts, {"teamId": team})[0]

    def snapshot(self, project, **more):
        return self.call("autoflow.versions.snapshot", projectId=project, **more)

    def record(self, kind, run="r1", key=None, **more):
        return {"key": key or f"j.{next(self._keys)}", "type": kind, "run": run, "at": 10**18, **more}

    def send(self, *records):
        return self.call("autoflow.records.add", records=list(records))

    def edge(self, direction, entity_type, number, run="r1", meta=None, **more):
        entity = {"type": entity_type, "id": number, "origin": more.pop("entity_origin", "")}
        record = self.record("edge", run, direction=direction, entity=entity, meta=meta, **more)
        return self.send(record)["results"][0]

    def graph(self, **entry):
        return self.call("autoflow.graph", **entry)

    def cards(self, **entry):
        return {card["key"]: card for card in self.graph(**entry)["cards"]}

    def arrows(self, **entry):
        return [(arrow["source"], arrow["target"], arrow["kind"]) for arrow in self.graph(**entry)["arrows"]]


@pytest.fixture
def filled(server):
    return Filled(server)


@pytest.fixture(scope="session")
def fill():
    """The class `Filled`, for servers that outlive one test."""
    return Filled
