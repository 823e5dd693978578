"""Comparison of the outputs and inputs of a reproduction with those of the recorded run."""

from __future__ import annotations

import pytest

from autoflow.model.reproduction import SAME, ComparisonRow, all_equal, outputs_equal
from autoflow.reproduction.comparison import (
    compare_inputs,
    compare_outputs,
    expand_folders,
    mark_requested,
    requested_names,
)

pytestmark = pytest.mark.core


def file(path, digest="a", kind="model_weight"):
    return {"type": kind, "id": 1, "ref": f"file:{path}", "path": path, "sha256": digest * 64, "origin": ""}


def verdicts(recorded, reproduced, restored=()):
    return [(row.name, row.verdict) for row in compare_outputs(recorded, reproduced, restored)]


def test_files_at_the_same_path_are_compared():
    """Equal contents are the same, others differ, whatever other files there are."""
    reproduced = [file("/x/w.pt", "b"), file("/w.pt", "a"), file("/v.pt", "c")]
    assert verdicts([file("/w.pt"), file("/v.pt")], reproduced) == [("/w.pt", "same"), ("/v.pt", "different")]


def test_files_are_matched_by_trailing_steps_of_their_paths():
    """A path with the name of another project matches the one that shares the most steps; each match is used once."""
    recorded = [file("/lemons/a/w.pt", "a"), file("/lemons/b/w.pt", "b")]
    reproduced = [file("/lemons, from ver. 1/b/w.pt", "b"), file("/lemons, from ver. 1/a/w.pt", "a")]
    assert verdicts(recorded, reproduced) == [("/lemons/a/w.pt", "same"), ("/lemons/b/w.pt", "same")]


def test_an_output_without_a_match_is_missing():
    """A file with another name does not match."""
    assert verdicts([file("/w.pt"), file("/v.pt")], [file("/w.pt"), file("/u.pt")])[1] == ("/v.pt", "missing")
    assert verdicts([file("/w.pt")], []) == [("/w.pt", "missing")]


def test_a_version_of_a_restored_project_is_compared_by_its_digest():
    """Versions of other projects and folders are not compared."""
    recorded = {"type": "project_version", "id": 1, "ref": "version:1", "digest": "5", "projectId": 7, "origin": ""}
    reproduced = {**recorded, "id": 2, "ref": "version:2", "projectId": 12}
    assert verdicts([recorded], [reproduced], {12}) == [("version:1", "same")]
    assert verdicts([recorded], [{**reproduced, "digest": "6"}], {12}) == [("version:1", "different")]
    assert verdicts([recorded], [reproduced]) == [("version:1", "not compared")]
    assert verdicts([{"type": "folder", "id": "/x", "ref": "/x", "origin": ""}], []) == [("/x", "not compared")]


def test_a_restored_project_must_be_read():
    """Reading the project itself, a version or a dataset of it counts; another server's project does not."""
    inputs = [
        {"type": "project", "id": 12, "origin": ""},
        {"type": "dataset", "id": 3, "projectId": 13, "origin": ""},
        {"type": "project", "id": 14, "origin": "http://elsewhere"},
    ]
    rows = compare_inputs({12: "a", 13: "b", 14: "c"}, inputs)
    assert [row.verdict for row in rows] == ["read", "read", "not read"]
    same = ComparisonRow("output", "/w", "a", "a", SAME)
    assert all_equal([same, *rows[:2]])
    assert not all_equal([same, *rows])


def test_nothing_compared_is_not_equal():
    """At least one output must have been compared."""
    assert not all_equal([])
    assert not all_equal(compare_outputs([{"type": "folder", "id": "/x", "ref": "/x", "origin": ""}], [], ()))


def folder(path):
    return {"type": "folder", "id": path, "ref": path, "origin": ""}


def written(complete=True, **digests):
    return lambda path: {
        "files": [{"path": f"{path}/{name}", "sha256": digest * 64, "size": 1} for name, digest in digests.items()],
        "complete": complete,
    }


def test_a_folder_is_its_files():
    """A file that is an output of its own is not repeated; a folder without files is left, one elsewhere too."""
    outputs = [file("/m/a"), folder("/m"), {**folder("/n"), "origin": "http://elsewhere"}]
    names = [(output["ref"], output.get("sha256")) for output in expand_folders(outputs, written(a="a", b="b"))]
    assert names == [("file:/m/a", "a" * 64), ("/m/b", "b" * 64), ("/n", None)]
    assert expand_folders([folder("/m")], written()) == [folder("/m")]
    assert expand_folders([folder("/m")], written(complete=False, a="a"))[1:] == [folder("/m")]


def test_a_file_that_only_the_reproduction_wrote_is_added():
    """It is a difference."""
    recorded, reproduced = (
        expand_folders([folder("/m")], written(**files)) for files in ({"a": "a"}, {"a": "a", "b": "b"})
    )
    rows = compare_outputs(recorded, reproduced, ())
    assert [(row.name, row.verdict) for row in rows] == [("/m/a", "same"), ("/m/b", "added")]
    assert not outputs_equal(rows)


@pytest.mark.parametrize(
    ("entity", "equal"),
    [
        (file("/w.pt"), True),
        (file("/v.pt"), False),
        (folder("/m"), True),
        (folder("/n"), False),
        ({"type": "project_version", "ref": "version:3"}, False),
        ({"type": "project", "ref": "project:3"}, True),
        (None, True),
    ],
)
def test_the_requested_output_must_be_compared(entity, equal):
    """Equal files beside it say nothing about it."""
    recorded = [file("/w.pt"), *expand_folders([folder("/m")], written(a="a"))]
    rows = mark_requested(compare_outputs(recorded, recorded, ()), requested_names(entity))
    assert outputs_equal(rows) is equal
    assert all_equal(rows) is equal
