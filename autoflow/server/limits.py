"""Limits on the size of requests.

They are checked before a transaction begins, or before the value is used. The SDK's requests are not larger: its
longest list has 20,000 paths of files to remove, then come 10,000 images of ranges of a file, then 1,000 figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autoflow.server.errors import Invalid

LIST_ENTRIES = 20_000  # entries of a list
CHANGED_ENTRIES = 5_000  # entries of a list of which each changes a row, while the write lock is held
FIGURES = 100_000  # of one image
ENTITIES = 1_000_000  # ids in a document, such as the images of a labeling job
CONDITIONS = 100  # of a filter: the database plans each
NAME = 2000  # bytes of what is indexed: an entry of a PostgreSQL index holds at most 2,704
TEXT = 1_000_000  # characters of any other text
QUERY = 1000  # characters that are searched for
DATASET_DEPTH = 100  # datasets in one another
JSON_DEPTH = 100  # objects and lists in one another, in a document that is stored
WEBHOOKS = 100  # of a team
WEBHOOK_EVENTS = 10_000  # that wait for a webhook
WEBHOOK_PAYLOAD = 100_000  # bytes of an event that a user adds
COMMENT = 10_000  # characters of a comment on an issue
OF_ISSUE = 1_000  # comments of an issue, and its sub-issues: they are sent with it
COORDINATE = 1e9  # pixels, of what is measured

# Members of a body with a limit of their own.
_LISTS: Mapping[str, int] = {"filter": CONDITIONS, "filters": CONDITIONS}
_CHANGED: Mapping[str, int] = {"images": 10_000}
_CHEAP = frozenset({"paths", "items", "records", "keys", "hashes"})  # of which a request may change `LIST_ENTRIES`


def check_size(name: str, value: Sequence[Any], most: int | None = None) -> None:
    """Check that a list is not too long.

    Raises:
        Invalid: it is too long; the message has its name and the limit.
    """
    limit = _LISTS.get(name.rpartition(".")[2], LIST_ENTRIES) if most is None else most
    if len(value) > limit:
        raise Invalid(
            f'"{name}" has {len(value)} entries; {limit} are the most of one request: send it in parts',
            {"field": name, "limit": limit},
        )


def check_body(fields: Mapping[str, Any], *, writes: bool = False) -> None:
    """Check that the lists of a request, including those in its filters, are not too long.

    Args:
        fields: the body.
        writes: whether the method changes a row for each entry.

    Raises:
        Invalid: a list is too long.
    """
    for name, value in fields.items():
        if isinstance(value, (list, tuple)):
            check_size(name, value, _CHANGED.get(name, CHANGED_ENTRIES) if writes and name not in _CHEAP else None)
            if name in _LISTS:
                values = [part.get("value") for part in value if isinstance(part, Mapping)]
                lists = [operand for operand in values if isinstance(operand, (list, tuple))]
                check_size(f"{name}[].value", [entry for operand in lists for entry in operand])


def is_deeper(value: Any, depth: int = JSON_DEPTH) -> bool:
    """Return whether objects and lists are nested deeper than `depth`."""
    level = [value]
    for _ in range(depth + 1):
        level = [
            part
            for container in level
            if isinstance(container, (dict, list, tuple))
            for part in (container.values() if isinstance(container, dict) else container)
            if isinstance(part, (dict, list, tuple))
        ]
        if not level:
            return False
    return True
