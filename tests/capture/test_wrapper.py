"""The wrapper: it is the function to whoever looks, copies, pickles, or binds it."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import pydoc
import typing
from unittest import mock

import pytest

from autoflow import workflow_input, workflow_output

pytestmark = pytest.mark.core


@workflow_input("project")
def load(project_id: int, fast: bool = False) -> str:
    """Load a project."""
    return f"loaded {project_id}"


class Loader:
    """Every way a function can stand in a class."""

    @workflow_input("project")
    def method(self, project_id):
        return self, project_id

    @workflow_input("project")
    @classmethod
    def over_class(cls, project_id):
        return cls, project_id

    @classmethod
    @workflow_input("project")
    def under_class(cls, project_id):
        return cls, project_id

    @workflow_input("project")
    @staticmethod
    def over_static(project_id):
        return None, project_id

    @staticmethod
    @workflow_input("project")
    def under_static(project_id):
        return None, project_id

    def __eq__(self, other):
        return type(self) is type(other)

    __hash__ = None


class Special(Loader):
    """A subclass."""


NAMES = ["method", "over_class", "under_class", "over_static", "under_static"]


# -- introspection


def test_a_decorated_function_looks_like_the_function():
    """Name, documentation, signature, source and module are the function's."""
    assert load.__name__ == "load"
    assert load.__qualname__ == "load"
    assert load.__module__ == __name__
    assert load.__doc__ == "Load a project."
    assert str(inspect.signature(load)) == "(project_id: 'int', fast: 'bool' = False) -> 'str'"
    assert inspect.isfunction(load)
    assert inspect.unwrap(load) is load.__wrapped__
    assert "def load" in inspect.getsource(load)
    assert typing.get_type_hints(load) == {"project_id": int, "fast": bool, "return": str}
    assert "Load a project." in pydoc.render_doc(load)


def test_a_decorated_function_has_its_plan():
    """`fn.autoflow` is the plan, and cannot be set."""
    assert [spec.kind for spec in load.autoflow.inputs] == ["project"]
    with pytest.raises(AttributeError):
        load.autoflow = None


def test_attributes_are_the_functions():
    """Attributes set on the wrapper are set on the function, and vice versa."""

    @workflow_input("project")
    def tagged(project_id):
        return project_id

    tagged.tag = "x"
    assert tagged.__wrapped__.tag == "x"
    del tagged.tag
    assert not hasattr(tagged.__wrapped__, "tag")


def test_a_decorated_function_can_be_mocked():
    """`create_autospec` keeps the signature, and the function its behaviour."""

    @workflow_input("project")
    def real(project_id):
        return project_id

    fake = mock.create_autospec(real)
    fake(1)
    with pytest.raises(TypeError):
        fake()
    assert real(2) == 2
    with mock.patch.object(Loader, "method", autospec=True) as patched:
        Loader().method(3)
        assert patched.call_count == 1


# -- binding


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("of", [Loader, Special, Loader(), Special()], ids=["class", "subclass", "object", "subobject"])
@pytest.mark.parametrize("by_name", [False, True])
def test_a_parameter_is_read_however_the_function_is_bound(recorded_edges, name, of, by_name):
    """Methods, class- and staticmethods in both orders, through class, subclass and object, by position and name."""
    args = (of(),) if name == "method" and isinstance(of, type) else ()
    result, number = getattr(of, name)(*args, project_id=7) if by_name else getattr(of, name)(*args, 7)
    assert number == 7
    holder = of if isinstance(of, type) else type(of)
    assert result == {"method": holder(), "over_static": None, "under_static": None}.get(name, holder)
    assert recorded_edges() == [("input", "project", 7)]


def test_one_function_may_be_called_bound_and_unbound(recorded_edges):
    """Each way of binding has its own positions."""

    @workflow_input("project")
    def shared(first, project_id=9):
        return first, project_id

    class Holder:
        method = shared

    assert shared(1, 2) == (1, 2)
    assert Holder().method(3)[1] == 3
    assert shared(1, 4) == (1, 4)
    assert [number for _, _, number in recorded_edges()] == [2, 3, 4]


def test_the_instance_is_reached_as_self(recorded_edges):
    """A path may start at the object, under whatever name it has."""

    class Training:
        project = 5

        @workflow_input("project", value="self.project")
        def run(self):
            return None

        @workflow_input("project", value="this.project")
        def odd(this):  # noqa: N805
            return None

        @classmethod
        @workflow_input("project", value="cls.project")
        def of_class(cls):
            return None

    Training().run()
    Training.project = 6
    Training().odd()
    Training.project = 7
    Training.of_class()
    assert [number for _, _, number in recorded_edges()] == [5, 6, 7]


@pytest.mark.parametrize(
    ("define", "args", "kwargs", "expected"),
    [
        ("def f(project_id, /): ...", (1,), {}, [1]),
        ("def f(*, project_id): ...", (), {"project_id": 1}, [1]),
        ("def f(project_id=1): ...", (), {}, [1]),
        ("def f(*, project_id=1): ...", (), {}, [1]),
        ("def f(project_id=None): ...", (), {}, []),
        ("def f(a, b=2, *rest, project_id=None, **more): ...", (0, 1, 2), {"project_id": 1}, [1]),
        ("def f(a, project_id, *rest): ...", (0, 1, 2), {}, [1]),
    ],
)
def test_every_kind_of_parameter_is_found(recorded_edges, define, args, kwargs, expected):
    """Positional, keyword, with and without a default."""
    scope: dict = {}
    exec(define, scope)
    workflow_input("project")(scope["f"])(*args, **kwargs)
    assert [number for _, _, number in recorded_edges()] == expected


def test_keywords_and_the_rest_are_reached_by_their_names(recorded_edges):
    """`*args` and `**kwargs` are a tuple and a dict; a keyword is a name of its own too."""

    @workflow_input("project", value="more.project")
    @workflow_input("dataset", value="rest[1]")
    @workflow_input("job", value="job_number")
    def f(*rest, **more):
        return None

    f(1, 2, project=3, job_number=4)
    assert recorded_edges() == [("input", "project", 3), ("input", "dataset", 2), ("input", "job", 4)]


# -- what is decorated


def test_a_partial_and_a_callable_object_can_be_decorated(recorded_edges):
    """They have no name of their own, and need none."""

    class Adder:
        def __call__(self, project_id):
            return project_id + 1

    part = workflow_input("project")(functools.partial(lambda a, project_id: project_id, 0))
    adder = workflow_output("project")(workflow_input("project")(Adder()))
    assert part(1) == 1
    assert adder(2) == 3
    assert recorded_edges() == [("input", "project", 1), ("input", "project", 2), ("output", "project", 3)]


def test_an_async_partial_is_awaited(recorded_edges):
    """The kind of function counts, inside a partial and behind `__call__`."""
    import asyncio

    async def load_async(a, project_id):
        return project_id

    class Loading:
        async def __call__(self, project_id):
            return project_id

    for function in (functools.partial(load_async, 0), Loading()):
        assert asyncio.run(workflow_output("project")(function)(5)) == 5
    assert recorded_edges() == [("output", "project", 5)]


def test_a_class_records_its_construction(recorded_edges):
    """It stays a class: instances, subclasses, and their construction unrecorded."""

    @workflow_input("project")
    class Project:
        def __init__(self, project_id) -> None:
            self.id = project_id

    class Sub(Project):
        pass

    assert isinstance(Project(1), Project)
    assert issubclass(Sub, Project)
    assert Sub(2).id == 2
    assert recorded_edges() == [("input", "project", 1)]


def test_a_classs_result_is_its_instance(recorded_edges):
    """`__init__` returns None; making an object does not."""

    @workflow_output("project")
    class Project:
        def __init__(self, number: int) -> None:
            self.id = number

    Project(4)
    assert recorded_edges() == [("output", "project", 4)]


def test_a_builtin_can_be_decorated(recorded_edges):
    """A function without a signature takes callables."""
    decorated = workflow_output("project", value=lambda call: call.result)(max)
    assert decorated(3, 4) == 4
    assert recorded_edges() == [("output", "project", 4)]


def test_reading_annotations_of_the_wrappers_class_hides_no_functions():
    """Asking the wrapper's class for annotations of its own hides no function's."""

    class Model:
        @workflow_input("project")
        def load(self, project_id: int) -> str: ...

    @workflow_input("project")
    def load(project_id: int) -> str: ...

    for wrapper in (load, Model().load):
        _ = type(wrapper).__annotations__

        assert wrapper.__annotations__ == {"project_id": "int", "return": "str"}
    load.__annotations__ = {"project_id": "str"}
    assert load.__wrapped__.__annotations__ == {"project_id": "str"}


# -- copies and pickles


def test_a_copy_of_a_decorated_function_is_itself():
    """As a plain function's are."""
    assert copy.copy(load) is load
    assert copy.deepcopy(load) is load
    assert copy.deepcopy({"f": load})["f"] is load


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_decorated_function_pickles_by_name(protocol):
    """As a plain function does."""
    assert pickle.loads(pickle.dumps(load, protocol)) is load


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("of", [Loader, Special, Loader(), Special()], ids=["class", "subclass", "object", "subobject"])
def test_every_bound_form_pickles(recorded_edges, name, of):
    """A bound function looked up on a class or an object pickles to the same, and records."""
    function = getattr(of, name)
    args = (Loader(), 7) if name == "method" and isinstance(of, type) else (7,)
    for back in (pickle.loads(pickle.dumps(function)), copy.copy(function), copy.deepcopy(function)):
        assert back(*args) == function(*args)
    assert recorded_edges() == [("input", "project", 7)]


def test_an_unpicklable_function_raises_a_pickling_error():
    """A local function is refused, as it would be undecorated."""

    @workflow_input("project")
    def local(project_id):
        return project_id

    with pytest.raises((pickle.PicklingError, AttributeError), match="local"):
        pickle.dumps(local)
