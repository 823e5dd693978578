"""Folders with small images, and the content of projects to compare them with."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import pathlib

import pytest

from autoflow.datasets import tree
from autoflow.datasets.sync import from_folder
from autoflow.server.server import Server
from autoflow.transport.http import HttpTransport
from tests import serving
from tests.api.conftest import DataApi, RecordingTransport


def png(colour=(1, 2, 3), size=(8, 6)):
    """Return a PNG of one color."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


def hash_of(data):
    """Return the content hash of bytes."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def write(path: pathlib.Path, content):
    """Write bytes or text to a file, other values as JSON; missing folders are created."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def box(title="car", corners=((0, 0), (4, 3)), **more):
    """Return a rectangle in Supervisely's format."""
    points = {"exterior": [list(corner) for corner in corners], "interior": []}
    return {"classTitle": title, "geometryType": "rectangle", "points": points, "tags": [], **more}


def without_ids(value):
    """Return a document without ids and dates, which differ between projects."""
    if isinstance(value, list):
        return [without_ids(entry) for entry in value]
    if isinstance(value, dict):
        dropped = {"id", "classId", "tagId", "entityId", "projectType", "createdAt", "updatedAt"}
        return {key: without_ids(entry) for key, entry in value.items() if key not in dropped}
    return value


class Projects:
    """Reads the content of projects."""

    def __init__(self, api):
        self.api = api

    def datasets(self, project):
        """Return the paths of datasets by id."""
        by_id = {dataset.id: dataset for dataset in self.api.dataset.get_list(project, recursive=True)}

        def path(dataset_id):
            if dataset_id is None:
                return ""
            dataset = by_id[dataset_id]
            return f"{path(dataset.parent_id)}/{dataset.name}".lstrip("/")

        return {dataset_id: path(dataset_id) for dataset_id in by_id}

    def content(self, project):
        """Return hash, objects, tags and meta of all images by dataset and name."""
        paths = self.datasets(project)
        images = self.api.image.get_list(project_id=project)
        content = {}
        for image in images:
            annotation = self.api.annotation.download_json(image.id)
            content[f"{paths[image.dataset_id]}:{image.name}"] = (
                image.hash,
                without_ids(annotation["objects"]),
                without_ids(annotation["tags"]),
                image.meta,
            )
        return content

    def names(self, project):
        """Return the names of all images with their datasets."""
        paths = self.datasets(project)
        return sorted(
            f"{paths[image.dataset_id]}:{image.name}" for image in self.api.image.get_list(project_id=project)
        )

    def digest(self, project):
        """Return the digest of a project's state."""
        return self.api.transport.call("autoflow.folders.state", {"projectId": project})["digest"]


@contextlib.contextmanager
def data_api(folder, *, served):
    """Yield a `DataApi` of a server in this process or over HTTP."""
    with contextlib.ExitStack() as stack:
        transport = server = Server.open(folder)
        stack.callback(server.close)
        if served:
            transport = HttpTransport(stack.enter_context(serving.served(server)), lambda: None)
            stack.callback(transport.close)
        yield DataApi(RecordingTransport(transport))


@pytest.fixture
def api(tmp_path):
    with data_api(tmp_path / "home", served=False) as api:
        yield api


@pytest.fixture
def projects(api):
    return Projects(api)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "lemons"
    path.mkdir()
    return path


@pytest.fixture
def sync(api, folder):
    """A function that imports the folder."""

    def run(**options):
        return from_folder(api.transport, options.pop("path", folder), **options)

    return run


@pytest.fixture
def later(monkeypatch):
    """Advances the clock, so that no stamp is too young to be trusted; a function that advances it further."""
    offset = [10]

    def advance():
        offset[0] += 10

    real = tree.clock
    monkeypatch.setattr(tree, "clock", lambda: real() + offset[0] * 1_000_000_000)
    return advance


@pytest.fixture
def opened(monkeypatch, folder):
    """A list of the files of the folder that were opened, as relative paths."""
    import os

    paths = []
    real = os.open

    def watch(path, *arguments, **options):
        if str(path).startswith(str(folder)):
            paths.append(str(path)[len(str(folder)) + 1 :])
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", watch)
    return paths


@pytest.fixture
def labelled(folder):
    """The folder in Supervisely's format, with a nested dataset."""
    meta = {
        "classes": [{"title": "car", "shape": "any", "color": "#112233", "id": 77}],
        "tags": [{"name": "day", "value_type": "none", "id": 5}, {"name": "kind", "value_type": "any_string"}],
        "projectType": "images",
    }
    write(folder / "meta.json", meta)
    for number in range(3):
        write(folder / "a" / "img" / f"{number}.png", png((number, 0, 0)))
        tags = [{"name": "kind", "value": "x", "tagId": 9, "id": 4}] if number else []
        document = {"description": f"n{number}", "objects": [box(id=number + 5, classId=77)], "tags": tags}
        write(folder / "a" / "ann" / f"{number}.png.json", document)
    write(folder / "a" / "meta" / "1.png.json", {"camera": 3})
    write(folder / "a" / "datasets" / "b" / "img" / "deep.png", png((0, 9, 0)))
    write(folder / "a" / "datasets" / "b" / "ann" / "deep.json", {"objects": [box(), box()], "tags": []})
    return folder
