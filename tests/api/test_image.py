"""`api.image` and `api.annotation`."""

from __future__ import annotations

import json
import pathlib

import pytest

from autoflow.api import image as module
from autoflow.api.models import ImageInfo
from autoflow.errors import ServerRefused


@pytest.fixture
def project(api):
    number = api.project.create(1, "lemons").id
    tags = [{"name": "good", "value_type": "none"}, {"name": "kind", "value_type": "any_string"}]
    api.project.update_meta(number, {"classes": [{"title": "lemon", "shape": "any"}], "tags": tags})
    return number


@pytest.fixture
def dataset(api, project):
    return api.dataset.create(project, "ds").id


@pytest.fixture
def paths(tmp_path, picture):
    made = []
    for number in range(4):
        path = tmp_path / f"{number}.png"
        path.write_bytes(picture((number % 3, 0, 0)))  # the last is the first again
        made.append(str(path))
    return made


def test_upload_and_download_an_image(api, dataset, paths, tmp_path):
    """A file is uploaded with its meta; its download equals it, and missing folders are created."""
    made = api.image.upload_path(dataset, "a.png", paths[1], meta={"k": 1})
    assert isinstance(made, ImageInfo)
    assert (made.name, made.width, made.height, made.mime, made.ext, made.meta) == (
        "a.png",
        4,
        3,
        "image/png",
        "png",
        {"k": 1},
    )
    assert api.image.get_info_by_id(made.id) == api.image.get_info_by_name(dataset, "a.png") == made
    assert api.image.get_info_by_id(999) is None
    target = tmp_path / "deep" / "down" / "a.png"
    api.image.download_path(made.id, str(target))
    assert target.read_bytes() == api.image.download_bytes(made.id) == pathlib.Path(paths[1]).read_bytes()
    assert [entry.name for entry in target.parent.iterdir()] == ["a.png"]


def test_images_are_uploaded_in_batches_and_equal_contents_once(api, dataset, paths, monkeypatch):
    """Uploads are split into batches and keep their order; contents that the server has are not sent again."""
    monkeypatch.setattr(module, "MAX_IMAGES", 2)
    progress = []
    names = [f"{number}.png" for number in range(4)]
    made = api.image.upload_paths(dataset, names, paths, progress_cb=progress.append, metas=[None, {}, {"k": 2}, None])
    assert [image.name for image in made] == names
    assert made[0].hash == made[3].hash
    assert made[2].meta == {"k": 2}
    assert progress == [2, 2]
    assert api.transport.requested.count("images.bulk.upload") == 2
    assert api.transport.requested.count("images.bulk.add") == 2
    api.transport.requested.clear()
    api.image.upload_paths(dataset, [f"again-{name}" for name in names], paths)
    assert "images.bulk.upload" not in api.transport.requested
    assert [image.name for image in api.image.get_list(dataset)][:4] == names


def test_upload_bytes_and_hashes(api, dataset, picture):
    """An image is created from encoded bytes, or from the hash of a stored content."""
    made = api.image.upload_bytes(dataset, "a.png", picture())
    (again,) = api.image.upload_hashes(dataset, ["b.png"], [made.hash])
    assert again.hash == made.hash


def test_an_invalid_image_is_an_error(api, dataset, tmp_path):
    """A file that is not an image is an error and creates nothing, as are lists of different lengths."""
    path = tmp_path / "a.png"
    path.write_bytes(b"no image")
    with pytest.raises(ServerRefused, match="not an image"):
        api.image.upload_path(dataset, "a.png", str(path))
    assert api.image.get_list(dataset) == []
    with pytest.raises(ValueError, match="must be equal"):
        api.image.upload_paths(dataset, ["a.png"], [])


def test_an_interrupted_download_leaves_no_file(api, dataset, paths, tmp_path, monkeypatch):
    """An interrupted download leaves an existing file unchanged."""
    made = api.image.upload_path(dataset, "a.png", paths[0])
    target = tmp_path / "out" / "kept.png"
    target.parent.mkdir()
    target.write_bytes(b"before")

    def broken(_method, _body):
        yield b"half"
        raise ConnectionError("gone")

    monkeypatch.setattr(api.transport, "download", broken)
    with pytest.raises(ConnectionError):
        api.image.download_path(made.id, str(target))
    assert [(entry.name, entry.read_bytes()) for entry in target.parent.iterdir()] == [("kept.png", b"before")]


def test_tags_are_added_to_images(api, project, dataset, paths):
    """Tags of the meta are added to one or several images."""
    images = [image.id for image in api.image.upload_paths(dataset, ["a.png", "b.png"], paths[:2])]
    good, kind = (tag["id"] for tag in api.project.get_meta(project)["tags"])
    api.image.add_tag_batch(images, good)
    api.image.add_tag(images[0], kind, "ripe")
    tags = {tag["tagId"]: tag["value"] for tag in api.image.get_info_by_id(images[0]).tags}
    assert tags == {good: None, kind: "ripe"}
    api.image.remove_batch(images)
    assert api.image.get_list(dataset) == []


def test_upload_and_download_annotations(api, dataset, paths, tmp_path):
    """Annotations are uploaded as documents or files, and downloaded in the requested order."""
    images = [image.id for image in api.image.upload_paths(dataset, ["a.png", "b.png"], paths[:2])]
    box = {"classTitle": "lemon", "geometryType": "rectangle", "points": {"exterior": [[0, 0], [1, 1]], "interior": []}}
    api.annotation.upload_jsons(images, [{"objects": [box]}, {"objects": [box, box]}])
    counts = [len(annotation["objects"]) for annotation in api.annotation.download_json_batch(dataset, images[::-1])]
    assert counts == [2, 1]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"description": "x", "objects": []}))
    api.annotation.upload_path(images[0], str(path))
    assert api.annotation.download_json(images[0])["description"] == "x"
    api.annotation.upload_jsons([], [])
    with pytest.raises(ValueError, match="2 annotations for 1 images"):
        api.annotation.upload_jsons(images[:1], [{}, {}])
