"""By reference: the bytes stay in the folder, and the server says when they are no longer those it knows."""

from __future__ import annotations

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


def test_bytes_stay_where_they_are(sync, linked, projects, api, later, tmp_path, opened):
    """Images have hash, size and a link; their bytes are read from the folder, and nothing is in the store."""
    made = sync(by_reference=True)
    images = {one.name: one for one in api.image.get_list(project_id=made.id)}
    data = png((1, 0, 0), (20, 10))
    one = images["1.png"]
    assert (one.hash, one.size, one.width, one.height, one.mime) == (hash_of(data), len(data), 20, 10, "image/png")
    assert external_files.path_of(one.link) == str(linked / "a b%é" / "1.png")
    assert api.image.download_bytes(one.id) == data
    assert data in b"".join(api.transport.download("images.bulk.download", {"imageIds": [one.id]}))
    assert blobs(tmp_path) == []
    before = projects.digest(made.id)
    later()
    opened.clear()
    assert sync(by_reference=True).id == made.id
    assert (projects.digest(made.id), opened) == (before, [])


def test_a_source_that_changed_is_not_given_out(sync, linked, api, tmp_path):
    """Neither to who downloads the image nor into a folder that a version is restored to."""
    made = sync(by_reference=True)
    images = {one.name: one for one in api.image.get_list(project_id=made.id)}
    version = api.project.version.create(made.id)
    to_folder(api.transport, version, tmp_path / "whole")
    assert (tmp_path / "whole" / "a b%é" / "img" / "1.png").read_bytes() == png((1, 0, 0), (20, 10))
    write(linked / "a b%é" / "1.png", png((200, 0, 0), (20, 10)))
    with pytest.raises(ServerRefused, match="has changed"):
        api.image.download_bytes(images["1.png"].id)
    with pytest.raises(ServerRefused, match="has changed"):
        to_folder(api.transport, version, tmp_path / "out" / "there")
    (linked / "a b%é" / "1.png").unlink()
    assert "cannot be read" in external_files.check(images["1.png"].link, images["1.png"].hash)
    assert external_files.check(images["0.png"].link, images["0.png"].hash) is None
    assert list((tmp_path / "out").iterdir()) == []


def test_by_copy_after_by_reference(sync, linked, api, tmp_path, later):
    """Asked for again in the other way, all images are put in that way, and keep their numbers."""
    made = sync(by_reference=True)
    numbers = sorted(one.id for one in api.image.get_list(project_id=made.id))
    later()
    assert sync().id == made.id
    images = api.image.get_list(project_id=made.id)
    assert sorted(one.id for one in images) == numbers
    assert {one.link for one in images} == {None}
    assert len(blobs(tmp_path)) == 3
    assert sync(by_reference=True).id == made.id
    assert None not in {one.link for one in api.image.get_list(project_id=made.id)}


def test_labels_that_need_the_size_of_the_image(sync, folder, projects):
    """The server looks at the files where they are."""
    write(folder / "classes.txt", "car")
    write(folder / "images" / "1.png", png(size=(100, 50)))
    write(folder / "labels" / "1.txt", "0 0.5 0.5 1 1")
    made = sync(by_reference=True)
    assert projects.content(made.id)["ds0:1.png"][1][0]["points"]["exterior"] == [[0, 0], [100, 50]]


@pytest.mark.parametrize("sized", [False, True])
def test_what_is_no_image_is_named(sync, folder, api, sized):
    """And no project is left."""
    write(folder / "a" / "bad.png", b"no image")
    write(folder / "a" / "good.png", png())
    if sized:
        write(folder / "classes.txt", "car")
        write(folder / "a" / "bad.txt", "")
    with pytest.raises(FolderError, match=r"a/bad.png'"):
        sync(by_reference=True)
    assert api.project.get_list() == []


def test_not_over_a_server(linked, tmp_path):
    """A server may be another machine, and its files are not its users'."""
    from autoflow.datasets.sync import from_folder

    server = Server.open(tmp_path / "home")
    with serving.served(server) as address:
        transport = HttpTransport(address, lambda: None)
        with pytest.raises(FolderError, match="on this machine"):
            from_folder(transport, linked, by_reference=True)
        transport.close()
    link = external_files.link_of(str(linked / "a b%é" / "1.png"))
    elsewhere = Caller(site="http://127.0.0.1:1")
    for method, body in (
        ("autoflow.folders.look", {"links": [link]}),
        ("autoflow.folders.put", {"datasetId": 1, "images": [{"name": "x", "hash": "x", "link": link}]}),
    ):
        with pytest.raises(ServerRefused, match="not over a server"):
            server.call(method, body, elsewhere)
    server.close()


def test_links_of_files():
    """Any path has a link and comes back; other links are no files of this machine."""
    for path in ("/a b/é\n'\"%20.png", "/x#y?z", b"/\xff\xfe".decode("utf-8", "surrogateescape")):
        assert external_files.path_of(external_files.link_of(path)) == path
    for link in ("http://x/y", "file://host/x", "file:x", "/x", "file:///a%00b", "s3://b/c", "file:///x?y"):
        assert external_files.path_of(link) is None
    assert not external_files.is_external({"hash": None, "link": "file:///x"})
    assert not external_files.is_external({"hash": "x", "link": None})
    assert "names no file" in external_files.check("http://x", "x")
    assert "no regular file" in external_files.check("file:///tmp", "x") or "directory" in external_files.check(
        "file:///", "x"
    )
