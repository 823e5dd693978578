"""Parts of a graph that share nothing, set beside and below one another on one grid of columns.

Each part sinks to the highest free place, in the graph's order. A part added at the end therefore moves no
other one, unless the sheet has to be widened: that happens in coarse steps only, at 1, 2, 3, 4, 6, 8, 12, 16 ...
columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from autoflow.graph.layout.geometry import COLUMN_WIDTH

COMPONENT_GAP = 64
ASPECT = 1.8  # of the parts' area; gaps between parts of unlike heights bring the sheet nearer to a screen


def connected_components(size: int, links: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Give the connected parts of a graph of `size` vertices, each ascending, in the order of their first vertex."""
    near: list[list[int]] = [[] for _ in range(size)]
    for tail, head in links:
        near[tail].append(head)
        near[head].append(tail)
    seen = [False] * size
    found = []
    for start in range(size):
        if seen[start]:
            continue
        seen[start] = True
        part = [start]
        for vertex in part:  # grows while it is walked
            for other in near[vertex]:
                if not seen[other]:
                    seen[other] = True
                    part.append(other)
        found.append(sorted(part))
    return found


def pack_components(sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Give the (column, y) of the top left of each part.

    Args:
        sizes: (number of columns, height in pixels) of each part.
    """
    area = sum(columns * COLUMN_WIDTH * (height + COMPONENT_GAP) for columns, height in sizes)
    wanted = max(1.0, math.sqrt(area * ASPECT) / COLUMN_WIDTH)
    double = 2 ** math.ceil(math.log2(wanted))
    step = double * 3 // 4 if wanted <= double * 3 // 4 else double
    sheet = max(step, max((columns for columns, _ in sizes), default=0))
    free = [0] * sheet
    places = []
    for columns, height in sizes:
        tops = [max(free[column : column + columns]) for column in range(sheet - columns + 1)]
        y = min(tops)
        column = tops.index(y)
        free[column : column + columns] = [y + height + COMPONENT_GAP] * columns
        places.append((column, y))
    return places
