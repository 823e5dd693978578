"""Method that counts the labels of each class in two states of a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from autoflow.wire import methods
from autoflow.wire.contract.data_pages import UseCounts
from autoflow.wire.contract.method import Count, Id, Method


@dataclass(frozen=True, kw_only=True)
class ClassCountsRequest:
    """Count labels and items of each class in two states of a project, a batch of items at a time.

    Args:
        from_: number of the earlier version.
        to: number of the later version; the current state of the project without it.
        after: `after` of the previous batch.
    """

    from_: Id
    to: Id | None = None
    after: Count = 0


class ClassCounts(TypedDict):
    """Uses of a class by a batch of items.

    Args:
        id: number of the class.
        title: its name in the later state, or in the earlier if it was removed.
        before: uses in the earlier state; null if it has no such class.
        after: uses in the later state; null if it has no such class.
    """

    id: Id
    title: str
    color: str
    before: UseCounts | None
    after: UseCounts | None


class ClassCountsResponse(TypedDict):
    """Counts of a batch; those of all batches add up to those of both states.

    Args:
        items: number of labeled items in the batch.
        classes: every class of the two states, in the order of the later one.
        after: position for the next batch; null after the last.
    """

    items: Count
    classes: list[ClassCounts]
    after: Count | None


CLASS_COUNTS = Method(methods.CLASS_COUNTS, ClassCountsRequest, ClassCountsResponse, (404,))
