"""Connectors by url scheme, from the entry points of the group ``autoflow.destinations``.

Servers, which http, ``embedded`` and ``memory`` stand for, are built in: for them no metadata of packages is read.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import cast

from autoflow.outbox.destinations.base import Connector

GROUP = "autoflow.destinations"
BUILT_IN = frozenset({"http", "https"})

# called with the address and a function that returns the current token
ConnectorFactory = Callable[[str, Callable[[], "str | None"]], Connector]


def scheme_of(address: str) -> str:
    """Return the scheme of an address such as ``jsonl:///var/lineage``; empty when there is none."""
    scheme, separator, _ = address.strip().partition("://")
    return scheme.lower() if separator else ""


@functools.lru_cache(maxsize=32)
def find(scheme: str) -> ConnectorFactory | None:
    """Return the connector registered for a scheme; None for built-in and unknown ones.

    Raises:
        Exception: the package that registers it fails when it is imported.
    """
    if not scheme or scheme in BUILT_IN:
        return None
    from importlib.metadata import entry_points

    registered = [entry for entry in entry_points(group=GROUP) if entry.name.lower() == scheme]
    return cast(ConnectorFactory, registered[0].load()) if registered else None
