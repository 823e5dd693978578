"""Transfers: versions copied from one server to another, as the rows that they consist of.

The source answers `TRANSFER_SOURCE`, `TRANSFER_ITEMS` and `TRANSFER_DOCUMENTS`; the other methods are the target's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

from autoflow.wire.contract.folders import Hashes
from autoflow.wire.contract.method import Constraint, Count, Id, Method, Name, Positive

MAX_ITEMS = 1000  # of one request

Key = Annotated[str, Constraint(not_blank=True, max_length=200)]


@dataclass(frozen=True, kw_only=True)
class VersionOrigin:
    """A version by the store that it is in, or was copied from.

    Args:
        store: random id of the store.
        project: number of the project in that store.
        version: number of the version in that store.
    """

    store: Key
    project: Id
    version: Id


class CopiedVersion(TypedDict):
    """The version in another store that one was copied from.

    Args:
        store: random id of that store.
        project: number of the project there.
        version: number of the version there.
        author: login of the user who saved it.
        copiedAt: time in ISO 8601.
    """

    store: str
    project: Id
    version: Id
    author: str
    copiedAt: str


@dataclass(frozen=True, kw_only=True)
class TransferProject:
    """A project whose version is copied; JSON documents are texts, as they are stored.

    Args:
        type: project type of Supervisely, such as images.
    """

    name: Name
    type: Name
    description: str = ""
    readme: str = ""
    settings: str = "{}"
    import_settings: str = "{}"
    custom_data: str = "{}"


@dataclass(frozen=True, kw_only=True)
class TransferVersion:
    """A version that is copied.

    Args:
        number: number of the version in its project.
        name: title.
        digest: digest of its content, which the copy must have, too.
        author: login of the user who saved it.
        created_at: time in ISO 8601.
        project_updated_at: time of the last change that it contains, in ISO 8601.
    """

    number: Positive
    digest: Key
    items_count: Count
    name: str | None = None
    description: str | None = None
    author: Key
    created_at: Key
    project_updated_at: Key


@dataclass(frozen=True, kw_only=True)
class TransferDataset:
    """A dataset of a version that is copied.

    Args:
        id: number of the dataset at the source.
        original: number by which digests identify the dataset.
        parent: `original` of the dataset that contains it.
        custom_data: JSON document, as it is stored.
    """

    id: Id | None = None
    original: Id
    parent: Id | None = None
    name: Name
    description: str = ""
    custom_data: str = "{}"
    created_at: Key
    updated_at: Key


@dataclass(frozen=True, kw_only=True)
class TransferItem:
    """An item of a version that is copied; JSON documents are texts, as they are stored.

    Args:
        dataset: `original` of its dataset.
        hash: base64 of the SHA-256 of its bytes.
        annotation: name of its annotation document.
        labels: number of its labels.
    """

    dataset: Id
    name: Name
    hash: Key | None = None
    link: str | None = None
    mime: Key | None = None
    size: Count | None = None
    width: Count | None = None
    height: Count | None = None
    meta: str = "{}"
    tags: str = "[]"
    annotation: Key | None = None
    labels: Count = 0
    description: str = ""
    created_at: Key
    updated_at: Key


@dataclass(frozen=True, kw_only=True)
class TransferSourceRequest:
    """Return a version as it is copied to another server, without its items.

    Args:
        id: number of the version.
    """

    id: Id


class TransferSourceResponse(TypedDict):
    """A version without its items; members are those of the requests that they are sent on in.

    Args:
        origins: the version in this store, then those that it was copied from, as `VersionOrigin`.
        version: `TransferVersion`.
        project: `TransferProject`.
        earlier: numbers of the earlier versions of its project, the latest first.
        meta: JSON document of classes and tags, as it is stored; null if there is none.
        datasets: `TransferDataset` each, parents before children.
    """

    origins: list[dict[str, Any]]
    version: dict[str, Any]
    project: dict[str, Any]
    earlier: list[Id]
    meta: str | None
    datasets: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class TransferItemsRequest:
    """Return a page of a version's items as they are copied to another server, ordered by their numbers.

    Args:
        id: number of the version.
        base: number of an earlier version of the project; only what has changed since is returned.
        after: `after` of the previous page.
    """

    id: Id
    base: Id | None = None
    after: Count = 0


@dataclass(frozen=True, kw_only=True)
class RemovedItem:
    """An item that a version does not have any more, by the dataset and the name that it had.

    Args:
        dataset: `original` of its dataset.
    """

    dataset: Id
    name: Name


class TransferItemsResponse(TypedDict):
    """A page of items.

    Args:
        items: `TransferItem` each, with its `id`.
        removed: `RemovedItem` each.
        upto: number of the last item of the page.
        after: position for the next page; null after the last.
    """

    items: list[dict[str, Any]]
    removed: list[dict[str, Any]]
    upto: Count
    after: Count | None


@dataclass(frozen=True, kw_only=True)
class TransferDocumentsRequest:
    """Return annotation documents of a version, as they are stored.

    Args:
        id: number of the version.
        hashes: names of documents.
    """

    id: Id
    hashes: Hashes


class TransferDocumentsResponse(TypedDict):
    """Annotation documents.

    Args:
        documents: canonical JSON by name; documents that the version does not have are absent.
    """

    documents: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class TransferBeginRequest:
    """Begin to copy a version to this server, or continue where an interrupted transfer of it ended.

    Args:
        origins: the version in the store that it comes from, then those that it was copied from.
        version: the version.
        project: its project.
        earlier: numbers of earlier versions of the project at the source, the latest first; if the copy of one is the
            last version of a project that has not changed since, this version becomes the next of that project.
        workspace_id: workspace of a new project; by default the first one of the caller's first team.
        name: name of a new project; by default that of the source.
    """

    origins: Annotated[list[VersionOrigin], Constraint(max_length=100)]
    version: TransferVersion
    project: TransferProject
    earlier: list[Id] = field(default_factory=list)
    workspace_id: Id | None = None
    name: Name | None = None


class TransferState(TypedDict):
    """The state of a transfer.

    Args:
        done: whether this server has the version.
        id: number of the transfer; null if the version was here before.
        base: number of the earlier version at the source whose copy this one continues; null for a new project.
        after: position of the source's items up to which they are here; null before datasets are.
        project: number of the project; null until the transfer is done.
        version: number of the version; null until the transfer is done.
        number: number of the version in its project.
        name: name of the project.
    """

    done: bool
    id: Id | None
    base: Id | None
    after: Count | None
    project: Id | None
    version: Id | None
    number: Positive
    name: str


@dataclass(frozen=True, kw_only=True)
class TransferNeedsRequest:
    """Return which contents this server lacks; the others are kept for a day, so that they can be referenced.

    Args:
        blobs: base64 of the SHA-256 of files.
        documents: names of annotation documents.
    """

    blobs: Hashes = field(default_factory=list)
    documents: Hashes = field(default_factory=list)


class TransferNeedsResponse(TypedDict):
    """Contents to be sent.

    Args:
        blobs: hashes of the files that this server lacks.
        documents: names of the annotation documents that it lacks.
    """

    blobs: list[str]
    documents: list[str]


@dataclass(frozen=True, kw_only=True)
class TransferDatasetsRequest:
    """Add the datasets, classes and tags of a version that is copied to this server.

    Args:
        id: number of the transfer.
        datasets: all datasets of the version, parents before children.
        meta: JSON document of classes and tags.
    """

    id: Id
    datasets: Annotated[list[TransferDataset], Constraint(max_length=5000)]
    meta: str | None = None


@dataclass(frozen=True, kw_only=True)
class TransferPutRequest:
    """Add items to a version that is copied to this server; a repeated request changes nothing.

    Args:
        id: number of the transfer.
        after: position of the source's items that the previous request ended at.
        upto: position that this one ends at.
        items: the items between.
        removed: items that the earlier version had, if the transfer continues one.
        documents: annotation documents that this server lacked, as canonical JSON.
    """

    id: Id
    after: Count
    upto: Count
    items: Annotated[list[TransferItem], Constraint(max_length=MAX_ITEMS)]
    removed: Annotated[list[RemovedItem], Constraint(max_length=MAX_ITEMS)] = field(default_factory=list)
    documents: Annotated[list[str], Constraint(max_length=MAX_ITEMS)] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class TransferFinishRequest:
    """Publish a version whose items are all here, if its digest is that of the source; else nothing of it is left.

    Args:
        id: number of the transfer.
    """

    id: Id


TRANSFER_SOURCE = Method("autoflow.transfers.source", TransferSourceRequest, TransferSourceResponse, (404,))
TRANSFER_ITEMS = Method("autoflow.transfers.items", TransferItemsRequest, TransferItemsResponse, (404,))
TRANSFER_DOCUMENTS = Method("autoflow.transfers.documents", TransferDocumentsRequest, TransferDocumentsResponse, (404,))
TRANSFER_BEGIN = Method("autoflow.transfers.begin", TransferBeginRequest, TransferState, (404,))
TRANSFER_NEEDS = Method("autoflow.transfers.needs", TransferNeedsRequest, TransferNeedsResponse)
TRANSFER_DATASETS = Method("autoflow.transfers.datasets", TransferDatasetsRequest, TransferState, (404, 409))
TRANSFER_PUT = Method("autoflow.transfers.put", TransferPutRequest, TransferState, (404, 409))
TRANSFER_FINISH = Method("autoflow.transfers.finish", TransferFinishRequest, TransferState, (404, 409))
