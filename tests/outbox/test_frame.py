"""Lines of a journal: whatever happens to some of them, the others are read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.outbox import frame

pytestmark = pytest.mark.core

bodies = st.dictionaries(st.text(min_size=1), st.integers() | st.text() | st.none(), min_size=1).map(
    lambda value: json.dumps(value).encode()
)


@given(bodies)
def test_a_line_is_decoded_to_its_body(body):
    """Decoding returns what was encoded."""
    line = frame.encode(body)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert frame.decode(line[:-1]).body == body


@given(bodies, bodies, st.data())
def test_a_torn_line_damages_no_other(first, second, data):
    """A record cut short anywhere does not damage the one written right after it."""
    torn = frame.encode(first)[:-1]
    torn = torn[: data.draw(st.integers(0, len(torn) - 1))]
    assert frame.decode(torn + frame.encode(second)[:-1]).body == second


@given(bodies, st.data())
def test_a_flipped_bit_is_detected(body, data):
    """A damaged line is never taken for a whole one."""
    line = bytearray(frame.encode(body)[:-1])
    position = data.draw(st.integers(0, len(line) - 1))
    line[position] ^= 1 << data.draw(st.integers(0, 7))
    assert frame.decode(bytes(line)).body is None


@given(st.binary().filter(lambda raw: b"\n" not in raw))
def test_any_bytes_are_read_without_an_error(raw):
    """Noise decodes to a damaged line, not an exception."""
    assert frame.decode(raw).raw == raw
