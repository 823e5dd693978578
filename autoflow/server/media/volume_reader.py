"""Reading volumes in NRRD by pynrrd, for the process of `media.worker`, which loads this file by its path."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from PIL.Image import Image

# Of the extra [media], so that type checkers run without them.
nrrd: Any = importlib.import_module("nrrd")
np: Any = importlib.import_module("numpy")
VALUES = 100_000_000  # of a volume


def describe(file: BinaryIO) -> dict[str, Any]:
    """Return the sizes of a volume's axes and the type of its values.

    Raises:
        ValueError: it has its values in another file.
    """
    header = _header(file)
    return {"sizes": [int(size) for size in header["sizes"]], "type": str(header["type"])}


def _header(file: BinaryIO) -> Any:
    header = nrrd.read_header(file)
    if "data file" in header or "datafile" in header:
        raise ValueError("its values are in another file")
    return header


def slice_picture(file: BinaryIO, axis: int, index: int | None, window: list[float] | None) -> Image:
    """Draw a slice of a volume; the middle one without an index.

    Args:
        file: the volume.
        axis: the axis that the slice is perpendicular to.
        index: its position there.
        window: the lowest and the highest value that differ from black and white; by default those of the slice.

    Raises:
        ValueError: the volume is too large, is not of three axes, or has no such slice.
    """
    from PIL import Image

    header = _header(file)
    sizes = [int(size) for size in header["sizes"]]
    if len(sizes) != 3 or int(np.prod(sizes, dtype=np.int64)) > VALUES:
        raise ValueError(f"it has the sizes {sizes}; three axes and {VALUES} values are the most")
    position = sizes[axis] // 2 if index is None else index
    if not 0 <= position < sizes[axis]:
        raise ValueError(f"it has {sizes[axis]} slices, and no slice {position}")
    values = np.take(nrrd.read_data(header, file), position, axis=axis).astype(np.float64)
    low, high = window or (float(values.min()), float(values.max()))
    scaled = np.clip((values - low) / max(high - low, 1e-9), 0, 1) * 255
    return Image.fromarray(scaled.astype(np.uint8).T, "L")  # the first axis goes from left to right
