"""Decorated functions in picklers that copy functions: the copy in another process records as well."""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import os
import pickle
import subprocess
import sys
import types

import pytest

from autoflow import workflow_input

# A main script with a decorated function of every form. Each case is called with a number of its own.
MAIN = '''
import functools, importlib, json, sys
from autoflow import workflow, workflow_input, workflow_output
import importable

@workflow_input("project")
def load(project_id: int):
    return project_id

@workflow_output("file", title=lambda call: f"T{call.project_id}", value=lambda call: call.result)
@workflow_input("project")
def export(project_id: int):
    return f"/x/{project_id}"

@workflow_input("project")
def countdown(project_id, left=3):
    return project_id if left == 0 else countdown(project_id, left - 1)

@workflow_input("project")
async def load_async(project_id: int):
    return project_id

@workflow_output("file", value="item")
def generate(number):
    yield f"/g/{number}"

@workflow_output("file", value="item")
async def generate_async(number):
    yield f"/g/{number}"

@workflow_output("file")
def save(path) -> None:
    """Keep a path."""

def closure():
    shift = 1000
    @workflow_input("project")
    def inner(project_id):
        return project_id + shift
    return inner

def caller(number):
    return load(number)

class Loader:
    """Every way a function can stand in a class."""

    @workflow_input("project")
    def method(self, project_id):
        return project_id

    @workflow_input("project")
    async def coroutine(self, project_id):
        return project_id

    @workflow_input("project")
    @classmethod
    def over_class(cls, project_id):
        return cls.__name__

    @classmethod
    @workflow_input("project")
    def under_class(cls, project_id):
        return cls.__name__

    @workflow_input("project")
    @staticmethod
    def over_static(project_id):
        return project_id

    @staticmethod
    @workflow_input("project")
    def under_static(project_id):
        return project_id

    def another(self, project_id):
        return Loader().method(project_id)

class Special(Loader):
    pass

@workflow_input("project")
class Project:
    def __init__(self, project_id):
        self.number = project_id

@workflow("Named")
def main(number):
    return load(number)

CASES = {
    "function": load, "stacked": export, "recursive": countdown, "async": load_async, "generator": generate,
    "async generator": generate_async, "procedure": save, "caller": caller, "workflow": main,
    "lambda": workflow_input("project")(lambda project_id: project_id),
    "partial": workflow_input("project")(functools.partial(lambda first, project_id: project_id, 0)),
    "partial of decorated": functools.partial(load),
    "closure": closure(), "class": Project,
    "another": Loader().another,
    **{f"{name} of {of}": getattr(holder, name)
       for of, holder in {"object": Loader(), "subobject": Special()}.items()
       for name in ("method", "coroutine", "over_class", "under_class", "over_static", "under_static")},
    **{f"{name} of class": getattr(Loader, name)
       for name in ("over_class", "under_class", "over_static", "under_static")},
    "unbound": functools.partial(Loader.method, Loader()),
    "importable": importable.load, "importable closure": importable.closure(),
    "importable method": importable.Loader().method, "importable partial": importable.partial,
}

if __name__ == "__main__":
    pickler = importlib.import_module(sys.argv[1])
    options = json.loads(sys.argv[2])
    with open("cases.json", "w") as file:
        json.dump({name: pickler.dumps(case, **options).hex() for name, case in CASES.items()}, file)
'''

IMPORTABLE = """
import functools
from autoflow import workflow_input

@workflow_input("project")
def load(project_id):
    return project_id

def closure():
    @workflow_input("project")
    def inner(project_id):
        return project_id
    return inner

class Loader:
    @workflow_input("project")
    def method(self, project_id):
        return project_id

def plain(first, project_id):
    return project_id

partial = workflow_input("project")(functools.partial(plain, 0))
"""

OTHER = """
import asyncio, inspect, json, pickle, sys
from autoflow.testing import capture

async def drain(items):
    return [item async for item in items]

def finish(result):
    if inspect.iscoroutine(result):
        return asyncio.run(result)
    if inspect.isasyncgen(result):
        return asyncio.run(drain(result))
    return list(result) if inspect.isgenerator(result) else result

__import__(sys.argv[1])  # dill's pickles are read by `pickle`, once dill is imported
edges = {}
for number, (name, case) in enumerate(json.load(open("cases.json")).items(), start=100):
    with capture() as recording:
        finish(pickle.loads(bytes.fromhex(case))(number))
    edges[name] = [number, [(edge.type, str(edge.id)) for edge in recording.edges]]
print(json.dumps(edges))
"""


@pytest.fixture(scope="module", params=["cloudpickle", "dill"])
def elsewhere(request, tmp_path_factory):
    """Return the records of each case in another process, by name: (the number it was called with, its edges)."""
    pytest.importorskip(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    options = {"recurse": True} if request.param == "dill" else {}  # without it dill leaves globals behind
    for name, text in {"main": MAIN, "importable": IMPORTABLE, "other": OTHER}.items():
        (folder / f"{name}.py").write_text(text)
    for arguments in (["main.py", request.param, json.dumps(options)], ["other.py", request.param]):
        process = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env={name: value for name, value in os.environ.items() if not name.startswith("AUTOFLOW_")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_a_copy_in_another_process_records(elsewhere):
    """Functions of the main script, closures, methods of its classes, in every form: each records there."""
    for name, (number, edges) in elsewhere.items():
        file = [("file", f"/x/{number}")] if name == "stacked" else []
        project = [("project", str(number))]
        expected = {
            "generator": [("file", f"/g/{number}")],
            "async generator": [("file", f"/g/{number}")],
            "procedure": [("file", str(number))],
        }.get(name, project + file)
        assert [tuple(edge) for edge in edges] == expected, name
    assert len(elsewhere) > 30


class Holder:
    """A class with a decorated method."""

    @workflow_input("project")
    def load(self, project_id):
        return project_id


@workflow_input("project")
def load(project_id):
    """Load."""
    return project_id


@pytest.mark.parametrize("pickler", ["pickle", "cloudpickle", "dill"])
def test_importable_functions_are_pickled_by_name(pickler):
    """The pickle of a module's function is as small as the plain one's."""
    module = pytest.importorskip(pickler)
    assert module.loads(module.dumps(load)) is load
    assert len(module.dumps(load)) < 100
    assert len(module.dumps(Holder.load)) < 150


def test_functions_of_a_module_registered_by_value_are_pickled_by_value(recorded_edges):
    """Cloudpickle's own switch, for a package or for one module, is heeded."""
    cloudpickle = pytest.importorskip("cloudpickle")
    module = importlib.import_module(__name__)
    cloudpickle.register_pickle_by_value(module)
    try:
        copy = pickle.loads(cloudpickle.dumps(load))
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    assert copy is not load
    assert (copy(7), recorded_edges()) == (7, [("input", "project", 7)])
    assert (copy.__name__, copy.__doc__) == ("load", "Load.")
    assert cloudpickle.loads(cloudpickle.dumps(load)) is load


def test_a_copy_in_another_process_has_the_functions_attributes():
    """Defaults, annotations, attributes set on it, and what `inspect` says."""
    cloudpickle = pytest.importorskip("cloudpickle")

    @workflow_input("project")
    async def local(project_id: int, *, fast: bool = True) -> str:
        return str(project_id)

    local.tag = "x"
    copy = pickle.loads(cloudpickle.dumps(local))
    assert copy.tag == "x"
    assert str(inspect.signature(copy)) == str(inspect.signature(local))
    assert inspect.iscoroutinefunction(copy)
    assert inspect.isfunction(copy)
    assert [spec.kind for spec in copy.autoflow.inputs] == ["project"]
    assert pickle.loads(cloudpickle.dumps(copy)).tag == "x"  # and again


@pytest.mark.core
def test_a_partial_of_a_module_is_pickled_by_value(recorded_edges):
    """It has no name; undecorated it can be pickled too."""
    part = workflow_input("project", value="project_id")(functools.partial(_plain, 0))
    copy = pickle.loads(pickle.dumps(part))
    assert (copy(project_id=7), recorded_edges()) == (7, [("input", "project", 7)])


def _plain(first, project_id):
    return project_id


@pytest.mark.core
def test_the_class_of_a_decorated_function_is_the_functions():
    """Only a pickler that copies functions, and looks into a table of its own, is told otherwise."""

    def reducer_override(self, function):
        return isinstance(function, types.FunctionType)

    assert reducer_override(types.SimpleNamespace(dispatch_table={}), load)
    assert isinstance(load, types.FunctionType)
    assert load.__class__ is types.FunctionType
    assert Holder().load.__class__ is types.MethodType
