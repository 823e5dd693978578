"""`api.file` and `api.task`."""

from __future__ import annotations

import pytest

from autoflow.api import file as module
from autoflow.api.models import FileInfo
from autoflow.api.task import TaskApi


@pytest.fixture
def paths(tmp_path):
    made = []
    for number in range(3):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(bytes([number]) * 10)
        made.append(str(path))
    return made


def test_upload_get_and_download_a_file(api, paths, tmp_path):
    """A file is returned by id and path, and its download equals the upload."""
    made = api.file.upload(1, paths[0], "/models/best.bin")
    assert isinstance(made, FileInfo)
    assert (made.team_id, made.name, made.path, made.sizeb, made.ext) == (1, "best.bin", "/models/best.bin", 10, "bin")
    assert api.file.get_info_by_id(made.id) == api.file.get_info_by_path(1, "/models/best.bin") == made
    assert api.file.get_info_by_id(999) is None
    assert api.file.get_info_by_path(1, "/none") is None
    assert [api.file.exists(1, "/models/best.bin"), api.file.exists(1, "/models")] == [True, False]
    target = tmp_path / "out" / "best.bin"
    api.file.download(1, "/models/best.bin", str(target))
    assert target.read_bytes() == b"\0" * 10


def test_files_are_uploaded_in_groups(api, paths, monkeypatch):
    """Requests have several files up to a size, or one larger file; results keep the order."""
    monkeypatch.setattr(module, "MAX_BYTES", 20)
    sent = []
    made = api.file.upload_bulk(1, paths, [f"/x/{number}" for number in range(3)], sent.append)
    assert [file.path for file in made] == ["/x/0", "/x/1", "/x/2"]
    assert sent == [20, 10]
    monkeypatch.setattr(module, "MAX_BYTES", 5)
    assert len(api.file.upload_bulk(1, paths, [f"/y/{number}" for number in range(3)])) == 3
    with pytest.raises(ValueError, match="3 sources"):
        api.file.upload_bulk(1, paths, [])
    assert api.file.upload_bulk(1, [], []) == []


def test_an_empty_file_is_uploaded(api, tmp_path):
    """An empty file is uploaded."""
    path = tmp_path / "empty"
    path.touch()
    assert api.file.upload(1, str(path), "/empty").sizeb == 0


def test_folders_are_listed_and_removed(api, paths):
    """Files of a folder are listed, with subfolders if not recursive; removing it removes its content."""
    api.file.upload_bulk(1, paths, ["/a/0", "/a/b/1", "/c"])
    assert [file.path for file in api.file.list(1, "/a")] == ["/a/0", "/a/b/1"]
    assert [(file.path, file.is_dir) for file in api.file.list(1, "/a", recursive=False)] == [
        ("/a/0", False),
        ("/a/b/", True),
    ]
    listed = api.file.list(1, "/a", return_type="dict")
    assert [(file["path"], file["meta"]["size"]) for file in listed] == [("/a/0", 10), ("/a/b/1", 10)]
    api.file.remove(1, "/a/")
    assert [file.path for file in api.file.list(1, "/")] == ["/c"]


def test_the_own_task_is_there_before_its_first_record(api):
    """An app reads the app of its task when nothing of it has been delivered yet."""
    assert api.task.get_info_by_id(80) is None
    own = TaskApi(api.transport, 80).get_info_by_id(80)
    assert own.get("meta", {}).get("app", {}).get("id") == 0


def test_get_and_list_tasks(api):
    """A task has the fields of the SDK and those of our server; an unknown one is None."""
    ensured = api.transport.call("autoflow.runs.ensure", {"run": "r1", "name": "Train"})
    task = api.task.get_info_by_id(ensured["task"])
    assert (task.name, task.status, task.team_id, task.workspace_id) == ("Train", "started", 1, 1)
    assert task.autoflow["state"] == "running"
    assert api.task.get_list(1) == [task]
    assert api.task.get_info_by_id(999) is None
