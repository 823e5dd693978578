"""Decorators on decorators: ours make one wrapper in the written order, and others' keep working above and below."""

from __future__ import annotations

import abc
import contextlib
import functools

import pytest

from autoflow import versioned, workflow_input, workflow_output
from autoflow.capture.wrapper import RecordedFunction

pytestmark = pytest.mark.core


# -- stacking


def test_stacked_decorators_are_one_wrapper():
    """However many, one layer, around the function itself."""

    def function(project_id):
        return project_id

    stacked = workflow_input("project")(workflow_output("project")(versioned(function)))
    assert type(stacked) is RecordedFunction
    assert stacked.__wrapped__ is function


def test_edges_are_recorded_in_the_order_of_the_decorators(recorded_edges):
    """Inputs top to bottom before the body, outputs top to bottom after it, mixed as they may be."""

    @workflow_output("project", value="result[0]")
    @workflow_input("project", value="a")
    @workflow_output("dataset", value="result[1]")
    @workflow_input("dataset", value="b")
    @workflow_input("job", value="c")
    def f(a, b, c):
        assert len(recorded_edges()) == 3
        return 4, 5

    f(1, 2, 3)
    assert [(direction, number) for direction, _, number in recorded_edges()] == [
        ("input", 1),
        ("input", 2),
        ("input", 3),
        ("output", 4),
        ("output", 5),
    ]


def test_order_holds_for_inputs_of_any_form(recorded_edges):
    """A list first and a number second are recorded in that order."""

    @workflow_input("project", value="many")
    @workflow_input("dataset", value="single")
    def f(many, single):
        return None

    f([1, 2], 3)
    assert [number for _, _, number in recorded_edges()] == [1, 2, 3]


def test_a_decorated_function_can_be_decorated_again_elsewhere(recorded_edges):
    """Adding to a function makes another one; the first stays as it was."""

    @workflow_input("project")
    def base(project_id):
        return project_id

    more = workflow_output("project")(base)
    base(1)
    assert recorded_edges() == [("input", "project", 1)]
    more(2)
    assert recorded_edges()[1:] == [("input", "project", 2), ("output", "project", 2)]


def test_a_foreign_decorator_between_ours_makes_no_second_edge(recorded_edges):
    """Two wrappers then, and still one edge an entity."""

    def foreign(function):
        @functools.wraps(function)
        def inner(*args, **kwargs):
            return function(*args, **kwargs)

        return inner

    @workflow_input("project")
    @foreign
    @workflow_input("project")
    def f(project_id):
        return project_id

    f(1)
    f(1)
    assert recorded_edges() == [("input", "project", 1)]


def test_over_a_cache_every_use_is_recorded_and_under_it_every_load(recorded_edges):
    """`lru_cache` either way; its own methods stay in reach."""

    @workflow_input("project")
    @functools.lru_cache
    def uses(project_id):
        return project_id

    @functools.lru_cache
    @workflow_input("dataset")
    def loads(dataset_id):
        return dataset_id

    for _ in range(2):
        uses(1)
        loads(2)
    assert uses.cache_info().hits == 1
    assert loads.cache_info().hits == 1
    assert recorded_edges() == [("input", "project", 1), ("input", "dataset", 2)]


@pytest.mark.parametrize("outside", [True, False])
def test_a_retried_function_records_once(recorded_edges, outside):
    """A retry around or inside: three attempts read one project, and only success has an output."""
    attempts = []

    def retry(function):
        @functools.wraps(function)
        def again(*args, **kwargs):
            while True:
                try:
                    return function(*args, **kwargs)
                except ConnectionError:
                    continue

        return again

    def flaky(project_id):
        attempts.append(project_id)
        if len(attempts) < 3:
            raise ConnectionError
        return 2

    ours = lambda function: workflow_input("project")(workflow_output("project")(function))  # noqa: E731
    decorated = ours(retry(flaky)) if outside else retry(ours(flaky))
    assert decorated(1) == 2
    assert len(attempts) == 3
    assert recorded_edges() == [("input", "project", 1), ("output", "project", 2)]


def test_inside_contextmanager_the_output_is_recorded_at_exit(recorded_edges):
    """Ours below `@contextmanager` sees the generator itself."""

    @contextlib.contextmanager
    @workflow_input("project")
    @workflow_output("project")
    def opened(project_id):
        yield "open"
        return 2

    with opened(1) as value:
        assert value == "open"
        assert recorded_edges() == [("input", "project", 1)]
    assert recorded_edges()[1:] == [("output", "project", 2)]


def test_abstract_methods_stay_abstract():
    """The mark shows through."""

    class Base(abc.ABC):
        @workflow_input("project")
        @abc.abstractmethod
        def load(self, project_id): ...

    with pytest.raises(TypeError, match="abstract"):
        Base()


def test_single_dispatch_works_above_and_below(recorded_edges):
    """The generic function and its branches can both be decorated."""

    @functools.singledispatch
    @workflow_input("project", value="x")
    def f(x):
        return "any"

    @f.register
    @workflow_input("dataset", value="x")
    def _(x: int):
        return "number"

    assert f(3) == "number"
    assert f("4") == "any"
    assert recorded_edges() == [("input", "dataset", 3), ("input", "project", 4)]
