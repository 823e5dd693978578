"""The SDK's methods that remove something take away what their names say, and nothing else."""

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


def test_an_archived_project_is_kept(sdk, made):
    """Archiving stores where the backup is and changes nothing else; without a url it is refused, not a removal."""
    assert sdk("archived", project=made["project"]) == {
        "backups": [
            {"url": "https://x.example/images.tar", "annotationsUrl": None},
            {"url": "https://x.example/a.tar", "annotationsUrl": "https://x.example/b.tar"},
        ],
        "kept": True,
        "refused": 400,
        "listed": [True],
    }


def test_projects_are_removed_in_the_two_steps_of_the_sdk(sdk, made):
    """First removed, then permanently; of several of which one is unknown, none is."""
    assert sdk("projects_removed", project=made["project"]) == {
        "permanently": [{"success": True}],
        "refused": 404,
        "left": [True],
    }


def test_files_are_removed_as_named(sdk):
    """A file, not the folder of its name; a folder, not its siblings; never all files of a team."""
    assert sdk("files_removed") == {
        "beside": ["/run/a.txt", "/run/b.txt", "/runs/c.txt"],
        "one": ["/run/b.txt", "/runs/c.txt"],
        "refused": [400, 400, 400],
        "left": ["/runs/c.txt"],
    }


def test_parts_of_a_project_are_removed_one_by_one(sdk, made):
    """An image, a figure, one tag, the values of a tag, a class, a dataset, which is then removed permanently."""
    arguments = {name: made[name] for name in ("project", "outer", "images")}
    assert sdk("parts_removed", **arguments) == {
        "permanently": [[{"success": True}], 404],  # the removed one, and one that never was
        "only those": True,
        "classes": ["lemon", "peel"],
        "objects": [],
        "datasets": 0,
    }
