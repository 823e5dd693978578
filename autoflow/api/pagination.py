"""Requests that several data objects share: an entity that may not exist, and lists page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from autoflow.errors import ServerRefused
from autoflow.transport.base import Transport

T = TypeVar("T")
Filters = Sequence[Mapping[str, Any]]


def where(field: str, value: Any, operator: str = "=") -> dict[str, Any]:
    """Return one condition of a list's filter."""
    return {"field": field, "operator": operator, "value": value}


def get_or_none(
    transport: Transport, method: str, payload: Mapping[str, Any], parse: Callable[[Mapping[str, Any]], T]
) -> T | None:
    """Request one entity; return None if the server does not have it (404).

    Raises:
        ServerError: any other failure.
    """
    try:
        response = transport.call(method, payload)
    except ServerRefused as refusal:
        if refusal.status != 404 or refusal.foreign:
            raise
        return None
    return None if response is None else parse(response)


def list_pages(transport: Transport, method: str, payload: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Return all entries of a list; further pages are requested as they are needed."""
    payload = {"sort": "id", "sort_order": "asc", **payload}
    first_page = transport.call(method, payload)
    yield from first_page["entities"]
    for number in range(2, first_page["pagesCount"] + 1):
        page = transport.call(method, {**payload, "page": number, "per_page": first_page["perPage"]})
        yield from page["entities"]


def batches(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Split a sequence into consecutive parts of at most `size` values."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def unused_name(name: str, is_taken: Callable[[str], bool]) -> str:
    """Return the name, or the first of ``name_001``, ``name_002`` … that is not taken, as the SDK does."""
    number = 0
    candidate = name
    while is_taken(candidate):
        number += 1
        candidate = f"{name}_{number:03d}"
    return candidate
