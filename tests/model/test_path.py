"""Paths into the arguments and the result of a call."""

from __future__ import annotations

import contextlib
from collections import namedtuple
from types import MappingProxyType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.model.path import Path, Wildcard, parse

pytestmark = pytest.mark.core

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
STEPS = st.one_of(
    NAMES, st.from_regex(r"\d{1,3}", fullmatch=True), st.integers(min_value=-50, max_value=50), st.just(Wildcard())
)
PATHS = st.builds(Path, NAMES, st.lists(STEPS, max_size=5).map(tuple))
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.one_of(NAMES, st.integers(-3, 3)), inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(NAMES, inner, max_size=3).map(lambda members: SimpleNamespace(**members))
    ),
    max_leaves=12,
)


@given(PATHS)
def test_str_of_a_path_can_be_parsed_back(path):
    """`str` and `parse` are inverse."""
    assert parse(str(path)) == path


@given(PATHS, TREES)
def test_following_a_path_never_raises(path, tree):
    """Whatever an app passes, a path gives a value or None."""
    path.follow(tree)


@given(st.text(max_size=20))
def test_any_text_is_a_path_or_a_value_error(text):
    """`parse` raises only ValueError."""
    with contextlib.suppress(ValueError):
        assert isinstance(parse(text), Path)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("x", 7, 7),
        ("x.id", SimpleNamespace(id=7), 7),
        ("x.id", {"id": 7}, 7),
        ("x.id", MappingProxyType({"id": 7}), 7),
        ("x[0]", [7], 7),
        ("x[-1]", (6, 7), 7),
        ("x[0].id", [{"id": 7}], 7),
        ("x.0", [7], 7),
        ("x[id]", {"id": 7}, 7),
        ("x['id']", {"id": 7}, 7),
        ("x[3]", {3: 7}, 7),
        ("x[3]", {"3": 7}, 7),
        ("x.items", {"items": 7}, 7),
        ("x.keys.id", {"keys": {"id": 7}}, 7),
        ("x[*]", [1, 2], [1, 2]),
        ("x[*].id", [{"id": 1}, {"id": 2}], [1, 2]),
        ("x[*]", {"a": 1, "b": 2}, [1, 2]),
        ("x[*][*]", [[1], [2, 3]], [1, 2, 3]),
        ("x[*].ids", [{"ids": [1]}, {"ids": [2]}], [[1], [2]]),
        ("x[*].id", [{"id": 1}, None, {}], [1, None, None]),
        ("x[*].id", (SimpleNamespace(id=1),), [1]),
    ],
)
def test_a_step_is_an_attribute_else_a_key_else_an_index(text, value, expected):
    """Each form of step works in objects, mappings and sequences."""
    assert parse(text).follow(value) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x.id", None),
        ("x.id", 7),
        ("x.a.b", {"a": None}),
        ("x[5]", [1]),
        ("x[*]", 7),
        ("x[*]", "text"),
        ("x[*]", b"bytes"),
        ("x.missing", SimpleNamespace()),
    ],
)
def test_a_path_that_leads_nowhere_is_none(text, value):
    """It is not an error."""
    assert parse(text).follow(value) is None


@pytest.mark.parametrize(
    "text", ["", " ", ".a", "a.", "a..b", "a[", "a[]", "a]b", "1a", "a b", "a[0]b", "a[*", "é.", "a-b"]
)
def test_a_malformed_path_is_refused_with_an_example(text):
    """The message shows a valid path."""
    with pytest.raises(ValueError, match=r"result\[\*\]"):
        parse(text)


def test_an_attribute_wins_over_a_key():
    """A mapping's attribute counts before its key, unless the attribute is a method."""

    class Both(dict):
        id = 1

    assert parse("x.id").follow(Both(id=2)) == 1
    assert parse("x.get").follow({"get": 2}) == 2


def test_a_named_tuple_is_reached_by_name_and_by_index():
    """The SDK's infos are named tuples."""
    info = namedtuple("Info", "id name")(7, "seven")
    assert parse("x.name").follow(info) == "seven"
    assert parse("x[0]").follow(info) == 7


def test_an_iterator_is_not_consumed():
    """The app may still need its items."""
    numbers = iter([1, 2, 3])
    assert parse("x[*]").follow(numbers) is None
    assert list(numbers) == [1, 2, 3]


def test_an_item_that_raises_does_not_affect_others(monkeypatch):
    """Its own result is None."""
    monkeypatch.delenv("AUTOFLOW_STRICT")

    class Bad:
        @property
        def id(self):
            raise RuntimeError("not today")

    assert parse("x[*].id").follow([{"id": 1}, Bad(), {"id": 3}]) == [1, None, 3]
