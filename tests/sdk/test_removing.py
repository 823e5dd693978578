"""What the SDK's removing methods take away: what their names say, and nothing else."""

from __future__ import annotations

import pytest


@pytest.fixture
def made(sdk):
    """A small project."""
    return sdk("fill", count=8)


def test_one_tag_of_an_object_is_removed(sdk, made):
    """By its own id, which every method that reads it returns; without an id, or with another's, nothing is."""
    assert sdk("object_tags", images=made["images"]) == {
        "same ids": True,
        "distinct": 4,
        "refused": [400, 404, 404],
        "whole": ["a", "b", "c", "d"],
        "left": ["a", "c", "d"],
        "others kept": True,
    }
