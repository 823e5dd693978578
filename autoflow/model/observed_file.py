"""Files that a run opened without declaring them, among the facts of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypedDict

OBSERVED = "observed."  # how the name of the fact of such a file begins; its absolute path follows


class ObservedFacts(TypedDict, total=False):
    """A file that a run opened.

    Args:
        read: the run read what was there before it.
        written: the run wrote it.
        size: bytes, at the end of the run.
        sha256: of what it held at the end of the run; absent if it is not what the run read or wrote.
    """

    read: bool
    written: bool
    size: int
    sha256: str


class ObservedCount(TypedDict):
    """The fact ``observed``: how many files the run opened, and whether there were more than are recorded."""

    files: int
    more: bool


class ObservedFile(NamedTuple):
    """A file that a run opened, and its path."""

    path: str
    read: bool
    written: bool
    sha256: str | None


def observed_files(facts: Mapping[str, Any]) -> Iterator[ObservedFile]:
    """Yield the files that a run opened without declaring them, in the order recorded."""
    for name, fact in facts.items():
        if name.startswith(OBSERVED) and isinstance(fact, Mapping):
            sha256 = fact.get("sha256")
            path = name.removeprefix(OBSERVED)
            yield ObservedFile(
                path, bool(fact.get("read")), bool(fact.get("written")), sha256 if isinstance(sha256, str) else None
            )
