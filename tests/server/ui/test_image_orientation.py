"""Photographs with an EXIF orientation are shown as their pixels are stored, because labels refer to stored pixels."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.server.ui.demo_project import META, points

RED, BLUE = (220, 30, 30), (30, 30, 220)
ORIENTATION = 0x0112
SIDEWAYS = 6  # a viewer that applies it rotates the image by 90 degrees, with red on top


@pytest.fixture(scope="module")
def photo(filled):
    """A project with a photograph, red on the left and blue on the right, its red half labeled."""
    picture = Image.new("RGB", (400, 200), RED)
    picture.paste(BLUE, (200, 0, 400, 200))
    exif = Image.Exif()
    exif[ORIENTATION] = SIDEWAYS
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=95, exif=exif)
    project = filled.project("Turned")
    filled.call("projects.meta.update", id=project, meta=META)
    dataset = filled.dataset(project)
    images = [{"title": "turned.jpg", "hash": filled.content(stream.getvalue())}]
    image = filled.call("images.bulk.add", datasetId=dataset, images=images)[0]["id"]
    label = {"classTitle": "lemon", "geometryType": "rectangle", "points": points((0, 0), (199, 199)), "tags": []}
    annotation = {"imageId": image, "annotation": {"objects": [label], "tags": []}}
    filled.call("annotations.bulk.add", datasetId=dataset, annotations=[annotation])
    filled.edge("input", "project", project, run="turned")
    return {"project": project, "image": image}


def halves(locator):
    """Return the colours of the middles of an element's left and right half, as red or blue."""
    shown = Image.open(io.BytesIO(locator.screenshot())).convert("RGB")
    middles = [shown.getpixel((shown.width * part // 4, shown.height // 2)) for part in (1, 3)]
    return ["red" if red > blue else "blue" for red, _, blue in middles]


@pytest.mark.parametrize(
    ("path", "selector"),
    [
        ("/images/{image}", ".field img"),
        ("/projects/{project}", ".cell .picture img"),
        ("/project/{project}", "article.entry .picture img"),
        ("/", ".mosaic img"),
    ],
)
def test_orientation_is_ignored(open_page, expect, photo, path, selector):
    """On the image's page, in the grid, on the project's card and on the start page."""
    page = open_page(path.format_map(photo))
    picture = page.locator(selector).first
    expect(picture).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert halves(picture) == ["red", "blue"]
