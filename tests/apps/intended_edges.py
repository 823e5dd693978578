"""The edges that apps meant to record where a bug of their own kept them from it: why, and what is posted instead."""

from __future__ import annotations

from typing import Any, NamedTuple


class IntendedEdges(NamedTuple):
    """One app's intention: (direction, type, id, meta) of each edge, in order."""

    why: str
    edges: list[tuple[str, str, int, dict[str, Any] | None]]


_CHECKPOINTS = {
    "title": "<h4>Checkpoints</h4>",
    "icon": {"icon": "zmdi-folder", "color": "#FFA500", "backgroundColor": "#FFE8BE"},
    "mainLink": {"url": "/files/7102/true", "title": "Open Folder"},
}
_SESSION = {"mainLink": {"url": "/apps/321/sessions/52345", "title": "Show Results"}}

INTENDED_EDGES: dict[str, IntendedEdges] = {
    "data-commander_pairs": IntendedEdges(
        "The set of pairs is there to record each project once a session; the second pair posts its destination again.",
        [("input", "project", 101, None), ("output", "project", 202, None), ("input", "project", 303, None)],
    ),
    "filter-images_output-str": IntendedEdges(
        "The project's number is text, which the SDK posts as an edge without id; project 202 was meant.",
        [("output", "project", 202, None)],
    ),
    "import-videos-from-cloud_dedupe": IntendedEdges(
        "The module's flag is to record a result once, not only the first result of a session.",
        [("output", "project", 202, None), ("output", "project", 303, None), ("output", "dataset", 79, None)],
    ),
    "train-mmdetection_no-best": IntendedEdges(
        "Without a checkpoint called best the last one is the result; the index error lost it.",
        [
            (
                "output",
                "model_weight",
                7102,
                {"customRelationSettings": _CHECKPOINTS, "customNodeSettings": _SESSION},
            )
        ],
    ),
}
