"""The interface of a dataset format, and what formats share: listings, labels, and geometries in Supervisely's format.

docs/extending.md has a complete example of a format.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from autoflow.datasets.tree import Tree, join
from autoflow.errors import FolderError

IMAGE_EXTENSIONS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"),
    *(".jp2", ".mpo", ".avif", ".ppm", ".pgm", ".pbm"),
)
DEFAULT_DATASET = "ds0"  # dataset of images that are in no folder of their own
MAX_POINTS = 100_000  # of a polygon
_ANNOTATION_FOLDERS = {"ann", "meta", "img_info"}  # of Supervisely's format: one JSON file per image

Meta = dict[str, list[dict[str, Any]]]


class Item(NamedTuple):
    """One image of a folder.

    Args:
        image: its path relative to the folder.
        stamp: bytes that change when its labels change, never empty; None if they are known to be unchanged.
        labels: paths of its label files, None for a file that does not exist.
    """

    image: str
    stamp: bytes | None
    labels: tuple[str | None, ...] = ()


class Labels(NamedTuple):
    """The labels and metadata of an image.

    Args:
        annotation: in Supervisely's format; None if the folder has none, which leaves the project's unchanged.
        meta: metadata of the image; None likewise.
        stamp: the stamp of the labels, unless it follows from the stamps of the label files.
        lost: what of the labels is not kept, as numbers by what it is, in the plural.
    """

    annotation: dict[str, Any] | None = None
    meta: dict[str, Any] | None = None
    stamp: bytes | None = None
    lost: Mapping[str, int] | None = None


Listing = dict[str, dict[str, Item]]  # dataset path (names joined by slashes) -> image name -> image


class DatasetFormat(Protocol):
    """A folder, read in one format."""

    name: ClassVar[str]
    """Name of the format, the same as of its `FormatType`."""

    @property
    def needs_image_size(self) -> bool:
        """Whether `labels` needs the size of the image."""
        ...

    def meta(self) -> Meta:
        """Return the project's classes and tags, in Supervisely's format."""
        ...

    def context(self) -> str:
        """Return a text that changes when the labels of all images have to be read again."""
        ...

    def listing(self) -> Listing:
        """Return all images."""
        ...

    def labels(self, item: Item, contents: Sequence[bytes | None], width: int, height: int) -> Labels:
        """Return the labels and metadata of one image.

        Args:
            item: the image.
            contents: the contents of its label files.
            width, height: size of the image in pixels; 0 unless the format needs it.

        Raises:
            FolderError: the labels are not valid.
        """
        ...


class FormatType(Protocol):
    """A dataset format, as it is registered: usually a class whose instances are `DatasetFormat`."""

    @property
    def name(self) -> str:
        """Unique name of the format; it is stored with each folder that was read in it."""
        ...

    @property
    def metadata_patterns(self) -> Sequence[str]:
        """Patterns (as of `fnmatch`) of the names of files that identify the format, or label several images.

        A folder is only examined again when such a file has changed, or an image was added or removed.
        """
        ...

    def detect(self, tree: Tree, *, unchanged: bool) -> DatasetFormat | None:
        """Return the folder read in this format, None if it is in another one.

        Args:
            tree: the folder.
            unchanged: the folder was read in this format before, and no metadata file has changed: return it without
                opening files, and list images with the stamp None if their labels are in metadata files.

        Raises:
            FolderError: a file that belongs to the format is not valid.
        """
        ...


def is_image(name: str) -> bool:
    """Return whether a file name is that of an image."""
    return name.lower().endswith(IMAGE_EXTENSIONS) and not name.startswith(".")


def metadata_files(tree: Tree, patterns: Iterable[str]) -> list[str]:
    """Return the files that match one of the patterns, the topmost first; not those in folders of annotations."""
    matches = re.compile("|".join(map(fnmatch.translate, patterns)) or "(?!)").match
    paths = [
        join(folder, name)
        for folder, files in tree.files.items()
        if folder.rpartition("/")[2] not in _ANNOTATION_FOLDERS
        for name in files
        if matches(name.lower())
    ]
    return sorted(paths, key=lambda path: (path.count("/"), path))


def combine_stamps(stamps: Sequence[bytes | None]) -> bytes:
    """Return one stamp for several files, of which some may not exist."""
    return b"".join(stamp or b"-" for stamp in stamps)


def dataset_path(folder: str, ignored: str) -> str:
    """Return the dataset of a folder, without path components that have no meaning, such as ``images``."""
    return "/".join(part for part in folder.split("/") if part and part != ignored) or DEFAULT_DATASET


def add_item(listing: Listing, tree: Tree, dataset: str, name: str, item: Item) -> None:
    """Add an image to a listing.

    Raises:
        FolderError: the dataset has another image of that name.
    """
    items = listing.setdefault(dataset, {})
    if name in items:
        paths = f"{tree.path(items[name].image)!r} and {tree.path(item.image)!r}"
        raise FolderError(f"{paths} would both be image {name!r} of dataset {dataset!r}: rename one of them")
    items[name] = item


def classes(names: Sequence[str]) -> list[dict[str, Any]]:
    """Return classes of any shape, each with a color that follows from its position."""
    return [{"title": name, "shape": "any", "color": _color(index)} for index, name in enumerate(names)]


def _color(index: int) -> str:
    """Return a color that differs from its neighbours: hues are spaced by the golden angle."""
    hue = (index * 137.508) % 360 / 60
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


def coordinate(value: float) -> int | float:
    """Return a coordinate, as an int if it is integral."""
    return int(value) if value == int(value) else value


def round_coordinate(value: float) -> int | float:
    """Round a computed coordinate to a billionth of a pixel, which removes the error of the arithmetic and no more."""
    return coordinate(round(value, 9))


def rectangle(left: float, top: float, right: float, bottom: float) -> dict[str, Any]:
    """Return a box in Supervisely's format."""
    corners = [[coordinate(left), coordinate(top)], [coordinate(right), coordinate(bottom)]]
    return {"geometryType": "rectangle", "points": {"exterior": corners, "interior": []}}


def polygon(points: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return a polygon without holes in Supervisely's format.

    Raises:
        ValueError: it has more than `MAX_POINTS` points.
    """
    if len(points) > MAX_POINTS:
        raise ValueError(f"a polygon has {len(points)} points; at most {MAX_POINTS} are supported")
    exterior = [[coordinate(x), coordinate(y)] for x, y in points]
    return {"geometryType": "polygon", "points": {"exterior": exterior, "interior": []}}


def key_points(nodes: Mapping[str, tuple[float, float, bool]]) -> dict[str, Any]:
    """Return key points by name, each with its position and whether it is visible, in Supervisely's format."""
    return {
        "geometryType": "graph",
        "nodes": {
            name: {"loc": [coordinate(x), coordinate(y)], **({} if is_visible else {"disabled": True})}
            for name, (x, y, is_visible) in nodes.items()
        },
    }


def skeleton(names: Sequence[str], edges: Iterable[tuple[int, int]] = ()) -> dict[str, Any]:
    """Return the template of a class with key points: their names, and the positions of those that are connected."""
    return {
        "nodes": {name: {"label": name, "loc": [index % 5 * 20, index // 5 * 20]} for index, name in enumerate(names)},
        "edges": [{"src": names[start], "dst": names[end]} for start, end in edges],
    }
