"""The interface of a type of projects.

Items of every type are rows of one table with one history: a name in a dataset, bytes by hash or a link, a meta, tags,
an annotation document and a description (`db.item_content`). Versions are created, restored, verified and collected by
these alone, whatever the type. A `ProjectType` says what the bytes and the document mean.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, ClassVar, NamedTuple

from sqlalchemy import RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server.errors import Invalid
from autoflow.server.media.decoder import Undecodable
from autoflow.server.media.thumbnails import ThumbnailSpec
from autoflow.server.project_types.meta import Meta
from autoflow.server.request_parser import RequestParser
from autoflow.wire.contract.labels import TagValue

Document = JsonObject  # an annotation as it is stored, plain JSON


class StoredAnnotation(NamedTuple):
    """An annotation as it is stored.

    Args:
        document: the document, None for an empty annotation.
        labels: the number of its labels.
        tags: the tags of the item, ``{"tagId", "value"}`` each.
    """

    document: Document | None
    labels: int
    tags: list[TagValue]


class ProjectType(abc.ABC):
    """A type of projects. By default its items have neither annotations nor previews.

    Attributes:
        name: the project's ``type`` on the wire.
        item: an item of it, in messages.
        columns: the columns of an item that this type sets beside ``mime``, of those that `read_info` may return.
    """

    name: ClassVar[str]
    item: ClassVar[str]
    columns: ClassVar[tuple[str, ...]] = ()

    @property
    def refusal(self) -> str:
        """The end of the message about a file that is not an item of this type."""
        article = "an" if self.item[0] in "aeiou" else "a"
        return f"is not {article} {self.item} that can be read"

    @abc.abstractmethod
    def read_info(self, file: BinaryIO | str) -> Mapping[str, Any] | None:
        """Read the columns of a file, which is open or at a path: ``mime``, and those of `columns`.

        Returns:
            None if the file is not an item of this type.
        """

    def store_annotation(self, sent: RequestParser, meta: Meta) -> StoredAnnotation:
        """Convert an annotation from the form of the wire.

        Raises:
            Invalid: this type has no such annotation, or the project no such class or tag.
        """
        raise Invalid(f'"{sent.path}": projects of type {self.name!r} have no annotations')

    def show_annotation(self, row: RowMapping, document: Document | None, meta: Meta) -> JsonObject:
        """Convert the annotation of an item to the form of the wire."""
        return {}

    def labels(self, document: Document) -> Sequence[JsonObject]:
        """Return the labels that versions are compared by, each with an ``id`` that is unique in the document."""
        return ()

    def preview(self, file: BinaryIO, spec: ThumbnailSpec) -> tuple[str, bytes]:
        """Return a picture of an item as its MIME type and bytes.

        Raises:
            Undecodable: there is none of this file.
            ServerBusy: no process is free to decode it.
        """
        raise Undecodable(f"projects of type {self.name!r} have no previews")
