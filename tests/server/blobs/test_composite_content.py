"""Contents put together when they are read: forms, tars, texts, and any part of them."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import ServerRefused
from autoflow.server.blobs.composite_content import CompositeContent, text_content
from tests.server.uploads import parts_of


@given(st.lists(st.binary(max_size=9)), st.data())
def test_any_part_is_that_of_the_whole(pieces, data):
    """A part from anywhere to anywhere is the same as cut out of all the pieces."""
    expected = b"".join(pieces)
    content = CompositeContent(pieces, "x", "text/plain")
    start = data.draw(st.integers(0, len(expected)))
    stop = data.draw(st.integers(start, len(expected)))
    assert content.size == len(expected)
    assert b"".join(content.iter_range(start, stop)) == expected[start:stop]
    assert b"".join(content) == expected


def test_a_text_has_its_hash():
    """What is in memory is told with its sha256, which the SDK compares."""
    assert text_content(b"{}", "x.json", "application/json").hash == "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o="


def test_a_folder_is_a_tar(filled):
    """A path with a slash is downloaded as a tar of its folder, long names and empty files included."""
    names = {"a.txt": b"one", "deep/" + "long" * 40 + ".bin": b"x" * 1000, "empty": b""}
    for name, data in names.items():
        filled.file(f"/models/run/{name}", data)
    filled.file("/models/runner.txt")
    content = filled.server.content("file-storage.download", {"teamId": 1, "path": "/models/run/"})
    with tarfile.open(fileobj=io.BytesIO(b"".join(content))) as tar:
        read = {entry.name: tar.extractfile(entry).read() for entry in tar.getmembers()}
    assert read == {f"run/{name}": data for name, data in names.items()}
    with pytest.raises(ServerRefused) as refusal:
        filled.server.content("file-storage.download", {"teamId": 1, "path": "/none/"})
    assert refusal.value.status == 404


def test_many_images_come_in_one_form(filled):
    """Images in bulk come as parts of their numbers' names, in the order asked for; by hash, those that are here."""
    dataset = filled.dataset(filled.project())
    images = []
    for name, shade in (("a.png", 1), ("b.png", 2)):
        content = filled.content(filled.picture((shade, 0, 0)))
        body = [{"title": name, "hash": content}]
        images += filled.call("images.bulk.add", datasetId=dataset, images=body)
    numbers = [images[1]["id"], images[0]["id"]]

    def read(method, **body):
        return parts_of(filled.server.content(method, body))

    expected = [filled.picture((2, 0, 0)), filled.picture((1, 0, 0))]
    response = read("images.bulk.download", datasetId=dataset, imageIds=numbers)
    assert response == list(zip(map(str, numbers), expected, strict=True))
    by_hash = read("images.bulk.download-by-hash", hashes=[images[1]["hash"], "none", images[0]["hash"]])
    assert [content for _, content in by_hash] == expected
