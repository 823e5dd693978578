"""References as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.model.reference import Reference, parse, reference_types

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("project:7", Reference("project", 7)),
        ("project:7#3", Reference("project", 7, version=3)),
        ("version:12", Reference("version", 12)),
        ("project_version:12", Reference("version", 12)),
        ("model_weight:9", Reference("file", 9)),
        (" file:9 ", Reference("file", 9)),
        ("/models/best.pt", Reference("path", path="/models/best.pt")),
    ],
)
def test_forms_of_references(text, expected):
    """Type and number, a version by its number, a path by its slash."""
    assert parse(text) == expected


def test_a_number_alone_has_the_commands_default_kind():
    """Without a default it is refused."""
    assert parse("12", default_kind="version") == Reference("version", 12)
    with pytest.raises(ValueError, match="is not a reference"):
        parse("12")


def test_a_number_alone_is_never_cut_off():
    """Its first sixteen digits would name another entity."""
    with pytest.raises(ValueError, match="is not a reference"):
        parse("1234567890123456" + "7", default_kind="version")


@pytest.mark.parametrize(
    "text", ["", "models/best.pt", "house:7", "version:1#2", "task:-1", "task:x", "task:" + "9" * 17]
)
def test_malformed_references_are_refused(text):
    """The message lists the accepted forms."""
    with pytest.raises(ValueError, match=r"version:N.*project:N#M.*path with a /"):
        parse(text)


@given(st.sampled_from(sorted(reference_types())), st.integers(0, 10**15))
def test_a_reference_is_written_as_it_is_parsed(kind, number):
    """`str` and `parse` are inverse."""
    assert str(parse(f"{kind}:{number}")) == f"{kind}:{number}"
