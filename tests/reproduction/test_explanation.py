"""The run that is compared with a recorded one, the verdicts, and what may explain a difference."""

from __future__ import annotations

import pytest

from autoflow.model.reproduction import (
    DIFFERENT,
    NOT_COMPARED,
    NOT_READ,
    READ,
    SAME,
    ComparisonRow,
    input_verdict,
    output_verdict,
)
from autoflow.reproduction.comparison import compare_files_read
from autoflow.reproduction.explanation import compare_code, explain
from autoflow.reproduction.pairing import counterpart
from autoflow.reproduction.recorded_run import RecordedRun
from tests.reproduction.test_comparison import file, folder

pytestmark = pytest.mark.core

FACTS = {
    "python": "3.12.1",
    "packages": {"torch": "2.1"},
    "environment": {"PYTHONHASHSEED": "0", "LR": "0.5", "API_KEY": "***"},
    "hardware": {"cpu": "x", "cores": 8, "kernel": "5"},
    "machine": "Linux x86_64",
}


def run(ref, name="Train", **facts):
    return RecordedRun(ref, name, "finished", 1, {"command": ["python", "train.py"], **facts}, [], [])


@pytest.mark.parametrize(
    ("recorded", "repeated", "expected"),
    [
        ({"ordinal": 1}, [{"ordinal": 0}, {"ordinal": 1}], 1),
        ({"parameters": {"lr": 2}}, [{"ordinal": 0, "parameters": {"lr": 1}}, {"parameters": {"lr": 2}}], 1),
        ({"ordinal": 0, "parameters": {"lr": 2}}, [{"parameters": {"lr": 1}}, {"parameters": {"lr": 2}}], 1),
        ({"ordinal": 7}, [{"ordinal": 0}], 0),
    ],
)
def test_runs_of_one_command_are_paired_by_their_order(recorded, repeated, expected):
    """Runs of several processes, and of older clients, by their parameters; another app's run only if there is none."""
    runs = [run("task:0", "Other", **recorded), *(run(f"task:{n + 1}", **facts) for n, facts in enumerate(repeated))]
    assert counterpart(run("task:9", **recorded), runs).ref == f"task:{expected + 1}"
    assert counterpart(run("task:9", **recorded), runs[:1]).ref == "task:0"


def test_each_file_that_was_read_has_a_row():
    """Files of the team by their content, like those of a machine; what cannot be compared is named."""
    project = {"type": "project", "id": 3, "ref": "project:3", "origin": ""}
    version = {"type": "project_version", "id": 3, "ref": "version:3", "origin": ""}
    recorded = [file("/a"), file("/b"), file("/c"), {**file("/a", "b"), "origin": "file://h"}, folder("/f"), project]
    read = [
        file("/a"),
        file("/b", "c"),
        {**file("/c"), "origin": "file://h"},
        {**file("/a", "b"), "origin": "file://h"},
    ]
    rows = compare_files_read([*recorded, version], read)
    assert [(row.name, row.verdict) for row in rows] == [
        ("/a", READ),
        ("/b", DIFFERENT),
        ("/c", NOT_READ),
        ("/a", READ),
        ("/f", NOT_COMPARED),
        ("project:3", NOT_COMPARED),
    ]


def test_outputs_and_inputs_have_verdicts_of_their_own():
    """An input that was not read says nothing about the outputs, nor the other way."""
    out = [ComparisonRow("output", "/w", "a", "a", SAME), ComparisonRow("output", "/v", "a", "b", DIFFERENT)]
    read = [ComparisonRow("input", "p", None, None, verdict) for verdict in (READ, NOT_READ, DIFFERENT)]
    assert [output_verdict(rows) for rows in (out[:1], out, read)] == ["equal", "different", "not compared"]
    assert [input_verdict([*out, *read[:count]]) for count in range(4)] == [
        "not compared",
        "read",
        "not read",
        "different",
    ]


@pytest.mark.parametrize(
    ("change", "kind", "detail"),
    [
        ({}, "environment", "variable API_KEY was not set again"),
        ({"python": "3.13.0"}, "environment", "Python 3.12.1 was recorded, 3.13.0 ran"),
        ({"packages": {"torch": "2.2"}}, "environment", "package torch: 2.1 was recorded, 2.2 now"),
        ({"environment": {"LR": "0.1"}}, "environment", "variable LR: 0.5 was recorded, 0.1 now"),
        ({"hardware": {"cpu": "y", "cores": 8, "kernel": "6"}}, "hardware", "cpu: x was recorded, y now"),
    ],
)
def test_what_differs_is_named(change, kind, detail):
    """Each part of the environment and the machine that is not as recorded."""
    causes = explain(FACTS, {**FACTS, **change}, [], [])
    assert detail in dict(causes)[kind]
    assert ("hardware" in dict(causes)) == (kind == "hardware")


def test_data_code_and_seed():
    """Inputs read, what was not restored or ran from elsewhere, and an unset seed of hashes; nothing else."""
    recorded = {"script_within": "src/train.py", "installed": {"mine": "a", "other": "b"}}
    repeated = {"script": "/site/train.py", "installed": {"mine": "c", "other": "b"}}
    code = compare_code(recorded, repeated, "/tmp/tree")
    rows = [*code, ComparisonRow("input", "/a", "a", "b", DIFFERENT)]
    causes = dict(explain(recorded, repeated, rows, ["x was not recorded"]))
    assert list(causes) == ["data", "code", "seed"]
    assert causes["data"] == "/a had another content"
    for part in ("x was not recorded", "/site/train.py ran", "installed package mine"):
        assert part in causes["code"]
    assert not compare_code(
        {**recorded, "script_within": ".venv/bin/train"}, {"installed": recorded["installed"]}, "/t"
    )
    seeded = {"environment": {"PYTHONHASHSEED": "0"}}
    assert explain(seeded, seeded, [], []) == []
