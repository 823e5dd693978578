"""A world for the patterns, and what was posted to it as tests like to read it."""

from __future__ import annotations

ARCHIVE = "/exports/52345_lemons.tar"
FILES = [
    {"id": 9001, "path": ARCHIVE},
    {"id": 7101, "path": "/run/best_1.pth"},
    {"id": 7102, "path": "/run/best_2.pth"},
    {"id": 7103, "path": "/run/last.pth"},
    {"id": 7300, "path": "/run/report.lnk"},
]
PROJECTS = {
    "101": {"id": 101, "name": "lemons", "version": {"id": 555, "version": 3}},
    "303": {"id": 303, "name": "clips", "type": "videos", "version": {"id": 556, "version": 1}},
    "404": {"id": 404, "name": "lidar", "type": "point_clouds"},
    "505": {"id": 505, "name": "new"},
}
TASKS = {
    "52345": {"id": 52345, "teamId": 9, "workspaceId": 8, "meta": {"app": {"id": 321, "name": "Some App"}}},
    "66": {"id": 66, "teamId": 12, "workspaceId": 8, "meta": None},
}
WORLD = {"tasks": TASKS, "files": FILES, "projects": PROJECTS}


def edges(case):
    """(direction, type, id) of each edge; calls of the SDK's Api as their verb."""
    return [
        (entry.endpoint.rpartition("-")[2], entry.body["type"], entry.body["id"])
        if "node" in entry.body
        else (entry.endpoint.rpartition(".")[2], entry.body["version_title"])
        for entry in case.posted()
    ]


def relations(case):
    return [entry.body.get("meta", {}).get("customRelationSettings") for entry in case.posted()]


def nodes(case):
    return [entry.body.get("meta", {}).get("customNodeSettings") for entry in case.posted()]
