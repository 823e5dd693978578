"""Export of versions to folders."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from autoflow.datasets import content_writer
from autoflow.datasets.export import to_folder
from autoflow.datasets.filename_allocator import FilenameAllocator
from autoflow.datasets.sync import from_folder
from autoflow.errors import FolderError, ServerRefused
from autoflow.transport.embedded import EmbeddedTransport
from tests.api.conftest import DataApi
from tests.blobs import blob_files
from tests.datasets.conftest import Projects, data_api, png, write


@pytest.fixture(params=["embedded", "served", "in process"])
def api(request, tmp_path):
    if request.param == "in process":
        transport = EmbeddedTransport(str(tmp_path / "home"))
        yield DataApi(transport)
        transport.close()
        return
    with data_api(tmp_path / "home", served=request.param == "served") as api:
        yield api


@pytest.fixture
def version(api, sync, labelled):
    """The id of a version of the labelled folder."""
    return api.project.version.create(sync().id)


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_export_equals_the_import(api, sync, labelled, version, tmp_path):
    """Images and labels are equal, and importing the export gives an equal project."""
    target = tmp_path / "out" / "there"
    reports = []
    assert to_folder(api.transport, version, target, progress=lambda *report: reports.append(report)) == str(target)
    assert reports == [(0, 4), (4, 4)]
    assert tree(target) == [
        *("a/ann/0.png.json", "a/ann/1.png.json", "a/ann/2.png.json"),
        *("a/datasets/b/ann/deep.png.json", "a/datasets/b/img/deep.png"),
        *("a/img/0.png", "a/img/1.png", "a/img/2.png", "a/meta/1.png.json", "meta.json"),
    ]
    assert (target / "a" / "img" / "0.png").read_bytes() == (labelled / "a" / "img" / "0.png").read_bytes()
    assert (target / "a" / "img" / "0.png").stat().st_nlink == 1
    assert [path.name for path in target.parent.iterdir()] == ["there"]
    projects = Projects(api)
    first, again = api.project.get_list()[0], sync(path=target)
    assert projects.content(again.id) == projects.content(first.id)


def test_an_export_has_the_state_of_the_version(api, sync, labelled, version, later, tmp_path):
    """Later changes and removals have no effect."""
    original = (labelled / "a" / "img" / "0.png").read_bytes()
    (labelled / "a" / "img" / "0.png").write_bytes(png((77, 77, 0)))
    (labelled / "a" / "datasets" / "b" / "img" / "deep.png").unlink()
    sync()
    to_folder(api.transport, version, tmp_path / "out")
    assert (tmp_path / "out" / "a" / "img" / "0.png").read_bytes() == original
    assert (tmp_path / "out" / "a" / "datasets" / "b" / "img" / "deep.png").exists()


def test_existing_files_are_not_overwritten(api, version, tmp_path):
    """A folder that is not empty, a file and a link are errors; an empty folder is used."""
    target = tmp_path / "out"
    target.mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(target)
    for taken in (tmp_path, tmp_path / "file", tmp_path / "link"):
        with pytest.raises(FolderError, match="not an empty folder"):
            to_folder(api.transport, version, taken)
    to_folder(api.transport, version, target)
    assert "meta.json" in os.listdir(target)
    with pytest.raises(ServerRefused):
        to_folder(api.transport, 999, tmp_path / "none")
    with pytest.raises(FolderError, match="mode must be"):
        to_folder(api.transport, version, tmp_path / "none", mode="symlink")
    assert not (tmp_path / "none").exists()


def test_names_that_are_no_file_names(api, tmp_path):
    """Slashes, dots and long names are replaced, and no two images share a file."""
    project = api.project.create(1, "odd").id
    names = ["a/b.png", "a_b.png", "..", "日" * 100 + ".png", "日" * 101 + ".png", "x"]
    dataset = api.dataset.create(project, "d/..")
    content = api.image.upload_bytes(dataset.id, names[0], png()).hash
    api.image.upload_hashes(dataset.id, names[1:], [content] * 5)
    api.dataset.create(project, "meta.json")
    version = api.project.version.create(project)
    to_folder(api.transport, version, tmp_path / "out")
    files = os.listdir(tmp_path / "out" / "d_.." / "img")
    assert {"a_b.png", "a_b_001.png", "_..", "x"} <= set(files)
    assert len(files) == 6
    assert (tmp_path / "out" / "meta_001.json" / "img").is_dir()


def test_a_linked_image_cannot_be_exported(api, tmp_path):
    """The server has no content of it; the error names it, and no files are left."""
    project = api.project.create(1, "linked").id
    dataset = api.dataset.create(project, "d").id
    api.transport.call(
        "images.bulk.add", {"datasetId": dataset, "images": [{"title": "far.png", "link": "http://x/far.png"}]}
    )
    version = api.project.version.create(project)
    with pytest.raises(FolderError, match=r"'far.png' of dataset 'd' is a link to http://x/far.png"):
        to_folder(api.transport, version, tmp_path / "out" / "there")
    assert os.listdir(tmp_path / "out") == []


def test_damaged_content_is_not_exported(api, version, tmp_path):
    """A content that does not match its hash is an error."""
    damaged = 0
    for path in blob_files(tmp_path / "home" / "blobs"):
        path.chmod(0o644)
        with path.open("r+b") as file:
            file.write(b"broken")
            damaged += 1
    assert damaged == 4
    with pytest.raises(FolderError, match="does not match its hash"):
        to_folder(api.transport, version, tmp_path / "out" / "there")
    assert os.listdir(tmp_path / "out") == []


def test_clones_of_files(tmp_path, sync, labelled, monkeypatch):
    """Files are cloned if the file system can; otherwise `auto` copies, and `reflink` is an error."""
    transport = EmbeddedTransport(str(tmp_path / "home"))
    version = DataApi(transport).project.version.create(from_folder(transport, labelled).id)
    requests = []

    def clone(target, request, source):
        requests.append(request)
        os.sendfile(target, source, 0, 1 << 20)

    monkeypatch.setattr(content_writer.fcntl, "ioctl", clone)
    to_folder(transport, version, tmp_path / "cloned", mode="reflink")
    assert (len(requests), tree(tmp_path / "cloned")[-1]) == (4, "meta.json")
    assert (tmp_path / "cloned" / "a" / "img" / "1.png").read_bytes() == png((1, 0, 0))

    def refuse(target, request, source):
        requests.append(request)
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(content_writer.fcntl, "ioctl", refuse)
    requests.clear()
    to_folder(transport, version, tmp_path / "copied")
    assert len(requests) == 1
    assert tree(tmp_path / "copied") == tree(tmp_path / "cloned")
    with pytest.raises(FolderError, match="mode='copy'"):
        to_folder(transport, version, tmp_path / "none", mode="reflink")
    requests.clear()
    to_folder(transport, version, tmp_path / "plainly", mode="copy")
    assert requests == []
    transport.close()


def test_links_to_files(tmp_path, labelled):
    """On request, and if nothing can be cloned, files are read-only links; one that gets another mode is a copy."""
    transport = EmbeddedTransport(str(tmp_path / "home"))
    api = DataApi(transport)
    version = api.project.version.create(from_folder(transport, labelled).id)
    write(tmp_path / "tables" / "train.csv", b"a,b")
    (tmp_path / "tables" / "train.csv").chmod(0o755)
    files = api.project.version.create(from_folder(transport, tmp_path / "tables").id)
    blobs = blob_files(tmp_path / "home" / "blobs")
    modes = [path.stat().st_mode for path in blobs]
    to_folder(transport, version, tmp_path / "out", mode="link")
    to_folder(transport, version, tmp_path / "copied", mode="copy")
    assert tree(tmp_path / "out") == tree(tmp_path / "copied")
    image = tmp_path / "out" / "a" / "img" / "1.png"
    assert image.stat().st_ino in {path.stat().st_ino for path in blobs}
    assert image.stat().st_mode & 0o777 == 0o400
    assert (tmp_path / "out" / "a" / "ann" / "1.png.json").stat().st_nlink == 1
    for _ in range(2):
        to_folder(transport, files, tmp_path / "files", mode="link")
        assert os.access(tmp_path / "files" / "train.csv", os.X_OK)
    assert [path.stat().st_mode for path in blobs] == modes
    assert api.project.version.verify(level=3) == []
    transport.close()


@pytest.mark.parametrize("mode", ["reflink", "link"])
def test_links_need_a_local_server(api, version, tmp_path, mode):
    """Files of a server on another machine can be neither cloned nor linked to."""
    if hasattr(api.transport, "local_paths"):
        pytest.skip("it is a local server")
    with pytest.raises(FolderError, match="not on this machine"):
        to_folder(api.transport, version, tmp_path / "out", mode=mode)


_LIMITED = """
import resource, signal, sys
from autoflow.datasets.export import to_folder
from autoflow.errors import FolderError
from autoflow.transport.embedded import EmbeddedTransport
transport = EmbeddedTransport(sys.argv[1])
transport.call("instance.version", {})
resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))
try:
    to_folder(transport, int(sys.argv[2]), sys.argv[3])
except FolderError as error:
    print(error)
"""


def test_a_full_disk_leaves_no_files(tmp_path, labelled):
    """The error names the path, and everything that was written is removed."""
    transport = EmbeddedTransport(str(tmp_path / "home"))
    version = DataApi(transport).project.version.create(from_folder(transport, labelled).id)
    transport.close()
    target = tmp_path / "out" / "there"
    command = [sys.executable, "-c", _LIMITED, str(tmp_path / "home"), str(version), str(target)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "cannot be written: File too large" in process.stdout
    assert os.listdir(tmp_path / "out") == []


def test_a_response_is_split_into_contents():
    """Chunks may have any size; a truncated response is an error."""
    complete = b"one 3\nabc" + b"two 0\n" + b"three 5\n12\n45"
    for size in range(1, len(complete) + 1):
        chunks = (complete[start : start + size] for start in range(0, len(complete), size))
        contents = [(name, b"".join(part)) for name, part in content_writer.split_contents(chunks)]
        assert contents == [("one", b"abc"), ("two", b""), ("three", b"12\n45")]
    for cut in (3, 7, len(complete) - 1):
        with pytest.raises(FolderError, match="too early"):
            [b"".join(part) for _, part in content_writer.split_contents(iter([complete[:cut]]))]


def test_file_names_are_unique():
    """A number is inserted before the extension of a name that is taken."""
    names = FilenameAllocator({"meta.json"})
    assert [names.allocate(name) for name in ("a.png", "a.png", "meta.json", "", "\0", "a")] == [
        *("a.png", "a_001.png", "meta_001.json", "_", "__001", "a"),
    ]
