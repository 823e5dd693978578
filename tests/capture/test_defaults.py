"""Default values: what is recorded when the author does not say where the value is."""

from __future__ import annotations

import functools
import logging
from typing import NamedTuple

import pytest

from autoflow import current_run, versioned, workflow_input, workflow_output
from autoflow.capture.body import never_returns_a_value
from autoflow.errors import DecorationError

pytestmark = pytest.mark.core


class Info(NamedTuple):
    id: int
    name: str = "lemons"


def _function(source):
    scope: dict = {}
    exec(compile(source, "written", "exec", dont_inherit=True), scope)
    return scope["f"]


@pytest.mark.parametrize(
    ("source", "none"),
    [
        ("def f(path): pass", True),
        ("def f(path): ...", True),
        ("def f(path):\n  open(path)\n  return", True),
        ("def f(path):\n  if path: return None\n  for _ in path: return\n", True),
        ("def f(path):\n  with open(path) as g:\n    g.read()\n    return", True),
        ("def f(path):\n  try: return None\n  finally: print(path)", True),
        ("def f(path):\n  def g(): return 1\n  g()", True),
        ("async def f(path):\n  await path", True),
        ("def f(path):\n  yield path", True),
        ("async def f(path):\n  yield path", True),
        ("f = lambda path: None", True),
        ("f = lambda path: print(path)", False),
        ("def f(path): return path", False),
        ("def f(path): return path or None", False),
        ("def f(path): return path and None", False),
        ("def f(path): return None if path else path", False),
        ("def f(path):\n  if path: return path", False),
        ("def f(path):\n  with open(path) as g:\n    return g.read()", False),
        ("def f(path): return 0", False),
        ("def f(path): return ''", False),
        ("async def f(path): return await path", False),
        ("def f(path): return (yield path)", False),
        ("def f(path): return (yield from path)", False),
        ("def f(path): raise NotImplementedError", False),
        ("from functools import partial\ndef g(a, path): pass\nf = partial(g, 1)", True),
        ("class f:\n  def __init__(self, path): pass", False),
        ("class C:\n  def __call__(self, path): pass\nf = C()", True),
        ("f = print", False),
    ],
)
def test_never_returns_a_value_reads_the_bytecode(source, none):
    """In each form a body can have; what cannot be known counts as a value."""
    assert never_returns_a_value(_function(source)) is none


@pytest.mark.parametrize(
    "source",
    [
        "def f(path): open",
        "def f(path):\n  return",
        "def f(path) -> None: pass",
        "import functools\ndef g(f):\n  @functools.wraps(f)\n  def w(*a): return f(*a)\n  return w\n"
        "@g\ndef f(path): pass",
    ],
)
def test_a_function_that_returns_nothing_records_its_argument_as_output(recorded_edges, source):
    """`def save(path)` that returns nothing wrote the path, also below another decorator."""
    workflow_output("file")(_function(source))("/a/b.pt")
    assert recorded_edges() == [("output", "file", "/a/b.pt")]


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("def f(data): pass", "value="),
        ("def f(data):\n  yield data", 'value="item"'),
        ("f = lambda: None", "value="),
        ("async def f(data): pass", "value="),
    ],
)
@pytest.mark.parametrize("decorator", [workflow_input, workflow_output])
def test_a_function_from_which_nothing_could_be_recorded_is_refused(source, hint, decorator):
    """Neither a parameter nor a result says what it is: the message says how to."""
    with pytest.raises(DecorationError, match=hint):
        decorator("project")(_function(source))


def test_a_return_annotation_overrides_the_bytecode(recorded_edges):
    """A stub that is annotated to return something records its result."""

    @workflow_output("project")
    def make(project_id) -> Info: ...

    make(7)
    assert recorded_edges() == []


@pytest.mark.parametrize("result", [450, "lemons", 4.0, True, b"x", ["a", "b"], [1, 2], {"classes": 3}, object()])
def test_a_result_without_identity_is_not_the_default_of_an_input(recorded_edges, caplog, result):
    """Frames, names, labels: a result without an identity is recorded only when asked for."""

    @workflow_input("project")
    def load(pid):
        return result

    with caplog.at_level(logging.WARNING, "autoflow"):
        load(7)
        load(8)
    assert recorded_edges() == []
    assert caplog.text.count("load() gave a ") <= 1
    assert "value=" in caplog.text or result == [1, 2] or result == ["a", "b"]  # said once a type in the process


def test_the_warning_names_the_function_the_type_and_the_remedy(recorded_edges, caplog):
    """Once, whatever number of calls."""

    @workflow_input("folder")
    def read_once(data_dir):
        return ["img_1.png", "img_2.png"]

    with caplog.at_level(logging.WARNING, "autoflow"):
        read_once("/data")
        read_once("/data")
    (line,) = [record.getMessage() for record in caplog.records if record.name == "autoflow"]
    assert "read_once() returned a str" in line
    assert "which folder was read" in line
    assert 'value="result"' in line
    assert recorded_edges() == []


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (Info(7), [7]),
        ({"id": 7}, [7]),
        ([Info(7), Info(8)], [7, 8]),
        ([{"id": 7}, None], [7]),
        (None, []),
        ([], []),
    ],
)
def test_a_result_with_an_identity_is_an_input(recorded_edges, result, expected):
    """An object or a mapping with an id, or a list of such."""
    workflow_input("project")(lambda name: result)("x")
    assert [number for _, _, number in recorded_edges()] == expected


def test_a_bare_result_is_an_input_with_an_explicit_value(recorded_edges):
    """With `value="result"` a number is the project's."""
    workflow_input("project", value="result")(lambda name: 7)("x")
    assert recorded_edges() == [("input", "project", 7)]


def test_a_cached_function_can_be_decorated(recorded_edges):
    """`lru_cache` has no bytecode; the function below has."""

    @workflow_output("file")
    @functools.lru_cache
    def save(path):
        pass

    save("/a")
    assert recorded_edges() == [("output", "file", "/a")]


# -- callables and paths of options


def none():
    return None


def two(call, other):
    return None


async def awaited(call):
    return None


OPTIONS = ("value", "when", "title", "description", "url", "card", "node", "node_title", "meta", "version", "task_id")


@pytest.mark.parametrize("function", [none, two, awaited, lambda *, call: None, lambda call, *, key: None])
@pytest.mark.parametrize("option", OPTIONS)
def test_a_callable_that_cannot_take_the_call_is_refused(function, option):
    """At decoration, with the option's name."""
    options = {option: function, **({"url_title": "Open"} if option == "url" else {})}
    with pytest.raises(DecorationError, match=r"title=|card=|" + option):
        workflow_input("project", **options)(lambda project: None)


@pytest.mark.parametrize("option", ["value", "title", "description"])
def test_a_version_of_such_a_callable_is_refused(option):
    """`@versioned` takes the same callables."""
    with pytest.raises(DecorationError, match="one argument"):
        versioned(**{option: two})(lambda project: None)


@pytest.mark.parametrize(
    "function", [lambda call: 7, lambda *args: 7, lambda call, more=1: 7, functools.partial(max, 7, 3)]
)
def test_a_callable_that_takes_the_call_is_accepted(recorded_edges, function):
    """Defaults, any number of arguments, and what does not tell its signature."""
    workflow_input("project", value=function if not isinstance(function, functools.partial) else lambda call: 7)(
        lambda: None
    )()
    assert recorded_edges() == [("input", "project", 7)]


@pytest.mark.parametrize(
    "options",
    [
        {"value": "result.typo"},
        {"value": "result[typo]"},
        {"value": "result.items_[3].id"},
        {"value": "result.items_[*].typo"},
        {"value": "project", "when": "result.typo"},
        {"value": "project", "title": "{result.typo}"},
        {"value": "project", "title": "{value.typo}"},
        {"value": "project", "task_id": "result.typo"},
    ],
)
def test_a_path_that_ends_nowhere_is_among_the_runs_failures(captured, options):
    """Once a run, however often it is called."""

    class Result:
        def __init__(self):
            self.items_ = [Info(1), Info(2)]

    recorded = workflow_output("project", **options)(lambda project: Result())
    for _ in range(3):
        recorded(7)
    (failure,) = current_run().failures
    assert "cannot be followed" in str(failure)
    assert "typo" in str(failure) or "item 3" in str(failure)


@pytest.mark.parametrize("result", [None, {"a": None}, {"a": {}}, {"a": []}, {"a": ""}])
@pytest.mark.parametrize("path", ["result.a.b", "result.a[0]", "result.a[*]"])
def test_none_and_empty_values_are_no_failure(captured, result, path):
    """Nothing to record is not a mistake."""
    workflow_output("project", value=path)(lambda: result)()
    assert current_run().failures == []
    assert captured.edges == []
