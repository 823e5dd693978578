"""Files of this machine that runs name: their hash and size."""

from __future__ import annotations

import hashlib
import os
import time

import pytest

from autoflow.model.entity import EntityRef
from autoflow.model.local_file import LocalFile, local_file
from autoflow.outbox.destinations import local_files

pytestmark = pytest.mark.core


def test_a_file_is_described_by_its_content(tmp_path):
    """Relative to the run's folder too; the entity's id says everything."""
    path = tmp_path / "a@b.csv"
    path.write_bytes(b"1,2")
    file = local_files.look_up("/a@b.csv", str(tmp_path), time.time_ns())
    assert file == local_files.look_up(str(path), None, time.time_ns())
    assert file.sha256 == hashlib.sha256(b"1,2").hexdigest()
    assert (file.name, file.size) == ("a@b.csv", 3)
    assert local_file(EntityRef(file.origin, "file", file.id)) == file


def test_a_file_that_changed_since_has_no_hash(tmp_path):
    """No content is claimed then, as the bytes that the run read are unknown."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"1")
    named = time.time_ns()
    os.utime(path, ns=(named + 10**9, named + 10**9))
    file = local_files.look_up(str(path), None, named)
    assert file.sha256 is None
    assert local_file(EntityRef(file.origin, "file", file.id)) == file


@pytest.mark.parametrize("name", ["absent.csv", "folder"])
def test_what_is_no_regular_file_is_none(tmp_path, name):
    """Folders and missing files."""
    (tmp_path / "folder").mkdir()
    assert local_files.look_up(str(tmp_path / name), str(tmp_path), time.time_ns()) is None


@pytest.mark.parametrize("ref", [("", "file", 9), ("https://h", "file", "/a@x:1"), ("file://h", "file", "/a@x:1")])
def test_other_entities_are_no_local_files(ref):
    """Not those of servers, nor one whose id is malformed."""
    assert local_file(EntityRef(*ref)) is None
    assert isinstance(LocalFile("h", "/a", "0" * 64, 1).id, str)
