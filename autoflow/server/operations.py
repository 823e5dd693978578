"""The kinds of functions that implement methods of the wire, and the context that some of them run in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection

from autoflow.server.blobs import BlobStore, Content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db.engine import CallerStore, Store
from autoflow.server.db.upload_leases import UploadLeases
from autoflow.server.request_parser import RequestParser
from autoflow.wire.parts import Part


class OperationContext(NamedTuple):
    """The dependencies of an operation that opens its own transactions, each with its caller's rights."""

    store: Store | CallerStore
    blobs: BlobStore
    upload_leases: UploadLeases


Batch = Callable[[OperationContext, RequestParser], Any]
Operation = Callable[[Connection, RequestParser], Any]
Upload = Callable[[OperationContext, Iterable[Part], Mapping[str, Any]], Any]
Download = Callable[[OperationContext, RequestParser], "Content | CompositeContent"]
