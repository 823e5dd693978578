"""The ways the data objects ask a server: one thing that may not be there, and lists a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from autoflow.errors import ServerRefused
from autoflow.transport.base import Transport

T = TypeVar("T")
Filters = Sequence[Mapping[str, Any]]


def where(field: str, value: Any, operator: str = "=") -> dict[str, Any]:
    """One condition of a list's filter."""
    return {"field": field, "operator": operator, "value": value}


def maybe(
    transport: Transport, method: str, body: Mapping[str, Any], read: Callable[[Mapping[str, Any]], T]
) -> T | None:
    """Ask for one thing; None when the server does not have it (404).

    Raises:
        ServerError: any other failure.
    """
    try:
        told = transport.call(method, body)
    except ServerRefused as refusal:
        if refusal.status != 404 or refusal.foreign:
            raise
        return None
    return None if told is None else read(told)


def pages(transport: Transport, method: str, body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """All entries of a list, asked for a page at a time as they are needed."""
    sent = {"sort": "id", "sort_order": "asc", **body}
    answer = transport.call(method, sent)
    yield from answer["entities"]
    for number in range(2, answer["pagesCount"] + 1):
        yield from transport.call(method, {**sent, "page": number, "per_page": answer["perPage"]})["entities"]


def batches(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Parts of a sequence, in order, none longer than `size`."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def free_name(name: str, taken: Callable[[str], bool]) -> str:
    """The name, or the first of ``name_001``, ``name_002`` … that is not taken, as the SDK names them."""
    number = 0
    found = name
    while taken(found):
        number += 1
        found = f"{name}_{number:03d}"
    return found
