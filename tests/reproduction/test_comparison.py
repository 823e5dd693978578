"""What came out beside what had come out."""

from __future__ import annotations

import pytest

from autoflow.reproduction import comparison
from autoflow.reproduction.comparison import equal, inputs, outputs

pytestmark = pytest.mark.core


def file(path, digest="a", kind="model_weight"):
    return {"type": kind, "id": 1, "ref": f"file:{path}", "path": path, "sha256": digest * 64, "origin": ""}


def verdicts(recorded, made, restored=()):
    return [(row.name, row.verdict) for row in outputs(recorded, made, restored)]


def test_a_file_at_the_same_path_is_its_counterpart():
    """Equal contents are the same, others differ, whatever stands beside them."""
    made = [file("/x/w.pt", "b"), file("/w.pt", "a"), file("/v.pt", "c")]
    assert verdicts([file("/w.pt"), file("/v.pt")], made) == [("/w.pt", "same"), ("/v.pt", "different")]


def test_a_path_with_another_project_in_it_is_matched_by_how_it_ends():
    """The more last steps agree, the better; each counterpart serves once."""
    recorded = [file("/lemons/a/w.pt", "a"), file("/lemons/b/w.pt", "b")]
    made = [file("/lemons, from ver. 1/b/w.pt", "b"), file("/lemons, from ver. 1/a/w.pt", "a")]
    assert verdicts(recorded, made) == [("/lemons/a/w.pt", "same"), ("/lemons/b/w.pt", "same")]


def test_what_was_not_made_is_missing():
    """A file of another name is no counterpart."""
    assert verdicts([file("/w.pt"), file("/v.pt")], [file("/w.pt"), file("/u.pt")])[1] == ("/v.pt", "missing")
    assert verdicts([file("/w.pt")], []) == [("/w.pt", "missing")]


def test_a_version_of_a_restored_project_is_compared_by_its_digest():
    """Of other projects nothing can be said, nor of folders."""
    was = {"type": "project_version", "id": 1, "ref": "version:1", "digest": "5", "projectId": 7, "origin": ""}
    now = {**was, "id": 2, "ref": "version:2", "projectId": 12}
    assert verdicts([was], [now], {12}) == [("version:1", "same")]
    assert verdicts([was], [{**now, "digest": "6"}], {12}) == [("version:1", "different")]
    assert verdicts([was], [now]) == [("version:1", "not compared")]
    assert verdicts([{"type": "folder", "id": "/x", "ref": "/x", "origin": ""}], []) == [("/x", "not compared")]


def test_a_restored_project_that_was_not_read_is_a_difference():
    """It is read as itself, as a version, or as a dataset of it."""
    read = [
        {"type": "project", "id": 12, "origin": ""},
        {"type": "dataset", "id": 3, "projectId": 13, "origin": ""},
        {"type": "project", "id": 14, "origin": "http://elsewhere"},
    ]
    rows = inputs({12: "a", 13: "b", 14: "c"}, read)
    assert [row.verdict for row in rows] == ["read", "read", "not read"]
    same = comparison.Row("output", "/w", "a", "a", comparison.SAME)
    assert equal([same, *rows[:2]])
    assert not equal([same, *rows])


def test_nothing_compared_is_not_equal():
    """That nothing differs says nothing when nothing was compared."""
    assert not equal([])
    assert not equal(outputs([{"type": "folder", "id": "/x", "ref": "/x", "origin": ""}], [], ()))
