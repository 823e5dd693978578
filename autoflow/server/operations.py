"""The kinds of functions that implement methods of the wire, and the context that some of them run in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection

from autoflow.server.blobs import BlobStore, Content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db.engine import CallerStore, Store
from autoflow.server.db.upload_leases import UploadLeases
from autoflow.server.request_parser import RequestParser
from autoflow.server.validation import validate
from autoflow.wire.contract.method import Method
from autoflow.wire.parts import Part


class OperationContext(NamedTuple):
    """The dependencies of an operation that opens its own transactions, each with its caller's rights."""

    store: Store | CallerStore
    blobs: BlobStore
    upload_leases: UploadLeases


UploadQuery = Mapping[str, "str | int"]
Batch = Callable[[OperationContext, RequestParser], Any]
Operation = Callable[[Connection, RequestParser], Any]
Upload = Callable[[OperationContext, Iterable[Part], UploadQuery], Any]
Download = Callable[[OperationContext, RequestParser], "Content | CompositeContent"]

Context = TypeVar("Context")
Request = TypeVar("Request")
Response = TypeVar("Response")
DownloadContent = TypeVar("DownloadContent", bound="Content | CompositeContent")


@dataclasses.dataclass(frozen=True)
class Implementation(Generic[Context, Request, Response]):
    """A function that implements a declared method; called with a request as it was sent, it validates it first."""

    method: Method[Request, Any]
    function: Callable[[Context, Request], Response]

    def __call__(self, context: Context, request: RequestParser) -> Response:
        """Run the function with the validated request."""
        return self.function(context, validate(self.method.request, request.fields))


def implements(
    method: Method[Request, Response],
) -> Callable[[Callable[[Context, Request], Response]], Implementation[Context, Request, Response]]:
    """Make a function of a context and a declared request, with the declared response, a method's implementation."""
    return lambda function: Implementation(method, function)


def implements_download(
    method: Method[Request, Any],
) -> Callable[
    [Callable[[OperationContext, Request], DownloadContent]],
    Implementation[OperationContext, Request, DownloadContent],
]:
    """Make a function that returns the content of a file the implementation of a method that answers with bytes."""
    return lambda function: Implementation(method, function)


def by_name(
    *implementations: Implementation[Context, Any, Any],
) -> dict[str, Callable[[Context, RequestParser], Any]]:
    """Return implementations by the names of their methods."""
    return {implementation.method.name: implementation for implementation in implementations}
