"""Projects, datasets, images and annotations by the unmodified SDK."""

from __future__ import annotations

import pytest


@pytest.fixture
def made(sdk):
    """A small project."""
    return sdk("fill", count=8)


def test_what_is_made_is_read_back_equal(sdk):
    """Nested datasets, 50 images, rectangles, polygons with holes, alpha masks and tags come back as they were sent."""
    made = sdk("fill")
    assert len(made["images"]) == 50
    assert sdk("compare", project=made["project"]) == []


def test_images_come_in_every_way(sdk, made):
    """Images by bytes, path, hash and link, in the order asked for; a taken name is skipped, renamed or replaced."""
    response = sdk("image_ways", dataset=made["inner"], link="https://x.example/far.png")
    assert response.pop("renamed").startswith("a_")
    assert response.pop("url").startswith(f"{sdk.url}/storage/images/")
    assert response == {
        "same": True,
        "names": ["d.png", "c.png"],
        "hashes": [True, True],
        "linked": ["https://x.example/far.png", None],
        "skipped": ["a.png", "e.png"],
        "replaced": ["b.png", True, True],
        "edited": ["first.png", {"k": [1, 2]}],
        "meta": {"camera": 7},
        "gone": None,
        "known": True,
        "by hash": [True],
    }


def test_lists_are_filtered_sorted_and_paged(sdk, made):
    """Filters, orders, token pages and look-ups by number and name answer as the SDK wants it."""
    response = sdk("lists", project=made["project"], dataset=made["outer"], images=made["images"][:4])
    assert response == {
        "filtered": ["im03.png"],
        "descending": True,
        "pages": [2, 2],
        "by ids": True,
        "nothing": [None, None, None],
        "silent": True,
        "twin": "lemons_001",
        "refused": 409,
        "named": [made["project"], made["outer"]],
        "team": ["Team", "Workspace", "admin"],
        "tree": [[[], "outer"], [["outer"], "inner"]],
        "custom": {},
        "hashable": 2,
    }


def test_labels_change_one_by_one(sdk, made):
    """Figures are added, tagged, read in order and removed one by one, masks with their geometry apart."""
    response = sdk("labels_one_by_one", project=made["project"], dataset=made["outer"], images=made["images"][:4])
    left = response.pop("left")
    assert response.pop("box") == [3, 3, 6, 6]
    assert left == 2
    assert response == {
        "added": 2,
        "both": True,
        "mask": True,
        "tagged": ["blurry"],
        "by ids": True,
        "listed mask": [None],
        "copied": True,
    }


def test_labeling_jobs_are_made_and_read(sdk, made):
    """Jobs are made for users of the team, filtered in lists, and read with their images."""
    response = sdk("labeling_jobs", dataset=made["outer"], images=made["images"][:4])
    del response["ids"]
    assert response == {
        "whole": ["Label lemons", 4, ["lemon"], ["blurry"], "pending"],
        "part": [2, made["images"][:2], ["split"], 1],
        "listed": True,
        "finished": ["Part"],
        "left": ["Part"],
        "all": 2,
        "none": None,
    }


def test_images_are_added_by_ranges_of_a_file(sdk):
    """They stay readable without the file's path, are downloaded with the file, and added again from that download."""
    assert sdk("file_ranges") == {
        "names": ["a.png", "b.png", "c.png"],
        "fields": [True, 48, "image/png", {}],
        "whole": True,
        "pixels": True,
        "again": [["a.png", True], ["b.png", True], ["c.png", True]],
        "meta": {"k": 1},
        "refused": [400, 400, 400],  # beyond the end, empty, no image
        "left": 3,
    }
