"""Folders with small real images, and what a project holds to compare them with."""

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
from tests.api.conftest import DataApi, Watched


def png(colour=(1, 2, 3), size=(8, 6)):
    """A PNG of a colour."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


def hash_of(data):
    """The wire's name of a content."""
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def write(path: pathlib.Path, content):
    """Write a file, its folders made; what is no bytes or text is written as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def box(title="car", corners=((0, 0), (4, 3)), **more):
    """An object of Supervisely's format."""
    points = {"exterior": [list(corner) for corner in corners], "interior": []}
    return {"classTitle": title, "geometryType": "rectangle", "points": points, "tags": [], **more}


def bare(value):
    """A document without numbers that differ from project to project."""
    if isinstance(value, list):
        return [bare(one) for one in value]
    if isinstance(value, dict):
        dropped = {"id", "classId", "tagId", "entityId", "projectType"}
        return {key: bare(one) for key, one in value.items() if key not in dropped}
    return value


class Projects:
    """What projects hold."""

    def __init__(self, api):
        self.api = api

    def datasets(self, project):
        """The datasets' paths by their numbers."""
        told = {one.id: one for one in self.api.dataset.get_list(project, recursive=True)}

        def path(number):
            return "" if number is None else f"{path(told[number].parent_id)}/{told[number].name}".lstrip("/")

        return {number: path(number) for number in told}

    def content(self, project):
        """By dataset and name: hash, annotation, meta."""
        paths = self.datasets(project)
        images = self.api.image.get_list(project_id=project)
        found = {}
        for one in images:
            annotation = self.api.annotation.download_json(one.id)
            found[f"{paths[one.dataset_id]}:{one.name}"] = (
                one.hash,
                bare(annotation["objects"]),
                bare(annotation["tags"]),
                one.meta,
            )
        return found

    def names(self, project):
        """Names of all images, with their datasets."""
        paths = self.datasets(project)
        return sorted(f"{paths[one.dataset_id]}:{one.name}" for one in self.api.image.get_list(project_id=project))

    def digest(self, project):
        """The project's state."""
        return self.api.transport.call("autoflow.folders.state", {"projectId": project})["digest"]


@contextlib.contextmanager
def data_api(place, *, served):
    """The data objects over a server in a folder, in this process or over HTTP."""
    with contextlib.ExitStack() as stack:
        asked = server = Server.open(place)
        stack.callback(server.close)
        if served:
            asked = HttpTransport(stack.enter_context(serving.served(server)), lambda: None)
            stack.callback(asked.close)
        yield DataApi(Watched(asked))


@pytest.fixture
def api(tmp_path):
    with data_api(tmp_path / "home", served=False) as found:
        yield found


@pytest.fixture
def projects(api):
    return Projects(api)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "lemons"
    made.mkdir()
    return made


@pytest.fixture
def sync(api, folder):
    """Makes the folder a project."""

    def make(**options):
        return from_folder(api.transport, options.pop("path", folder), **options)

    return make


@pytest.fixture
def later(monkeypatch):
    """Moves the clock on, so that no file is too young to be trusted."""
    ahead = [10]

    def move():
        ahead[0] += 10

    real = tree.clock
    monkeypatch.setattr(tree, "clock", lambda: real() + ahead[0] * 1_000_000_000)
    return move


@pytest.fixture
def opened(monkeypatch, folder):
    """The files of the folder that were opened."""
    import os

    found = []
    real = os.open

    def watch(path, *arguments, **options):
        if str(path).startswith(str(folder)):
            found.append(str(path)[len(str(folder)) + 1 :])
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", watch)
    return found


@pytest.fixture
def labelled(folder):
    """The folder in Supervisely's format: a dataset and one in it."""
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
