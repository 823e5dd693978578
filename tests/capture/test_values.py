"""Values of edges: their paths, and the forms that entities may have."""

from __future__ import annotations

import logging
from collections import namedtuple
from pathlib import PurePosixPath
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow import current_run, workflow_input, workflow_output
from autoflow.errors import DecorationError
from autoflow.runtime import entity_resolution
from autoflow.runtime.entity_resolution import UnrecognizedValue, items, resolve_entity

pytestmark = pytest.mark.core

Info = namedtuple("Info", "id name")
FileInfo = namedtuple("FileInfo", "id name path team_id")


@pytest.fixture(autouse=True)
def _warn_again(monkeypatch):
    monkeypatch.setattr(entity_resolution, "_warned", set())


class Integer:
    """A number of another library's: numpy's integers have `__index__`."""

    def __init__(self, number):
        self._number = number

    def __index__(self):
        return self._number


# -- what a value may be


@pytest.mark.parametrize("kind", ["project", "dataset", "file", "task", "job"])
@pytest.mark.parametrize(
    "value", [7, "7", " 7 ", 7.0, Integer(7), Info(7, "x"), SimpleNamespace(id="7"), {"id": 7}, {"id": Integer(7)}]
)
def test_numbers_in_every_form_are_numbers(kind, value):
    """A number, numeric text, anything with an id."""
    assert resolve_entity(kind, value) == 7


@pytest.mark.parametrize("kind", ["project", "dataset", "file", "folder", "task", "job"])
@pytest.mark.parametrize("value", [None, False, "", "  ", ()])
def test_none_and_empty_values_record_nothing(kind, value):
    """None and what is empty name no entity, without an error."""
    assert resolve_entity(kind, value) is None


@pytest.mark.parametrize("value", [0, "0", {}, {"id": None}, SimpleNamespace(id=None), {"id": ""}])
def test_an_entity_with_id_none_is_not_recorded(value):
    """An id that is missing or zero is no entity yet."""
    assert resolve_entity("project", value) is None


@pytest.mark.parametrize("value", [True, -1, 1.5, float("nan"), float("inf"), b"7", object(), (1, 2), {"id": True}, 1j])
@pytest.mark.parametrize("kind", ["project", "file", "task"])
def test_values_that_stand_for_no_entity_are_refused(kind, value):
    """Flags, fractions, negative numbers and things of other sorts."""
    with pytest.raises(UnrecognizedValue, match=f"is not a {kind}"):
        resolve_entity(kind, value)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("/a/b.pt", "/a/b.pt"),
        ("a/b.pt", "/a/b.pt"),
        (PurePosixPath("a") / "b.pt", "/a/b.pt"),
        ({"path": "/a/b.pt"}, "/a/b.pt"),
        ({"id": None, "path": "a/b.pt"}, "/a/b.pt"),
        (SimpleNamespace(id=None, path="/a/b.pt"), "/a/b.pt"),
    ],
)
def test_a_file_may_be_a_path(value, path):
    """A leading slash is added; an info without a number is its path."""
    assert resolve_entity("file", value) == ("path", path)


@pytest.mark.parametrize("value", ["/a/7", "a/7", PurePosixPath("/a/7"), {"path": "/a/7"}, FileInfo(9, "7", "/a/7", 1)])
def test_a_folder_is_a_path(value):
    """Folders have no numbers: even an info with one is its path."""
    assert resolve_entity("folder", value) == ("path", "/a/7")


def test_numeric_text_is_a_folders_name():
    """A folder called 7 is a folder."""
    assert resolve_entity("folder", "7") == ("path", "/7")


@pytest.mark.parametrize("kind", ["project", "dataset"])
def test_other_text_is_a_projects_or_datasets_name(kind):
    """Our server finds projects and datasets by name."""
    assert resolve_entity(kind, "Lemons") == ("name", "Lemons")


@pytest.mark.parametrize(("kind", "value"), [("task", "x"), ("job", "x"), ("file", "s3://a/b"), ("folder", 7)])
def test_other_text_is_refused_for_kinds_without_names(kind, value):
    """A task has no name, and an address of elsewhere is no team file."""
    with pytest.raises(UnrecognizedValue):
        resolve_entity(kind, value)


def test_lists_and_sets_are_their_items_and_nothing_else_is():
    """A tuple may be an info, a mapping is one thing, text is no list of letters."""
    assert list(items([1, 2])) == [1, 2]
    assert set(items({1, 2})) == set(items(frozenset({1, 2}))) == {1, 2}
    for value in (7, "ab", (1, 2), {"id": 7}, Info(1, "x"), None):
        assert list(items(value)) == [value]


@given(st.sampled_from(["project", "dataset", "file", "folder", "task", "job"]), st.data())
def test_resolve_entity_raises_unrecognized_value_only(kind, data):
    """`resolve_entity` raises UnrecognizedValue only, for any value an app holds, and ids are positive."""
    value = data.draw(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(max_size=8),
            st.binary(max_size=4),
            st.tuples(st.integers()),
            st.dictionaries(st.sampled_from(["id", "path", "name"]), st.none() | st.integers() | st.text(max_size=4)),
        )
    )
    try:
        entity = resolve_entity(kind, value)
    except UnrecognizedValue:
        return
    assert entity is None or isinstance(entity, tuple) or entity > 0


def test_an_array_is_refused_without_comparing_it():
    """Numpy's and pandas' `==` give no truth value; none is asked for."""

    class Array:
        def __eq__(self, other):
            raise ValueError("the truth value of an array is ambiguous")

        __hash__ = None

    with pytest.raises(UnrecognizedValue):
        resolve_entity("project", Array())


# -- where it is


@pytest.mark.parametrize(
    ("define", "kind", "args", "expected"),
    [
        ("def f(project): ...", "project", (7,), 7),
        ("def f(x, project_id): ...", "project", (0, 7), 7),
        ("def f(project_info): ...", "project", ({"id": 7},), 7),
        ("def f(projects): ...", "project", ([7],), 7),
        ("def f(project_ids): ...", "project", ([7],), 7),
        ("def f(dataset_id, project_id): ...", "project", (3, 7), 7),
        ("def f(project_id, project): ...", "project", (7, 8), 7),
        ("def f(file_path): ...", "file", ("a",), "/a"),
        ("def f(path): ...", "file", ("a",), "/a"),
        ("def f(remote_path): ...", "file", ("a",), "/a"),
        ("def f(folder_path): ...", "folder", ("a",), "/a"),
        ("def f(dir): ...", "folder", ("a",), "/a"),
        ("def f(path): ...", "folder", ("a",), "/a"),
        ("def f(job_id): ...", "job", (7,), 7),
    ],
)
def test_the_value_of_an_input_is_the_parameter_named_after_its_kind(recorded_edges, define, kind, args, expected):
    """The first one that says it."""
    scope: dict = {}
    exec(define, scope)
    workflow_input(kind)(scope["f"])(*args)
    assert recorded_edges() == [("input", kind, expected)]


def test_an_input_with_no_such_parameter_is_the_result(recorded_edges):
    """RecordedFunction when there is one."""

    @workflow_input("project")
    def fetch(name):
        assert recorded_edges() == []
        return {"id": 7}

    fetch("x")
    assert recorded_edges() == [("input", "project", 7)]


@pytest.mark.parametrize(
    ("define", "expected"),
    [
        ("def f(project_id): return 2", 2),
        ("def f(project_id) -> int: return 2", 2),
        ("def f(project_id) -> None: return 2", 1),
        ("def f(project_id) -> 'None': return 2", 1),
        ("def f(project_id) -> type(None): return 2", 1),
        ("from __future__ import annotations\ndef f(project_id) -> None: return 2", 1),
    ],
)
def test_the_value_of_an_output_is_the_result_unless_there_is_none(recorded_edges, define, expected):
    """A function annotated to return None wrote what it was given."""
    scope: dict = {}
    exec(compile(define, "written", "exec", dont_inherit=True), scope)
    workflow_output("project")(scope["f"])(1)
    assert recorded_edges() == [("output", "project", expected)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("state.project.id", [5]),
        ("state.list[*]", [6, 7]),
        ("state.list[-1]", [7]),
        ("state.objects[*].id", [8, 9]),
        ("state.nowhere.id", []),
        ("args.state.project.id", [5]),
        (lambda call: call.state["project"]["id"], [5]),
        (lambda call: call.args.state["project"], [5]),
        (lambda call: None, []),
    ],
)
def test_a_value_is_a_path_or_a_callable_of_the_call(recorded_edges, value, expected):
    """Steps, fans and functions."""

    @workflow_input("project", value=value)
    def f(state):
        return None

    f({"project": {"id": 5}, "list": [6, 7], "objects": [{"id": 8}, None, {"id": 9}]})
    assert [number for _, _, number in recorded_edges()] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("result[0].id", [1]), ("result[*].id", [1, 2]), ("result[*]", [1, 2]), ("result[5]", []), ("result.x", [])],
)
def test_an_output_is_found_in_the_result(recorded_edges, value, expected):
    """A tuple is taken apart only when the path says so."""
    workflow_output("project", value=value)(lambda: ({"id": 1}, {"id": 2}))()
    assert [number for _, _, number in recorded_edges()] == expected


def test_an_iterator_in_the_result_is_the_callers(recorded_edges):
    """Recording never uses up what the app is about to read."""

    @workflow_output("project", value="result[*]")
    @workflow_output("dataset")
    def make():
        return iter([1, 2])

    assert list(make()) == [1, 2]
    assert recorded_edges() == []


def test_the_app_session_is_the_runs_own_task(captured):
    """It needs no value, and takes its card."""

    @workflow_output("app", title="Session of {x}")
    def serve(x):
        return None

    serve("me")
    (edge,) = captured.edges
    assert (edge.direction, edge.type, edge.card) == ("output", "app_session", {"title": "Session of me"})
    assert edge.id == current_run().task_id


def test_weights_are_a_type_of_their_own(recorded_edges):
    """`model_weight=True` marks a file."""
    workflow_input("file", model_weight=True)(lambda file: None)("/a.pt")
    assert recorded_edges() == [("input", "model_weight", "/a.pt")]


def test_an_output_names_its_model(captured):
    """`model=` marks a file as weights, and its name is in the record; a text that is no name is refused."""
    workflow_output("file", value="path", model="lemons/large")(lambda path: None)("/a.pt")
    (record,) = (record for record in captured.records if record["type"] == "edge")
    assert (record["entity"]["type"], record["model"]) == ("model_weight", "lemons/large")
    for name in ("a b", "", "@", 3):
        with pytest.raises(DecorationError, match="model"):
            workflow_output("file", value="path", model=name)(lambda path: None)


# -- many, and odd ones


def test_each_item_of_a_list_is_an_edge_and_a_bad_item_does_not_affect_others(recorded_edges, caplog):
    """None is skipped; what can mean nothing is warned of."""
    with caplog.at_level(logging.WARNING, logger="autoflow"):
        workflow_input("project")(lambda projects: None)([1, None, object(), "2", {"id": 3}, -4])
    assert [number for _, _, number in recorded_edges()] == [1, 2, 3]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert len(current_run().failures) == 2


def test_an_id_that_raises_does_not_affect_other_items(recorded_edges, non_strict):
    """In a list, and behind a fan."""

    class Bad:
        @property
        def id(self):
            raise RuntimeError("not today")

    workflow_input("project")(lambda projects: None)([1, Bad(), 2])
    workflow_input("project", value="projects[*].id")(lambda projects: None)([Info(3, "x"), Bad(), Info(4, "x")])
    assert [number for _, _, number in recorded_edges()] == [1, 2, 3, 4]
    assert any("not today" in str(failure) for failure in current_run().failures)


def test_a_plain_tuple_is_no_list_and_one_warning(recorded_edges, caplog):
    """The warning names both ways to say what was meant."""
    make = workflow_output("project")(lambda: (1, 2))
    with caplog.at_level(logging.WARNING, logger="autoflow"):
        make()
        make()
    assert recorded_edges() == []
    (line,) = caplog.messages
    assert "result[0]" in line
    assert "result[*]" in line


def test_an_empty_value_is_logged_at_debug_level(recorded_edges, caplog):
    """An optional input left out is no warning."""
    with caplog.at_level(logging.DEBUG, logger="autoflow"):
        workflow_input("project")(lambda project_id: None)(None)
    assert recorded_edges() == []
    (record,) = [record for record in caplog.records if "nothing to record" in record.message]
    assert record.levelno == logging.DEBUG
    assert current_run().failures == []


# -- an input that turns out to need the result


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {"value": lambda call: call.result["id"]},
        {"value": "x", "when": lambda call: call.result},
        {"value": "x", "when": "result"},
        {"value": "x", "title": "of {result.name}"},
        {"value": "x", "title": lambda call: call.result["name"]},
        {"value": "x", "card": lambda call: call.result and None},
        {"value": "x", "node_title": "{result.name}"},
        {"value": "x", "meta": lambda call: call.result and None},
        {"value": "x", "version": lambda call: call.result and None},
    ],
)
def test_an_input_that_needs_the_result_is_deferred(recorded_edges, monkeypatch, options, strict):
    """It is recorded after the body, before the outputs, and not held against anybody."""
    monkeypatch.setenv("AUTOFLOW_STRICT", "1" if strict else "0")

    @workflow_input("project", **options)
    @workflow_input("dataset", value="y")
    @workflow_output("file", value="result.file")
    def f(x, y):
        assert recorded_edges() == [("input", "dataset", 3)]
        return {"id": 7, "name": "seven", "file": "/a"}

    f(7, 3)
    assert recorded_edges() == [("input", "dataset", 3), ("input", "project", 7), ("output", "file", "/a")]
    assert current_run().failures == []


def test_reserved_words_take_precedence_and_args_is_the_parameter(recorded_edges):
    """A parameter called `result` is still there."""

    @workflow_output("project", value="result")
    @workflow_output("dataset", value="args.result")
    def f(result):
        return 1

    f(2)
    assert recorded_edges() == [("output", "project", 1), ("output", "dataset", 2)]


def test_a_parameter_called_item_is_reached_through_args(recorded_edges):
    """`item` alone is what generators yield."""
    with pytest.raises(DecorationError, match=r"args\.item"):
        workflow_input("project", value="item")(lambda item: None)
    workflow_input("project", value="args.item")(lambda item: None)(5)
    assert recorded_edges() == [("input", "project", 5)]
