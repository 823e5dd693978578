"""Collections of images by the SDK, and what they are to other teams and after a change."""

from __future__ import annotations

import pytest

from autoflow.errors import ServerRefused


def test_a_collection_is_made_filled_read_changed_and_removed(sdk):
    """By ids and by scored items; the images are listed by it, and stay when it goes."""
    made = sdk("fill", count=5)
    images = made["images"]
    done = sdk("collections", project=made["project"], images=images)
    assert done == {
        "items": images[1:4],
        "info": ["train", "default", made["project"], "val"],
        "listed": ["val"],
        "left": [],
    }


def test_a_collection_is_of_its_project_and_team(server):
    """A name once a project, images of that project alone, and nothing for another team."""
    project = server.call("projects.add", {"workspaceId": 1, "name": "p"})["id"]
    body = {"projectId": project, "name": "c"}
    number = server.call("entities-collections.add", body)["id"]
    stranger = server.tokens.caller(server.tokens.create("eve", ["Others"]))
    for method, fields, status, caller in (
        ("entities-collections.add", body, 409, None),
        ("entities-collections.items.bulk.add", {"collectionId": number, "entityIds": [99]}, 404, None),
        ("entities-collections.info", {"id": number}, 404, stranger),
        ("entities-collections.remove", {"id": number}, 404, stranger),
        ("entities-collections.items.bulk.remove", {"collectionId": number, "entityIds": [1]}, 404, stranger),
        ("entities-collections.list", {"projectId": project}, 404, stranger),
    ):
        with pytest.raises(ServerRefused) as refusal:
            server.call(method, fields, *([caller] if caller else []))
        assert refusal.value.status == status, method
