"""Drawing point clouds by NumPy, for the process of `media.worker`, which loads this file by its path.

Files of the format PCD are read, with values as text, in binary, or compressed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from PIL.Image import Image

np: Any = importlib.import_module("numpy")  # of the extra [media], so that type checkers run without it
HEADER = 64 * 1024  # bytes
POINTS = 20_000_000
SIDE = 512  # pixels


def top_view(file: BinaryIO) -> Image:
    """Draw a cloud as seen from above, the higher points lighter.

    Raises:
        ValueError: the file is not a PCD that can be read.
    """
    from PIL import Image

    points = _finite(_points(file))
    picture = np.zeros((SIDE, SIDE), dtype=np.uint8)
    if len(points):
        low, high = points.min(axis=0), points.max(axis=0)
        scale = (SIDE - 1) / max(float((high - low)[:2].max()), 1e-9)
        across, down = ((points[:, :2] - low[:2]) * scale).astype(np.int32).T
        heights = (points[:, 2] - low[2]) / max(float(high[2] - low[2]), 1e-9)
        np.maximum.at(picture, (SIDE - 1 - down, across), (80 + 175 * heights).astype(np.uint8))
    return Image.fromarray(picture, "L")


def _finite(points: Any) -> Any:
    return points[np.isfinite(points).all(axis=1)]


def _points(file: BinaryIO) -> Any:
    """Return the coordinates of the points of a file, a row each."""
    header = _header(file)
    names, sizes, kinds = header["FIELDS"], header["SIZE"], header["TYPE"]
    counts = header.get("COUNT", ["1"] * len(names))
    number = int(header["POINTS"][0]) if "POINTS" in header else int(header["WIDTH"][0]) * int(header["HEIGHT"][0])
    if not 0 <= number <= POINTS:
        raise ValueError(f"it has {number} points; {POINTS} are the most")
    layout = [
        (f"{name}{index}" if name == "_" else name, f"<{kind.lower()}{size}", (int(count),))
        for index, (name, size, kind, count) in enumerate(zip(names, sizes, kinds, counts, strict=True))
    ]
    row = np.dtype(layout)
    data = header["DATA"][0]
    if data == "ascii":
        return _from_text(file, layout, number)
    if data == "binary":
        table = np.frombuffer(file.read(number * row.itemsize), dtype=row)
        return np.stack([table[axis][:, 0].astype(np.float64) for axis in "xyz"], axis=1)
    if data == "binary_compressed":
        return _from_columns(_decompressed(file), layout, number)
    raise ValueError(f"values in the form {data!r} are not supported")


def _header(file: BinaryIO) -> dict[str, list[str]]:
    header: dict[str, list[str]] = {}
    left = HEADER
    while "DATA" not in header:
        line = file.readline(left)
        left -= len(line)
        if not line or left <= 0:
            raise ValueError("its header does not end")
        words = line.decode("ascii", "replace").split("#")[0].split()
        if words:
            header[words[0]] = words[1:]
    return header


def _from_text(file: BinaryIO, layout: list[Any], number: int) -> Any:
    starts, column = {}, 0
    for name, _, (count,) in layout:
        starts[name] = column
        column += count
    columns = [starts[axis] for axis in "xyz"]
    return np.loadtxt(file, usecols=columns, max_rows=number, ndmin=2) if number else np.zeros((0, 3))


def _from_columns(data: bytes, layout: list[Any], number: int) -> Any:
    columns, start = {}, 0
    for name, kind, (count,) in layout:
        kind_size = np.dtype(kind).itemsize
        columns[name] = np.frombuffer(data, dtype=kind, count=number * count, offset=start)[:number]
        start += number * count * kind_size
    return np.stack([columns[axis].astype(np.float64) for axis in "xyz"], axis=1)


def _decompressed(file: BinaryIO) -> bytes:
    """Return the bytes of an LZF stream, which its two sizes precede."""
    packed_size, size = (int.from_bytes(file.read(4), "little") for _ in range(2))
    packed = file.read(packed_size)
    output = bytearray()
    position = 0
    while position < len(packed):
        control = packed[position]
        position += 1
        if control < 32:  # literal bytes
            output += packed[position : position + control + 1]
            position += control + 1
            continue
        length, offset = control >> 5, (control & 31) << 8
        if length == 7:
            length += packed[position]
            position += 1
        start = len(output) - (offset | packed[position]) - 1
        position += 1
        for index in range(start, start + length + 2):  # it may overlap what it appends
            output.append(output[index])
        if len(output) > size:
            raise ValueError("it is longer than it says")
    return bytes(output)
