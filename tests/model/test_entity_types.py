"""The registry of entity types."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from autoflow.model.entity_types import ENTITY_TYPES, Kind, WireType, as_data, kinds, names_where, type_of_kind

pytestmark = pytest.mark.core


def test_the_literals_of_the_type_checker_name_the_rows():
    """`WireType` and `Kind` list what the registry holds, in its order."""
    assert get_args(WireType) == tuple(ENTITY_TYPES)
    assert get_args(Kind) == kinds("output")


def test_kinds_are_those_of_the_guide():
    """A run reads six kinds; it can write its own app session besides."""
    assert kinds("input") == ("project", "dataset", "file", "folder", "task", "job")
    assert kinds("output") == (*kinds("input"), "app")


@pytest.mark.parametrize(
    ("kind", "options", "name"),
    [
        ("project", (), "project"),
        ("project", {"version"}, "project_version"),
        ("file", {"model_weight"}, "model_weight"),
        ("file", {"version"}, "file"),
        ("app", (), "app_session"),
    ],
)
def test_an_option_chooses_the_type_of_a_kind(kind, options, name):
    """An option that belongs to another kind changes nothing."""
    assert type_of_kind(kind, options).name == name


def test_an_unknown_kind_is_refused():
    """The caller has checked kinds before."""
    with pytest.raises(KeyError, match="report"):
        type_of_kind("report")


def test_rows_are_json_values():
    """The page gets the registry as data."""
    rows = json.loads(json.dumps(as_data()))
    assert [row["name"] for row in rows] == list(ENTITY_TYPES)
    assert rows[0]["link"] == {"path": "/projects/{id}", "title": "Open Project"}


def test_types_are_chosen_by_a_condition():
    """A card's type is never a specialized one."""
    assert names_where(lambda row: row.card_type == "file") == {"file", "model_weight", "model"}
    assert names_where(lambda row: row.is_specialized) == {"model_weight", "model"}
    assert not any(ENTITY_TYPES[row.card_type].is_specialized for row in ENTITY_TYPES.values())
