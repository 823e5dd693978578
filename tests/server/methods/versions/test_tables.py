"""Items that are tables: their columns and rows, and how they changed from a version to another."""

from __future__ import annotations

import io

import pytest

from autoflow.api.table_changes import TableChange, table_changes
from autoflow.errors import ServerRefused
from autoflow.wire.parts import Part
from tests.api.conftest import RecordingTransport
from tests.postgres import on_sqlite


class Tables:
    """A project of files."""

    def __init__(self, server):
        self.server = server
        self.project = self.call("projects.add", workspaceId=1, name="tables", type="files")["id"]
        (self.dataset,) = self.call("autoflow.folders.shape", projectId=self.project, datasets=[["."]])["datasets"]

    def call(self, method, **body):
        return self.server.call(method, body)

    def put(self, name, data):
        """Add or replace a file, and return its number."""
        part = Part("0-file", io.BytesIO(data), "0", "application/octet-stream")
        (stored,) = self.server.upload("autoflow.folders.upload", [part], {})["files"]
        image = {"name": name, "hash": stored["hash"]}
        return self.call("autoflow.folders.put", datasetId=self.dataset, images=[image])["images"][0][0]

    def version(self):
        return self.call("autoflow.versions.snapshot", projectId=self.project)["id"]


@pytest.fixture
def tables(server):
    return Tables(server)


def parquet(**columns):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    stream = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), stream)
    return stream.getvalue()


@on_sqlite
def test_tables_of_versions(tables):
    """Rows and columns are those of the version; a comparison says which of them changed."""
    lemons = tables.put("lemons.csv", b'id;name\n1;"a\nb"\n2;c\n')
    prices = tables.put("prices.parquet", parquet(id=[1, 2, 3], price=[1, 2, None]))
    text, wrong = tables.put("notes.txt", b"a,b"), tables.put("wrong.parquet", b"PAR1")
    first = tables.version()
    tables.put("lemons.csv", b"id;age\n1;2\n")
    tables.put("prices.parquet", parquet(id=[1, 2], price=[1.5, 2.5]))
    tables.put("wrong.parquet", b"PAR2")
    assert tables.call("autoflow.items.table", id=lemons, version=first) == {
        "columns": [{"name": "id", "type": ""}, {"name": "name", "type": ""}],
        "rows": 2,
        "sample": [["1", "a\nb"], ["2", "c"]],
    }
    eve = tables.server.tokens.caller(tables.server.tokens.create("eve", ["Team"], scope="read"))
    body = {"id": lemons, "version": first}
    assert tables.server.call("autoflow.items.table", body, eve)["rows"] == 2  # although no item has these bytes now
    now = tables.call("autoflow.items.table", id=prices, rows=1)
    assert (now["rows"], now["sample"]) == (2, [["1", "1.5"]])
    for number, words in ((text, "'txt' are not read"), (wrong, "cannot be decoded"), (999, "unknown")):
        with pytest.raises(ServerRefused, match=words):
            tables.call("autoflow.items.table", id=number)
    second = tables.version()
    differences = tables.call("autoflow.versions.diff", **{"from": first, "to": second})
    assert [(change.path, str(change)) for change in table_changes(RecordingTransport(tables.server), differences)] == [
        ("./lemons.csv", "2 → 1 rows, + column age, - column name"),
        ("./prices.parquet", "3 → 2 rows, ~ column price int64 → double"),
    ]
    assert isinstance(next(table_changes(RecordingTransport(tables.server), differences)), TableChange)


@on_sqlite
def test_bytes_that_are_no_image_are_refused_as_one(tables):
    """A file that was stored for a project of files cannot become an image by its hash."""
    tables.put("lemons.csv", b"id\n")
    listed = tables.call("autoflow.versions.items", id=tables.version())["items"]
    images = tables.call("projects.add", workspaceId=1, name="images")["id"]
    (dataset,) = tables.call("autoflow.folders.shape", projectId=images, datasets=[["d"]])["datasets"]
    image = {"name": "a.png", "hash": listed[0]["hash"]}
    with pytest.raises(ServerRefused, match=r"images\[0\].hash.*has not been uploaded as an image"):
        tables.call("autoflow.folders.put", datasetId=dataset, images=[image])
