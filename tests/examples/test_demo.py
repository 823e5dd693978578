"""Verification of the demo's graph against `expected_graph.json`."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.core

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


@pytest.fixture(scope="module")
def demo():
    """The demo, imported as a module."""
    spec = importlib.util.spec_from_file_location("examples_demo", DEMO)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _valid_run(demo, project):
    """Return the expected cards and edges for a project, under unique keys."""
    return {f"{project} {position}": entry for position, entry in enumerate(demo.expected(project))}


def test_a_valid_first_run_has_no_differences(demo):
    """All expected cards and edges exist, and no others."""
    assert demo.differences({}, _valid_run(demo, "digits")) == []


def test_a_valid_second_run_has_no_differences(demo):
    """The second project's name replaces `{project}`, and the entries of the first run are kept."""
    first = _valid_run(demo, "digits")
    assert demo.differences(first, {**first, **_valid_run(demo, "digits_001")}) == []


def test_entries_of_an_interrupted_run_are_ignored(demo):
    """Only new entries are compared."""
    partial = dict(list(_valid_run(demo, "digits").items())[:3])
    assert demo.differences(partial, {**partial, **_valid_run(demo, "digits_001")}) == []


def test_a_missing_edge(demo):
    """The line has the edge."""
    entries = _valid_run(demo, "digits")
    key = next(key for key, entry in entries.items() if entry.get("direction") == "version")
    del entries[key]
    (line,) = demo.differences({}, entries)
    assert line.startswith("missing")
    assert "project_version Train digits" in line


def test_a_changed_card(demo):
    """It is reported as missing in the expected form, and as unexpected in the actual one."""
    entries = _valid_run(demo, "digits")
    key = next(key for key, listed in entries.items() if "#ff4c9e" in listed.get("icon", ""))
    entries[key] = {**entries[key], "icon": "archive #33c94c on #d9f7e4"}
    assert [line.split()[0] for line in demo.differences({}, entries)] == ["missing", "unexpected"]


def test_a_duplicate_card(demo):
    """A second card of the same kind and name is unexpected."""
    entries = _valid_run(demo, "digits")
    doubled = {**entries, "again": next(iter(entries.values()))}
    (line,) = demo.differences({}, doubled)
    assert line.startswith("unexpected")


def test_entries_of_earlier_runs_must_be_kept(demo):
    """A missing card of an earlier run is reported as lost."""
    first = _valid_run(demo, "digits")
    after = {**dict(list(first.items())[1:]), **_valid_run(demo, "digits_001")}
    (line,) = demo.differences(first, after)
    assert line.startswith("lost")


def test_an_empty_run_lacks_everything(demo):
    """All expected entries are missing."""
    assert len(demo.differences({}, {})) == len(demo.expected("digits"))


def test_the_demos_environment_has_no_other_server(demo, monkeypatch):
    """The apps always record to the server in `.demo`."""
    monkeypatch.setenv("SERVER_ADDRESS", "https://instance.example")
    monkeypatch.setenv("TASK_ID", "5")
    monkeypatch.setenv("context.teamId", "9")
    variables = demo.environment()
    assert variables["AUTOFLOW_SERVER"] == "embedded"
    assert Path(variables["AUTOFLOW_HOME"]).name == ".demo"
    assert not {"SERVER_ADDRESS", "TASK_ID", "context.teamId", "AUTOFLOW_STRICT"} & variables.keys()
