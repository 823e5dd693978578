"""Import by reference: contents stay in the folder, and the server detects changes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from autoflow.datasets.export import to_folder
from autoflow.errors import FolderError, ServerRefused
from autoflow.server.db.access import Caller
from autoflow.server.server import Server
from autoflow.server.uploads import external_files
from autoflow.transport.http import HttpTransport
from tests import serving
from tests.blobs import blob_files
from tests.datasets.conftest import hash_of, png, write


@pytest.fixture
def linked(folder):
    for number in range(3):
        write(folder / "a b%é" / f"{number}.png", png((number, 0, 0), (20, 10)))
    return folder


def blobs(tmp_path):
    return blob_files(tmp_path / "home" / "blobs")


def test_contents_stay_in_the_folder(sync, linked, projects, api, later, tmp_path, opened):
    """Images have a hash, a size and a link; contents are read from the folder and not stored."""
    project = sync(by_reference=True)
    images = {image.name: image for image in api.image.get_list(project_id=project.id)}
    data = png((1, 0, 0), (20, 10))
    image = images["1.png"]
    assert (image.hash, image.size, image.width, image.height, image.mime) == (
        hash_of(data),
        len(data),
        20,
        10,
        "image/png",
    )
    assert external_files.path_of(image.link) == str(linked / "a b%é" / "1.png")
    assert api.image.download_bytes(image.id) == data
    assert data in b"".join(api.transport.download("images.bulk.download", {"imageIds": [image.id]}))
    assert blobs(tmp_path) == []
    before = projects.digest(project.id)
    later()
    opened.clear()
    assert sync(by_reference=True).id == project.id
    assert (projects.digest(project.id), opened) == (before, [])


def test_a_changed_file_is_not_served(sync, linked, api, tmp_path):
    """Neither as a download of the image nor in an export of a version."""
    project = sync(by_reference=True)
    images = {image.name: image for image in api.image.get_list(project_id=project.id)}
    version = api.project.version.create(project.id)
    to_folder(api.transport, version, tmp_path / "complete")
    assert (tmp_path / "complete" / "a b%é" / "img" / "1.png").read_bytes() == png((1, 0, 0), (20, 10))
    write(linked / "a b%é" / "1.png", png((200, 0, 0), (20, 10)))
    with pytest.raises(ServerRefused, match="has changed"):
        api.image.download_bytes(images["1.png"].id)
    with pytest.raises(ServerRefused, match="has changed"):
        to_folder(api.transport, version, tmp_path / "out" / "there")
    (linked / "a b%é" / "1.png").unlink()
    assert "cannot be read" in external_files.check(images["1.png"].link, images["1.png"].hash)
    assert external_files.check(images["0.png"].link, images["0.png"].hash) is None
    assert list((tmp_path / "out").iterdir()) == []


def test_a_renamed_folder_serves_its_versions(sync, linked, api, tmp_path):
    """After an import from its new path also those made before, which name the old one; both verify as whole."""
    project = sync(by_reference=True)
    before = api.project.version.create(project.id)
    moved = linked.rename(tmp_path / "limes")
    with pytest.raises(ServerRefused, match=r"cannot be read.*import its folder again from where it is now"):
        to_folder(api.transport, before, tmp_path / "out")
    sync(path=moved, by_reference=True, project_id=project.id)
    after = api.project.version.create(project.id)
    for version in (before, after):
        to_folder(api.transport, version, tmp_path / f"out{version}")
        path = tmp_path / f"out{version}" / "a b%é" / "img" / "1.png"
        assert path.read_bytes() == png((1, 0, 0), (20, 10))
    assert api.project.version.verify(3) == []
    (moved / "a b%é" / "1.png").unlink()
    (problem,) = api.project.version.verify(3)
    assert [version["id"] for version in problem["versions"]] == [before, after]


def test_switching_between_copy_and_reference(sync, linked, api, tmp_path, later):
    """All images are uploaded again in the other mode, and keep their ids."""
    project = sync(by_reference=True)
    numbers = sorted(image.id for image in api.image.get_list(project_id=project.id))
    later()
    assert sync().id == project.id
    images = api.image.get_list(project_id=project.id)
    assert sorted(image.id for image in images) == numbers
    assert {image.link for image in images} == {None}
    assert len(blobs(tmp_path)) == 3
    assert sync(by_reference=True).id == project.id
    assert None not in {image.link for image in api.image.get_list(project_id=project.id)}


def test_labels_that_need_the_size_of_the_image(sync, folder, projects):
    """The server reads their sizes from the files in the folder."""
    write(folder / "classes.txt", "car")
    write(folder / "images" / "1.png", png(size=(100, 50)))
    write(folder / "labels" / "1.txt", "0 0.5 0.5 1 1")
    project = sync(by_reference=True)
    assert projects.content(project.id)["ds0:1.png"][1][0]["points"]["exterior"] == [[0, 0], [100, 50]]


@pytest.mark.parametrize("sized", [False, True])
def test_an_invalid_image_is_an_error(sync, folder, api, sized):
    """The error names it, and no project is left."""
    write(folder / "a" / "bad.png", b"no image")
    write(folder / "a" / "good.png", png())
    if sized:
        write(folder / "classes.txt", "car")
        write(folder / "a" / "bad.txt", "")
    with pytest.raises(FolderError, match=r"a/bad.png'"):
        sync(by_reference=True)
    assert api.project.get_list() == []


def test_by_reference_needs_the_embedded_server(linked, tmp_path):
    """A team server cannot read the files of its users' machines."""
    from autoflow.datasets.sync import from_folder

    server = Server.open(tmp_path / "home")
    with serving.served(server) as address:
        transport = HttpTransport(address, lambda: None)
        with pytest.raises(FolderError, match="needs the embedded server"):
            from_folder(transport, linked, by_reference=True)
        transport.close()
    link = (linked / "a b%é" / "1.png").as_uri()
    elsewhere = Caller(site="http://127.0.0.1:1")
    for method, body in (
        ("autoflow.folders.look", {"links": [link]}),
        ("autoflow.folders.put", {"datasetId": 1, "images": [{"name": "x", "hash": "x", "link": link}]}),
    ):
        with pytest.raises(ServerRefused, match="machine only: over HTTP"):
            server.call(method, body, elsewhere)
    server.close()


def test_links_of_files():
    """Paths are converted to links and back; other links are not local files."""
    for path in ("/a b/é\n'\"%20.png", "/x#y?z", b"/\xff\xfe".decode("utf-8", "surrogateescape")):
        assert external_files.path_of(Path(path).as_uri()) == path
    for link in ("http://x/y", "file://host/x", "file:x", "/x", "file:///a%00b", "s3://b/c", "file:///x?y"):
        assert external_files.path_of(link) is None
    assert not external_files.is_external({"hash": None, "link": "file:///x"})
    assert not external_files.is_external({"hash": "x", "link": None})
    assert "names no file" in external_files.check("http://x", "x")
    assert "no regular file" in external_files.check("file:///tmp", "x") or "directory" in external_files.check(
        "file:///", "x"
    )
