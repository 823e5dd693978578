"""Headers that are read without Pillow say what Pillow says, and all that is unusual is left to it."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from autoflow.server.media.image_headers import ImageSize, read_size


def encoded(form, mode="RGB", **options):
    stream = io.BytesIO()
    Image.new(mode, (40, 20)).save(stream, form, **options)
    return stream.getvalue()


def exif():
    tags = Image.Exif()
    tags[0x0112] = 6
    return tags


PLAIN = {
    "png": lambda: encoded("PNG"),
    "gray png": lambda: encoded("PNG", "L"),
    "png of a palette": lambda: encoded("PNG", "P"),
    "png of 16 bits": lambda: encoded("PNG", "I;16"),
    "transparent png": lambda: encoded("PNG", "RGBA"),
    "jpeg": lambda: encoded("JPEG"),
    "gray jpeg": lambda: encoded("JPEG", "L"),
    "jpeg of inks": lambda: encoded("JPEG", "CMYK"),
    "progressive jpeg": lambda: encoded("JPEG", progressive=True),
    "turned jpeg": lambda: encoded("JPEG", exif=exif()),
}
LEFT_TO_PILLOW = {
    "several images": lambda: encoded("MPO", append_images=[Image.new("RGB", (9, 9))], save_all=True),
    "animation": lambda: encoded("PNG", append_images=[Image.new("RGB", (40, 20), "red")], save_all=True),
    "other format": lambda: encoded("GIF", "P"),
    "wrong checksum": lambda: encoded("PNG").replace(b"IHDR", b"IHDR\1", 1),
    "bomb": lambda: _declaring(60_000, 60_000),
    "no pixels": lambda: _declaring(0, 20),
    "cut": lambda: encoded("PNG")[:40],
    "empty": bytes,
}


def _declaring(width, height):
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + b"\0\0\0\0IDAT"


def by_pillow(data):
    try:
        with Image.open(io.BytesIO(data)) as image:
            return ImageSize(Image.MIME[image.format], *image.size)
    except Exception:
        return None


@pytest.mark.parametrize("name", PLAIN)
def test_the_size_of_a_plain_image_is_read(name):
    """Type and size are what Pillow says, of any mode, and not turned as a camera says."""
    data = PLAIN[name]()
    assert by_pillow(data) is not None
    assert read_size(data) == by_pillow(data)


@pytest.mark.parametrize("name", LEFT_TO_PILLOW)
def test_what_is_unusual_is_left_to_pillow(name):
    """Whatever needs more than a look at the first bytes is not decided by them."""
    assert read_size(LEFT_TO_PILLOW[name]()) is None


@settings(max_examples=100)
@given(data=st.data())
def test_damaged_images_have_no_other_size(data):
    """Changed or cut bytes give no size, or the one that Pillow reads, if it reads them at all."""
    content = bytearray(PLAIN[data.draw(st.sampled_from(["png", "jpeg", "turned jpeg"]))]())
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[position] = data.draw(st.integers(0, 255))
    damaged = bytes(content[: data.draw(st.integers(0, len(content)))])
    size = read_size(damaged)
    assert size in {None, by_pillow(damaged)} or (by_pillow(damaged) is None and size.mime == "image/jpeg")
