"""Doubts about versions that a run read: the project was changed before the function that read it had ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_PREFIX = "changed."  # of the name of a fact


def doubt(version: int) -> dict[str, Any]:
    """Return the fact that a version's project was changed meanwhile."""
    return {f"{_PREFIX}{version}": True}


def doubts(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each version that a run may not have read as it was saved."""
    for name in facts:
        if name.startswith(_PREFIX) and name.removeprefix(_PREFIX).isdecimal():
            yield f"version:{name.removeprefix(_PREFIX)} was changed while it was read: other data may have been used"
