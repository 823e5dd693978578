"""What every format gives: the images of a folder by dataset and name, the project's meta, and labels when asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from autoflow.datasets.tree import Tree
from autoflow.errors import FolderError

IMAGES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"),
    *(".jp2", ".mpo", ".avif", ".ppm", ".pgm", ".pbm"),
)
UNNAMED = "ds0"  # the dataset of images that stand in no folder of their own

Meta = dict[str, list[dict[str, Any]]]


class Item(NamedTuple):
    """One image of the folder.

    Args:
        image: its path inside the folder.
        stamp: what changes when its labels do, never empty; None: they are as they were.
        labels: the files that hold them, None for one that is not there.
    """

    image: str
    stamp: bytes | None
    labels: tuple[str | None, ...] = ()


class Labels(NamedTuple):
    """What is known of an image.

    Args:
        annotation: in Supervisely's format, None when the folder does not say: then the project's stay.
        meta: of the image, None likewise.
        stamp: their stamp, where it does not follow from the files' own.
    """

    annotation: dict[str, Any] | None = None
    meta: dict[str, Any] | None = None
    stamp: bytes | None = None


Listing = dict[str, dict[str, Item]]  # by a dataset's path (names joined by slashes), by an image's name


class Format(Protocol):
    """A folder, read as a project of one format.

    Attributes:
        word: its name.
    """

    word: str

    @property
    def sized(self) -> bool:
        """Whether labels can be told only when the size of the image is known."""
        ...

    def meta(self) -> Meta:
        """The project's classes and tags, in Supervisely's format."""
        ...

    def context(self) -> str:
        """What all labels depend on beside their own files."""
        ...

    def listing(self) -> Listing:
        """All images."""
        ...

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """What is known of one image.

        Args:
            item: the image.
            contents: of its files of labels.
            width, height: of the image, in pixels; 0 when the format is not `sized`.

        Raises:
            FolderError: the labels cannot be understood.
        """
        ...


def is_image(name: str) -> bool:
    """Whether a file's name is one of an image."""
    return name.lower().endswith(IMAGES) and not name.startswith(".")


def compose(stamps: Sequence[bytes | None]) -> bytes:
    """One stamp for several files, of which some may not be there."""
    return b"".join(one or b"-" for one in stamps)


def split_dataset(folder: str, dropped: str) -> str:
    """The dataset of a folder of images where a part of the path (as ``images``) says nothing."""
    return "/".join(part for part in folder.split("/") if part and part != dropped) or UNNAMED


def put(listing: Listing, tree: Tree, dataset: str, name: str, item: Item) -> None:
    """Add an image to a listing.

    Raises:
        FolderError: another has its name.
    """
    named = listing.setdefault(dataset, {})
    if name in named:
        both = f"{tree.path(named[name].image)!r} and {tree.path(item.image)!r}"
        raise FolderError(f"{both} would both be image {name!r} of dataset {dataset!r}: rename one of them")
    named[name] = item


def classes(names: Sequence[str]) -> list[dict[str, Any]]:
    """Classes of any shape, each with a colour that its place in the list decides."""
    return [{"title": name, "shape": "any", "color": _colour(place)} for place, name in enumerate(names)]


def _colour(place: int) -> str:
    """A colour far from its neighbours': the hue goes round by the golden angle."""
    hue = (place * 137.508) % 360 / 60
    rising = round(40 + 180 * (1 - abs(hue % 2 - 1)))
    red, green, blue = [
        (220, rising, 40),
        (rising, 220, 40),
        (40, 220, rising),
        (40, rising, 220),
        (rising, 40, 220),
        (220, 40, rising),
    ][int(hue)]
    return f"#{red:02X}{green:02X}{blue:02X}"


POINTS = 100_000  # of a polygon


def number(value: float) -> int | float:
    """A coordinate as it is written: whole where it is, to a thousandth of a pixel otherwise."""
    rounded = round(value, 3)
    return int(rounded) if rounded == int(rounded) else rounded


def rectangle(left: float, top: float, right: float, bottom: float) -> dict[str, Any]:
    """A box, in Supervisely's format."""
    corners = [[number(left), number(top)], [number(right), number(bottom)]]
    return {"geometryType": "rectangle", "points": {"exterior": corners, "interior": []}}


def polygon(points: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """A polygon without holes, in Supervisely's format.

    Raises:
        ValueError: it has more than `POINTS` points.
    """
    if len(points) > POINTS:
        raise ValueError(f"a polygon has {len(points)} points; {POINTS} are the most")
    exterior = [[number(x), number(y)] for x, y in points]
    return {"geometryType": "polygon", "points": {"exterior": exterior, "interior": []}}
