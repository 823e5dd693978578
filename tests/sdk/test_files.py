"""Team files by the unmodified SDK."""

from __future__ import annotations


def test_files_are_uploaded_listed_and_read(sdk):
    """Files go up in bulk, are found by path, folder and number, come back as they were, and give way to others."""
    response = sdk("team_files")
    assert response == {
        "paths": ["/yolo/run/weights/best_7.pt", "/yolo/run/log.txt", "/yolo/state.json"],
        "mime": ["application/json", 12, "json"],
        "replaced": [True, "/yolo/run/weights/best_7.pt"],
        "text": "lines",
        "tree": ["/yolo/run/log.txt", "/yolo/run/weights/best_7.pt", "/yolo/state.json"],
        "flat": ["/yolo/run/", "/yolo/state.json"],
        "exists": [True, False],
        "folders": [True, False],
        "info": [True, "/yolo/run/weights/best_7.pt"],
        "json": {"epoch": 7},
        "inside": ["log.txt", "weights"],
        "free": "/yolo/run/log_000.txt",
        "size": 10,
        "removed": [None, False],
    }
