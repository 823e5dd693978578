"""Uses of classes by two states of a project, added up over batches of items."""

from __future__ import annotations

from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.contract.class_counts import CLASS_COUNTS, ClassCounts, ClassCountsRequest
from autoflow.wire.contract.data_pages import UseCounts


def class_counts(transport: Transport, from_id: int, to_id: int | None = None) -> list[ClassCounts]:
    """Return every class of two states of a project, with its uses before and after."""
    totals: dict[int, ClassCounts] = {}
    after: int | None = 0
    while after is not None:
        response = call(transport, CLASS_COUNTS, ClassCountsRequest(from_=from_id, to=to_id, after=after))
        for counted in response["classes"]:
            total = totals.get(counted["id"], counted)
            if total is not counted:
                counted["before"] = _sum(total["before"], counted["before"])
                counted["after"] = _sum(total["after"], counted["after"])
            totals[counted["id"]] = counted
        after = response["after"]
    return list(totals.values())


def _sum(first: UseCounts | None, second: UseCounts | None) -> UseCounts | None:
    """Return the sum of the uses by two batches; a class that a state lacks has none in either."""
    if first is None or second is None:
        return first or second
    return {"objects": first["objects"] + second["objects"], "images": first["images"] + second["images"]}
