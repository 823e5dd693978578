"""Small apps in the shapes of the public ones, by the unmodified SDK: each runs to its end and records its edges."""

from __future__ import annotations

import itertools

import pytest

from autoflow.server.server import Server
from autoflow.wire import methods
from tests.sdk.conftest import serving
from tests.sdk.test_workflow import arrows

TASKS = itertools.count(61000)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all apps, each of which is a task of its own."""
    opened = Server.open(tmp_path_factory.mktemp("apps"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def sdk(sdk_processes, server):
    """The SDK, on a server that has every method that the apps ask for."""
    yield from serving(sdk_processes(), server)
    assert server.call(methods.UNKNOWN_METHODS, {})["methods"] == []


@pytest.fixture(scope="module")
def made(sdk):
    """A project that apps read."""
    return sdk("fill", count=8)


@pytest.fixture
def launch(sdk, server):
    """A function that runs an app, checks what it recorded, and returns what it returns."""

    def run(app, reads, writes, **arguments):
        task = next(TASKS)
        response = sdk(app, task=task, **arguments)
        me = f"task:{task}"
        own = {pair for pair in arrows(server, task=task) if me in pair}
        read = {(name.format(**{**response, **arguments}), me) for name in reads}
        assert own == read | {(me, name.format(**response, task=task)) for name in writes}
        return response

    return run


def test_an_importer(launch):
    """A file is read and removed, a project is written."""
    response = launch("import_app", ["file:{file}"], ["project:{project}"])
    assert response["images"] == 3


def test_an_exporter_by_the_template(launch, made):
    """A project is read, and a file written, which is the task's output, too."""
    response = launch("export_app", ["project:{project}"], ["file:{file}"], project=made["project"])
    assert response["output"] == ["general"]


def test_a_transform(launch, made):
    """A version is read, and a project written."""
    response = launch("transform_app", ["project_version:{version}"], ["project:{project}"], project=made["project"])
    assert response["copied"] == 8


def test_an_app_with_a_page(launch, made):
    """A button reads the chosen dataset and writes a project."""
    response = launch("page_app", ["dataset:{dataset}"], ["project:{project}"], dataset=made["outer"])
    assert (response["page"], response["pressed"]) == (200, 200)


def test_a_served_model(launch, made):
    """Weights are read, a session is written; the model answers by HTTP with an image that it reads from here."""
    response = launch("serving_app", ["file:{weights}"], ["app_session:{task}"], image=made["images"][0])
    assert response["classes"] == ["lemon"]


def test_a_pipeline(launch, made, sdk):
    """Projects are read; a project, a labeling job and a file are written."""
    other = sdk("fill", name="peels", count=2)["project"]
    writes = ["project:{project}", "job:{job}", "file:{file}"]
    reads = [f"project:{made['project']}", f"project:{other}"]
    launch("pipeline_app", reads, writes, projects=[made["project"], other])
