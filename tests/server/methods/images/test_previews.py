"""Small pictures of images: as large as asked for, never larger than the image."""

from __future__ import annotations

import io

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.http import preview_url


@pytest.fixture(scope="module")
def image(module_server, fill):
    """The number of an image of 40 by 20 pixels."""
    filled = fill(module_server)
    content = filled.content(filled.picture(size=(40, 20)))
    dataset = filled.dataset(filled.project())
    return filled.call("images.bulk.add", datasetId=dataset, images=[{"title": "a.png", "hash": content}])[0]["id"]


def preview(server, number, **options):
    from PIL import Image

    content = server.content("autoflow.previews", {"id": number, **options})
    picture = Image.open(io.BytesIO(b"".join(content)))
    assert content.mime == f"image/{picture.format.lower()}"
    return picture.format, picture.size


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, (40, 20)),
        ({"width": 10}, (10, 5)),
        ({"height": 10}, (20, 10)),
        ({"width": 10, "height": 10}, (10, 5)),
        ({"width": 10, "height": 10, "resize": "fill"}, (10, 10)),
        ({"width": 10, "height": 10, "resize": "force"}, (10, 10)),
        ({"width": 20, "height": 10, "resize": "auto"}, (20, 10)),
        ({"width": 10, "height": 20, "resize": "auto"}, (10, 5)),
        ({"width": 400, "height": 400}, (40, 20)),
        ({"width": 400, "height": 10, "resize": "fill"}, (40, 10)),
        ({"width": 0, "height": 0, "quality": 500}, (40, 20)),
        ({"width": 1, "height": 1, "resize": "fill"}, (1, 1)),
    ],
)
def test_a_picture_is_as_large_as_asked_for(module_server, image, options, size):
    """Within a width and a height, or filling both; what would be larger than the image stays as large as that is."""
    assert preview(module_server, image, **options) == ("JPEG", size)
    assert preview(module_server, image, **options, ext="png") == ("PNG", size)


def test_what_no_picture_can_be_is_refused(module_server, fill, image):
    """A way that there is not, an image that is only linked, and one that is unknown."""
    for wrong in ({"resize": "bend"}, {"ext": "gif"}, {"width": "wide"}):
        with pytest.raises(ServerRefused) as refusal:
            module_server.content("autoflow.previews", {"id": image, **wrong})
        assert refusal.value.status == 400
    dataset = fill(module_server).call("images.info", id=image)["datasetId"]
    (linked,) = fill(module_server).call(
        "images.bulk.add", datasetId=dataset, images=[{"title": "l", "link": "http://x/l.png"}]
    )
    for number in (linked["id"], 999):
        with pytest.raises(ServerRefused) as refusal:
            module_server.content("autoflow.previews", {"id": number})
        assert refusal.value.status == 404


@pytest.mark.parametrize(
    ("options", "read"),
    [
        (
            "ext:jpeg/resize:fill:300:200:0/q:70",
            {"resize": "fill", "width": 300, "height": 200, "ext": "jpeg", "quality": 70},
        ),
        (
            "ext:png/resize:auto:None:None:0/q:70",
            {"resize": "auto", "width": 0, "height": 0, "ext": "png", "quality": 70},
        ),
        ("resize:fit", {"resize": "fit", "width": 0, "height": 0}),
        ("ext/q/resize/../x", {"resize": "fit", "width": 0, "height": 0}),
        ("resize:fit:-5:99999999999999", {"resize": "fit", "width": 0, "height": 10**6}),
    ],
)
def test_the_sdks_address_of_a_preview_is_read(options, read):
    """Sizes, way, type and quality stand in the address; what is none is passed over."""
    assert preview_url.preview_arguments(options, 7) == {"id": 7, "width": 0, "height": 0} | read
