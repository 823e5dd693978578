"""What a run reads or writes."""

from __future__ import annotations

import pytest

from autoflow.model.entity import EntityRef

pytestmark = pytest.mark.core


def test_a_weight_and_its_file_are_one_card():
    """However a file is used, it is drawn once."""
    assert EntityRef("", "model_weight", 9).key == EntityRef("", "file", 9).key == "file:9"


def test_entities_of_another_server_are_other_cards():
    """The same number elsewhere is another thing."""
    assert EntityRef("https://a.b", "project", 7).key == "project:7@https://a.b"
