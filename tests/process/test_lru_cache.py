"""The bounded cache."""

from __future__ import annotations

import pytest

from autoflow.process.lru_cache import LruCache

pytestmark = pytest.mark.core


def by_value(capacity: int) -> LruCache[int, int]:
    """A cache of numbers, each of which weighs itself."""
    return LruCache(capacity, lambda number: number)


def test_a_value_is_created_once():
    """A second look-up returns the stored value."""
    cache: LruCache[int, int] = by_value(100)
    created: list[int] = []
    for number in (3, 3, 4):
        assert cache.get_or_create(number, lambda key: created.append(key) or 2 * key) == 2 * number
    assert created == [3, 4]


def test_the_least_recently_used_entry_is_discarded():
    """Reading and overwriting an entry count as use."""
    cache: LruCache[str, str] = LruCache(3)
    for name in "abc":
        cache.put(name, name)
    cache.get("a")
    cache.put("b", "B")
    cache.put("d", "d")
    assert [cache.get(name) for name in "abcd"] == ["a", "B", None, "d"]
    assert len(cache) == 3


def test_the_total_weight_stays_within_the_capacity():
    """Light entries make room for later ones."""
    cache = by_value(40)
    for number in range(1, 11):
        cache.put(number, number)
    assert cache.get(10) == 10
    assert cache.get(1) is None


def test_an_entry_above_a_quarter_of_the_capacity_is_not_stored():
    """One value does not evict all others."""
    cache = by_value(10)
    cache.put(2, 2)
    cache.put(3, 3)
    assert (cache.get(2), cache.get(3)) == (2, None)
