"""JSON within bounds: what is read is as the standard library reads it, and its memory is known before."""

from __future__ import annotations

import json
import threading
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoflow.errors import ServerBusy, ServerRefused
from autoflow.server import bounded_json
from autoflow.server.budget import Budget

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_json_is_read_as_the_standard_library_reads_it(value):
    """Whatever is written as JSON comes back."""
    for options in ({}, {"ensure_ascii": False}, {"indent": 1}):
        assert bounded_json.parse(json.dumps(value, **options).encode("utf-8", "surrogatepass")) == value


@pytest.mark.parametrize("level", [b"[%b]", b'{"a":%b}', b'[{"":"]}[\\"{",  "a": [%b ]}]'])
def test_nesting_has_a_limit(level):
    """What is nested deeper than allowed is 400, up to the largest body; brackets in texts do not count."""
    levels = bounded_json.MAX_DEPTH // (1 if level.count(b"{") + level.count(b"[") == 1 else 5)
    text = b"1"
    for _ in range(levels):
        text = level % text
    assert bounded_json.parse(text)
    for _ in range(bounded_json.MAX_DEPTH):
        text = level % text
    with pytest.raises(ServerRefused, match="deep"):
        bounded_json.parse(text)
    assert bounded_json.parse(json.dumps(["[{" * 100_000]).encode())


@pytest.mark.parametrize(
    "text", [b"[" * 8_000_000, b'{"a":' * 1_000_000, b"[" * 4_000_000 + b"]" * 4_000_000, b'"[' * 99]
)
def test_what_is_no_json_is_refused_whatever_its_brackets(text):
    """Unclosed levels without end are refused at once."""
    with pytest.raises(ServerRefused) as refusal:
        bounded_json.parse(text)
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    "element",
    [
        "[]",
        "{}",
        "0",
        "1e5",
        "12345678",
        '"ab%d"',
        '{"k%d":1}',
        '{"a":[1.5,%d.25],"b":"text"}',
        "[[[%d.5]]]",
        "[1.5,%d.5]",
    ],
)
def test_the_memory_of_values_is_known_before_they_are_read(element):
    """The estimate is an upper bound, and of values that people send no wild one."""
    text = f"[{','.join(element % n if '%' in element else element for n in range(20_000))}]".encode()
    tracemalloc.start()
    value = bounded_json.parse(text)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert value
    assert peak <= bounded_json.memory_cost(text) * 1.1 + 100_000
    assert bounded_json.memory_cost(text) < 40 * peak


def test_a_body_of_too_many_values_is_413():
    """One that would take more than a client's share is not read."""
    with (
        pytest.raises(ServerRefused) as refusal,
        bounded_json.reserve_memory("a", bounded_json.memory_cost(b"[" + b"[]," * 5_000_000)),
    ):
        pass
    assert refusal.value.status == 413
    assert not bounded_json.MEMORY._held


def test_a_client_gets_its_share_and_leaves_others_theirs():
    """Beyond the share a client waits for itself; beyond the total all wait; what is given back is there again."""
    budget = Budget("memory", total=10, share=6)
    budget.take("a", 6)
    with pytest.raises(ServerBusy):
        budget.take("a", 1)
    budget.take("b", 4)
    with pytest.raises(ServerBusy):
        budget.take("c", 1)
    waiting = threading.Thread(target=lambda: budget.take("a", 3, wait=30))
    waiting.start()
    budget.give("a", 6)
    waiting.join(30)
    assert not waiting.is_alive()
    budget.give("a", 3)
    budget.give("b", 4)
    assert not budget._held
