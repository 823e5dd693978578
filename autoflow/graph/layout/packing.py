"""Packing of connected components side by side and below one another on one grid of columns.

In the graph's order, each component takes the highest free position. A component added at the end therefore moves no
other, unless the sheet gets wider: its width grows in coarse steps only, 1, 2, 3, 4, 6, 8, 12, 16 ... columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from autoflow.graph.layout.geometry import COLUMN_WIDTH

COMPONENT_GAP = 96
# Of the total area of the components. Gaps between components of different heights make the sheet higher, so that it
# gets about the aspect ratio of a screen.
ASPECT_RATIO = 1.8


def connected_components(size: int, edges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return the connected components of `size` vertices, each ascending, in the order of their first vertex."""
    neighbours: list[list[int]] = [[] for _ in range(size)]
    for tail, head in edges:
        neighbours[tail].append(head)
        neighbours[head].append(tail)
    visited = [False] * size
    components = []
    for start in range(size):
        if visited[start]:
            continue
        visited[start] = True
        component = [start]
        for vertex in component:  # the list grows during the loop
            for other in neighbours[vertex]:
                if not visited[other]:
                    visited[other] = True
                    component.append(other)
        components.append(sorted(component))
    return components


def pack_components(
    sizes: Sequence[tuple[int, int]], wanted: Sequence[tuple[int, int] | None] = ()
) -> list[tuple[int, int]]:
    """Return the (column, y) of the top left corner of each component.

    Args:
        sizes: (number of columns, height in pixels) of each component.
        wanted: where each component stands already; of two that would now overlap, the larger stays.
    """
    standing = _standing(sizes, wanted) if wanted else {}
    left = min((0, *(column for column, _ in standing.values())))
    top = min((0, *(y for _, y in standing.values())))
    standing = {number: (column - left, y - top) for number, (column, y) in standing.items()}
    right = max((column + sizes[number][0] for number, (column, _) in standing.items()), default=0)
    sheet = max(_sheet_columns(sizes), max((columns for columns, _ in sizes), default=0), right)
    free_y = [0] * sheet
    for number, (column, y) in standing.items():
        for taken in range(column, column + sizes[number][0]):
            free_y[taken] = max(free_y[taken], y + sizes[number][1] + COMPONENT_GAP)
    positions = []
    for number, (columns, height) in enumerate(sizes):
        if number in standing:
            positions.append(standing[number])
            continue
        tops = [max(free_y[column : column + columns]) for column in range(sheet - columns + 1)]
        y = min(tops)
        column = tops.index(y)
        free_y[column : column + columns] = [y + height + COMPONENT_GAP] * columns
        positions.append((column, y))
    return positions


def _standing(sizes: Sequence[tuple[int, int]], wanted: Sequence[tuple[int, int] | None]) -> dict[int, tuple[int, int]]:
    """Return the positions of the components that can stay, by their numbers."""
    taken: dict[int, list[tuple[int, int]]] = {}
    standing = {}
    for number in sorted(range(len(sizes)), key=lambda number: -sizes[number][0] * sizes[number][1]):
        position = wanted[number]
        if position is None:
            continue
        (column, y), (columns, height) = position, sizes[number]
        if all(
            y >= bottom or y + height <= top
            for c in range(column, column + columns)
            for top, bottom in taken.get(c, ())
        ):
            standing[number] = position
            for c in range(column, column + columns):
                taken.setdefault(c, []).append((y, y + height))
    return standing


def _sheet_columns(sizes: Sequence[tuple[int, int]]) -> int:
    """Return the width that gives the sheet its aspect ratio, rounded up to the next step."""
    area = sum(columns * COLUMN_WIDTH * (height + COMPONENT_GAP) for columns, height in sizes)
    columns = max(1.0, math.sqrt(area * ASPECT_RATIO) / COLUMN_WIDTH)
    power = int(2 ** math.ceil(math.log2(columns)))
    return power * 3 // 4 if columns <= power * 3 // 4 else power
