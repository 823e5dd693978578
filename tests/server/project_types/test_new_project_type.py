"""The example of docs/extending.md: a project type that is added to the registry."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

import pytest

from autoflow.errors import ServerRefused
from autoflow.server import server as server_module
from autoflow.server.project_types import registry
from autoflow.server.uploads.item_upload import receive_items
from autoflow.wire.content_hash import encode_hash
from autoflow.wire.parts import Part

GUIDE = Path(__file__).parents[3] / "docs" / "extending.md"
CLASSES = {"classes": [{"title": "fruit", "shape": "any", "color": "#00ff00"}], "tags": []}


class TextProject:
    """A project of texts on a server that knows the type."""

    def __init__(self, filled):
        self.call = filled.call
        self.filled = filled
        self.id = filled.project("notes", type="texts")
        shape = self.call("autoflow.folders.shape", projectId=self.id, meta=CLASSES, datasets=[["train"]])
        (self.dataset,) = shape["datasets"]

    def upload(self, data):
        """Upload bytes; return their description, or the errors."""
        part = Part("0-file", io.BytesIO(data), "0", "text/plain")
        return self.filled.server.upload("texts.bulk.upload", [part], {})[0]

    def put(self, name, data, *spans, **more):
        """Create or replace a text with spans of the class, each a start and an end."""
        annotation = {"spans": [{"classTitle": "fruit", "start": start, "end": end} for start, end in spans]}
        image = {"name": name, "hash": self.upload(data)["hash"], "annotation": annotation, **more}
        return self.call("autoflow.folders.put", datasetId=self.dataset, images=[image])

    def version(self):
        return self.filled.snapshot(self.id)["id"]

    def texts(self, version):
        """Return hash and spans of the texts of a version, by name."""
        page = self.call("autoflow.versions.items", id=version, annotations=True)
        return {
            item["name"]: (item["hash"], [(span["classTitle"], span["start"], span["end"]) for span in spans])
            for item in page["items"]
            for spans in [item["annotation"]["spans"]]
        }


@pytest.fixture
def texts(monkeypatch):
    """The documented type, registered for one test, with a method that uploads texts."""
    section = GUIDE.read_text(encoding="utf-8").partition("## A new project type")[2]
    (example,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    namespace = {}
    exec(example, namespace)
    project_type = namespace["TEXTS"]
    monkeypatch.setattr(registry, "_TYPES", dict(registry._TYPES))
    registry.register(project_type)
    upload = lambda context, parts, _query: receive_items(context, parts, project_type)  # noqa: E731
    monkeypatch.setitem(server_module.UPLOADS, "texts.bulk.upload", upload)
    return project_type


@pytest.fixture
def project(filled, texts):
    return TextProject(filled)


def test_a_version_shows_its_texts_and_spans(project):
    """Later changes of a text and its spans leave the version as it was."""
    project.put("a.txt", b"lemon and lime", (0, 5), (10, 14))
    first = project.version()
    content = project.upload(b"lemon and lime")["hash"]
    project.put("a.txt", b"lemon", (0, 5))
    expected = (content, [("fruit", 0, 5), ("fruit", 10, 14)])
    assert project.texts(first) == {"a.txt": expected}
    assert project.version() != first


def test_saving_twice_without_a_change_makes_one_version(project):
    """Equal texts and spans are no change."""
    project.put("a.txt", b"lemon", (0, 5))
    first = project.version()
    project.put("a.txt", b"lemon", (0, 5))
    assert project.version() == first


def test_a_comparison_counts_spans(project):
    """A changed span and a new text, with the columns that all items have; those of other types are null."""
    project.put("a.txt", b"lemon", (0, 5))
    first = project.version()
    project.put("a.txt", b"lemon", (0, 4))
    project.put("b.txt", b"lime", (0, 4))
    comparison = project.call("autoflow.versions.diff", **{"from": first, "labels": True})
    assert comparison["counts"]["labels"] == {"before": 1, "after": 2, "added": 1, "removed": 0, "changed": 1}
    changed, added = comparison["changes"]
    assert (changed["status"], changed["aspects"], added["status"]) == ("changed", ["labels"], "added")
    assert (added["after"]["mime"], added["after"]["size"]) == ("text/plain", 4)
    assert added["after"]["width"] is None


def test_a_version_is_restored_and_verified(project):
    """The copy has the type, the texts, the spans and the digest of the version; all content is found."""
    project.put("a.txt", b"lemon", (0, 5))
    version = project.version()
    project.put("a.txt", b"lime", (0, 4))
    restored = project.call("autoflow.versions.restore", id=version)["id"]
    assert project.call("projects.info", id=restored)["type"] == "texts"
    copy = project.filled.snapshot(restored)["id"]
    assert project.texts(copy) == project.texts(version)
    digest = project.call("autoflow.versions.meta", id=version)["version"]["digest"]
    assert project.call("autoflow.folders.state", projectId=restored)["digest"] == digest
    outcome = project.call("autoflow.upkeep.verify", level=3)
    assert (outcome["problems"], outcome["done"]) == ([], True)


def test_a_file_on_this_machine_is_an_item(project, tmp_path):
    """It is read by the type, and one that is no text is refused with its name for an item."""
    path = tmp_path / "a.txt"
    path.write_bytes(b"lemon")
    image = {"name": "a.txt", "hash": encode_hash(hashlib.sha256(b"lemon")), "link": path.as_uri()}
    project.call("autoflow.folders.put", datasetId=project.dataset, images=[image])
    assert project.texts(project.version())["a.txt"] == (image["hash"], [])
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ServerRefused, match="text"):
        project.call("autoflow.folders.put", datasetId=project.dataset, images=[image])


def test_what_is_no_text_is_not_stored(project):
    """An upload names the part; images refuse texts, and texts images of no text."""
    assert "is not a text that can be read" in project.upload(b"\xff\xfe\x00")["errors"][0]["message"]
    assert "hash" not in project.upload(b"\xff")
    part = Part("0-file", io.BytesIO(b"lemon"), "0", "image/png")
    assert "errors" in project.filled.server.upload("images.bulk.upload", [part], {})[0]


def test_a_span_that_ends_before_it_starts_changes_nothing(project):
    """The error names the member of the request, and the text is not added."""
    with pytest.raises(ServerRefused, match=r'"images\[0\].annotation.spans"'):
        project.put("a.txt", b"lemon", (4, 2))
    assert project.texts(project.version()) == {}


def test_texts_have_no_preview(project):
    """The message says so, in the type's word for an item."""
    project.put("a.txt", b"lemon")
    item = project.call("autoflow.folders.items", projectId=project.id)["items"][0][0]
    with pytest.raises(ServerRefused, match=f"no preview of text {item}"):
        project.filled.server.download("autoflow.previews", {"id": item})
