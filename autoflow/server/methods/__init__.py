"""The methods of the wire, a module for each family: plain functions of a transaction and a request's body.

What only reads is in a module's ``READS``, what changes something in ``WRITES``, by the method's name on the wire.
``BATCHES`` take long bodies apart into several transactions; ``UPLOADS`` and ``DOWNLOADS`` move bytes. `dispatcher`
puts the tables together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection

from autoflow.server.blobs import Blobs, Content
from autoflow.server.blobs.composite_content import Composed
from autoflow.server.db.engine import Store, StoreOf
from autoflow.server.db.sessions import Sessions
from autoflow.server.request_parser import Body
from autoflow.wire.parts import Part


class Place(NamedTuple):
    """What an operation works on that opens its own transactions, which are its caller's."""

    store: Store | StoreOf
    blobs: Blobs
    sessions: Sessions


Batch = Callable[[Place, Body], Any]
Operation = Callable[[Connection, Body], Any]
Upload = Callable[[Place, Iterable[Part], Mapping[str, Any]], Any]
Download = Callable[[Place, Body], "Content | Composed"]
