"""How the demo judges a round: by what is new, against `expected_graph.json`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.core

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


@pytest.fixture(scope="module")
def demo():
    """The demo as a module."""
    spec = importlib.util.spec_from_file_location("examples_demo", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _round(demo, project):
    """What a good round leaves, under keys of its own."""
    return {f"{project} {position}": listed for position, listed in enumerate(demo.expected(project))}


def test_a_good_first_round_has_no_differences(demo):
    """What is listed, and nothing else, is there."""
    assert demo.differences({}, _round(demo, "digits")) == []


def test_a_good_second_round_has_no_differences(demo):
    """The second project's name takes the place of `{project}`, and the first round is still there."""
    first = _round(demo, "digits")
    assert demo.differences(first, {**first, **_round(demo, "digits_001")}) == []


def test_what_an_interrupted_round_left_is_not_judged(demo):
    """Only what is new counts."""
    torn = dict(list(_round(demo, "digits").items())[:3])
    assert demo.differences(torn, {**torn, **_round(demo, "digits_001")}) == []


def test_a_missing_edge_is_named(demo):
    """The line says that it is missing, and which."""
    left = _round(demo, "digits")
    key = next(key for key, listed in left.items() if listed.get("direction") == "version")
    del left[key]
    (line,) = demo.differences({}, left)
    assert line.startswith("missing")
    assert "project_version Train digits" in line


def test_a_card_that_looks_wrong_is_named_twice(demo):
    """Once as it should be, once as it is."""
    left = _round(demo, "digits")
    key = next(key for key, listed in left.items() if "#ff4c9e" in listed.get("icon", ""))
    left[key] = {**left[key], "icon": "archive #33c94c on #d9f7e4"}
    assert [line.split()[0] for line in demo.differences({}, left)] == ["missing", "unexpected"]


def test_a_card_too_many_is_named(demo):
    """A second one of the same kind and name is one too many."""
    left = _round(demo, "digits")
    doubled = {**left, "again": next(iter(left.values()))}
    (line,) = demo.differences({}, doubled)
    assert line.startswith("unexpected")


def test_what_was_there_before_must_stay(demo):
    """A card of an earlier round that is gone is named as lost."""
    first = _round(demo, "digits")
    after = {**dict(list(first.items())[1:]), **_round(demo, "digits_001")}
    (line,) = demo.differences(first, after)
    assert line.startswith("lost")


def test_an_empty_round_misses_everything(demo):
    """No app recorded anything: every line of the file is missing."""
    assert len(demo.differences({}, {})) == len(demo.expected("digits"))


def test_the_demos_environment_leads_nowhere_else(demo, monkeypatch):
    """Whatever the caller's environment names, the apps record on the server in `.demo`."""
    monkeypatch.setenv("SERVER_ADDRESS", "https://instance.example")
    monkeypatch.setenv("TASK_ID", "5")
    monkeypatch.setenv("context.teamId", "9")
    given = demo.environment()
    assert given["AUTOFLOW_SERVER"] == "embedded"
    assert Path(given["AUTOFLOW_HOME"]).name == ".demo"
    assert not {"SERVER_ADDRESS", "TASK_ID", "context.teamId", "AUTOFLOW_STRICT"} & given.keys()
