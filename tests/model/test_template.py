"""Templates of card texts, and the texts they come to."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autoflow.model import text as texts
from autoflow.model.template import MAX_TEXT_LENGTH, FirstKnown, parse
from autoflow.model.text import PendingField, Text

pytestmark = pytest.mark.core

WORDS = st.text(st.characters(exclude_characters="{}", exclude_categories=["Cs"]), max_size=8)
FIELDS = st.sampled_from(["{a}", "{b}", "{a!r}", "{a!s}", "{b!a}", "{a:>8}", "{b:_^6}", "{{", "}}", "{c}"])
SOURCES = st.lists(st.one_of(WORDS, FIELDS), max_size=6).map("".join)
VALUES = st.one_of(st.integers(), st.text(max_size=20), st.booleans(), st.floats(allow_nan=False))
KNOWN = st.fixed_dictionaries({"a": VALUES, "b": VALUES, "c": VALUES})


def render(template, known):
    """Fill a template from a mapping alone."""
    filled = template.fill(lambda path: known.get(path.root))
    return None if filled is None else filled.complete(lambda name: None)


@given(SOURCES, KNOWN)
def test_a_template_renders_as_str_format_does(source, known):
    """The text is the one that `str.format` returns."""
    assert render(parse(source), known) == source.format(**known)


@given(SOURCES, KNOWN)
def test_a_text_completed_later_is_the_same_text(source, known):
    """A field left for the sender is formatted as if it had been known at once, through JSON and back."""
    template = parse(source)
    filled = template.fill(lambda path: PendingField(path.root))
    assert filled is not None
    back = texts.from_json(filled.to_json())
    assert back.complete(known.get) == source.format(**known)


@given(st.text(max_size=30))
def test_any_text_is_a_template_or_a_value_error(source):
    """`parse` raises only ValueError, and accepts only what `str.format` accepts."""
    try:
        template = parse(source)
    except ValueError:
        return
    if template.constant is not None:
        assert template.constant == source.format()


@given(SOURCES)
def test_a_template_without_fields_is_constant(source):
    """`constant` is the text exactly if there is no placeholder."""
    template = parse(source)
    assert (template.constant is None) == bool(list(template.fields()))


def test_a_field_that_is_none_leaves_the_text_out():
    """A text with a missing value is None."""
    assert render(parse("Export of {a}"), {"a": None}) is None


def test_the_first_known_alternative_is_used():
    """`FirstKnown` skips templates with unknown values."""
    template = parse(FirstKnown(("/apps/{app_id}/{task_id}", "/apps/{task_id}", "/apps")))
    assert render(template, {"app_id": 1, "task_id": 2}) == "/apps/1/2"
    assert render(template, {"task_id": 2}) == "/apps/2"
    assert render(template, {}) == "/apps"


@pytest.mark.parametrize("source", ["{", "}", "{}", "{a", "a}", "{0}", "{a:{b}}", "{a!x", "{a..b}", "{ }", "{a b}"])
def test_a_malformed_template_is_refused(source):
    """Unmatched braces, unnamed and nested fields are errors of `parse`."""
    with pytest.raises(ValueError, match=r"\S"):
        parse(source)


@pytest.mark.parametrize("source", ["{a!x}", "{a!}"])
def test_an_unknown_conversion_is_refused_by_parse(source):
    """`str.format` would refuse it at every call."""
    with pytest.raises(ValueError, match=r"\S"):
        parse(source)


def test_doubled_braces_are_braces():
    """As in `str.format`."""
    assert parse("{{a}}").constant == "{a}"


def test_a_placeholder_is_a_path():
    """All of its steps are followed."""
    template = parse("{result[0].name!r:>6}")
    (field,) = template.fields()
    assert (str(field.path), field.conversion, field.spec) == ("result[0].name", "r", ">6")


def test_a_long_value_is_cut():
    """A text is never longer than a card can show."""
    assert len(render(parse("{a}"), {"a": "x" * (50 << 20)}) or "") == MAX_TEXT_LENGTH


@given(st.text(max_size=10), st.text(max_size=10))
def test_alternatives_after_a_complete_one_are_not_written(first, second):
    """They can never be used."""
    assume(first != second)
    assert Text(((first,), (second,))).to_json() == first


def test_a_format_that_does_not_fit_the_looked_up_value_counts_as_unknown():
    """The sender gets values of any type; the next alternative is used."""
    text = Text(((PendingField("value.name", "", "d"),), ("plain",)))
    assert text.complete(lambda name: "words") == "plain"
