"""Reviews, queues, issues, reports, users and files of tasks by the unmodified SDK."""

from __future__ import annotations

import pytest

from autoflow.errors import NotAllowed, ServerRefused


def test_labels_are_reviewed_shared_and_discussed(sdk, server):
    """Jobs are rejected and restarted, queues deal images out, issues name objects, and reports are changed."""
    made = sdk("fill", count=8)
    dataset, images = made["outer"], made["images"]
    assert sdk("reviewed_jobs", dataset=dataset, images=images) == {
        "none": [],
        "rejected": 2,
        "again": ("again", 1, True),
        "status": "completed",
    }
    assert sdk("queues", dataset=dataset, images=images) == {
        "dealt": [True, True],
        "queue": [True, True],
        "status": ("completed", True, True),
        "counts": (4, 1, 1, 1, 2),
        "meta": [True],
        "accepted": [True],
        "pages": 4,
        "by status": [2, 1],
        "within": 2,
        "listed": True,
        "of a collection": (2, 2),
    }
    assert sdk("issues", dataset=dataset, images=images) == {
        "made": ("wrong", "open", "admin"),
        "comment": ("why?", "why not?", "admin", True),
        "records": True,
        "sub": (True, True),
        "closed": ("right", "closed"),
        "listed": [("other", ["closed"])],
        "left": (["right"], []),
    }
    assert sdk("reports") == {
        "url": True,
        "widget": {"id": "a", "type": "html", "content": "x"},
        "updated": {"id": 2, "type": "table", "options": {"perPage": 5}},
        "rewritten": {"id": "a", "type": "plotly", "name": "p", "content": {"data": []}},
    }


def test_users_are_renamed_and_disabled(sdk, server):
    """A disabled user's token is refused until the user is enabled; only the server's administrator does so."""
    assert sdk("accounts") == {"name": "Eve", "disabled": [True, False]}
    token = server.tokens.create("mary", ["Others"])
    mary = server.tokens.caller(token)
    with pytest.raises(NotAllowed):
        server.call("users.disable", {"id": mary.user}, mary)
    assert server.call("users.editInfo", {"id": mary.user, "name": "Mary"}, mary)["name"] == "Mary"
    server.call("users.disable", {"id": mary.user})
    with pytest.raises(ServerRefused, match="is disabled"):
        server.tokens.caller(token)
    server.call("users.disable", {"id": mary.user, "disable": False})
    assert server.tokens.caller(token).user == mary.user


def test_files_are_added_to_a_task(sdk):
    """By bytes, and by the hash of bytes that are stored; they are team files in the folder of the task."""
    assert sdk("task_files", task=70) == {"paths": ["/task-files/70/b.txt", "/task-files/70/in/a.png"]}


def test_masks_have_an_area(sdk):
    """A figure of a bitmap has the area and the box that the SDK computes."""
    assert sdk("mask_areas") == {"area": True, "bbox": [5, 7, 34, 36]}
