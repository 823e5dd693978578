"""Entity references."""

from __future__ import annotations

import pytest

from autoflow.model.entity import EntityRef

pytestmark = pytest.mark.core


def test_a_model_weight_and_its_file_share_a_card():
    """However a file is used, it has one key."""
    assert EntityRef("", "model_weight", 9).key == EntityRef("", "file", 9).key == "file:9"


def test_entities_of_another_server_are_other_cards():
    """The same id of another server is another entity."""
    assert EntityRef("https://a.b", "project", 7).key == "project:7@https://a.b"
