"""What apps call most of the SDK's api modules, each walked through from end to end."""

from __future__ import annotations

import pytest

WALKS = (
    "picking",
    "copying",
    "bytes_of_images",
    "labels",
    "classes",
    "containers",
    "people_and_tasks",
    "team_files",
)


@pytest.mark.parametrize("name", WALKS)
def test_a_walk_comes_out_as_it_should(sdk, name):
    """Every step of a walk through the SDK is answered as an instance would answer it."""
    assert sdk("walk", task=4321, name=name) == []
