"""Folders on disk as projects, and versions as folders (`datasets`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, TypedDict

from autoflow.model.json_object import JsonObject
from autoflow.wire import methods
from autoflow.wire.contract.method import Constraint, Count, Id, Method, Name

Hashes = Annotated[list[Name], Constraint(max_length=10_000)]


@dataclass(frozen=True, kw_only=True)
class FolderStateRequest:
    """Return the digest of a project's state.

    Args:
        project_id: number of the project.
    """

    project_id: Id


class FolderStateResponse(TypedDict):
    """A project's state.

    Args:
        digest: text that changes with every change of the project.
    """

    digest: str


@dataclass(frozen=True, kw_only=True)
class FolderItemsRequest:
    """Return a page of a project's images, each with a fingerprint of its state.

    Args:
        project_id: number of the project.
        after: `after` of the previous page.
    """

    project_id: Id
    after: Count | None = None


class FolderItemsResponse(TypedDict):
    """A page of a project's images.

    Args:
        items: number, number of the dataset, name and fingerprint of each image.
        after: position for the next page; null after the last.
    """

    items: list[tuple[Id, Id, str, str]]
    after: Count | None


@dataclass(frozen=True, kw_only=True)
class FolderShapeRequest:
    """Add or replace classes and tags of a project, and create the datasets it lacks.

    Args:
        project_id: number of the project.
        meta: classes and tags in Supervisely's format.
        datasets: path of each dataset, as the names that lead to it.
    """

    project_id: Id
    meta: JsonObject = field(default_factory=dict)
    datasets: list[Annotated[list[Name], Constraint(max_length=100)]]


class FolderDigests(TypedDict):
    """The digests of a project around a change.

    Args:
        before: digest of the project before the change.
        after: digest of the project after the change.
    """

    before: str
    after: str


class FolderShapeResponse(FolderDigests):
    """The datasets of the paths.

    Args:
        datasets: numbers of the datasets, in the order of the request.
    """

    datasets: list[Id]


@dataclass(frozen=True, kw_only=True)
class FolderUploadRequest:
    """Store files of any kind, the parts of a form, so that a project of type ``files`` can name them by hash."""


class UploadedFile(TypedDict):
    """A stored file.

    Args:
        hash: base64 of the SHA-256 of its bytes.
        size: number of its bytes.
    """

    hash: str
    size: Count


class FolderUploadResponse(TypedDict):
    """The stored files.

    Args:
        files: each file, in the order of the parts.
    """

    files: list[UploadedFile]


@dataclass(frozen=True, kw_only=True)
class FolderLookRequest:
    """Return the sizes of images by their hashes or, on the server's own machine, by their links.

    Args:
        hashes: base64 of the SHA-256 of each image.
        links: file:///path of each image.
    """

    hashes: Hashes = field(default_factory=list)
    links: list[str] = field(default_factory=list)


class FolderLookResponse(TypedDict):
    """Sizes of images.

    Args:
        sizes: width and height in pixels, by hash or link; unknown hashes and those of no image are absent.
    """

    sizes: dict[str, tuple[Count, Count]]


@dataclass(frozen=True, kw_only=True)
class FolderImage:
    """An image of a folder.

    Args:
        name: name in its dataset.
        hash: base64 of the SHA-256 of its bytes.
        link: file:///path of an image by reference; on the server's own machine only.
        annotation: annotation in Supervisely's format; without it the image keeps its own.
        meta: metadata; without it the image keeps its own.
    """

    name: Name
    hash: Name
    link: str | None = None
    annotation: JsonObject | None = None
    meta: JsonObject | None = None


@dataclass(frozen=True, kw_only=True)
class FolderPutRequest:
    """Create images of a dataset, or update those of the same names; all of them or none.

    Args:
        dataset_id: number of the dataset.
        images: images to create or update.
    """

    dataset_id: Id
    images: list[FolderImage]


class FolderPutResponse(FolderDigests):
    """The images that were created or updated.

    Args:
        images: number and fingerprint of each image, in the order of the request.
    """

    images: list[tuple[Id, str]]


@dataclass(frozen=True, kw_only=True)
class FolderRemoveRequest:
    """Remove images and datasets of a project; versions keep them.

    Args:
        project_id: number of the project.
        images: numbers of the images.
        datasets: numbers of the datasets.
    """

    project_id: Id
    images: list[Id]
    datasets: list[Id]


@dataclass(frozen=True, kw_only=True)
class FolderContentsRequest:
    """Download images of a version: of each a line with its hash and size, then its bytes.

    Args:
        id: number of the version.
        hashes: base64 of the SHA-256 of each image.
    """

    id: Id
    hashes: Hashes


@dataclass(frozen=True, kw_only=True)
class FolderPathsRequest:
    """Return the paths of a version's images in the server's storage; on the server's own machine only.

    Args:
        id: number of the version.
        hashes: base64 of the SHA-256 of each image.
    """

    id: Id
    hashes: Hashes


class FolderPathsResponse(TypedDict):
    """Paths of files.

    Args:
        paths: path by hash; hashes without a local file are absent.
    """

    paths: dict[str, str]


FOLDER_STATE = Method(methods.FOLDER_STATE, FolderStateRequest, FolderStateResponse, (404,))
FOLDER_ITEMS = Method(methods.FOLDER_ITEMS, FolderItemsRequest, FolderItemsResponse, (404,))
FOLDER_SHAPE = Method(methods.FOLDER_SHAPE, FolderShapeRequest, FolderShapeResponse, (404,))
FOLDER_UPLOAD = Method(methods.FOLDER_UPLOAD, FolderUploadRequest, FolderUploadResponse, files=True)
FOLDER_LOOK = Method(methods.FOLDER_LOOK, FolderLookRequest, FolderLookResponse)
FOLDER_PUT = Method(methods.FOLDER_PUT, FolderPutRequest, FolderPutResponse, (404,))
FOLDER_REMOVE = Method(methods.FOLDER_REMOVE, FolderRemoveRequest, FolderDigests, (404,))
FOLDER_CONTENTS = Method(methods.FOLDER_CONTENTS, FolderContentsRequest, bytes, (404, 410))
FOLDER_PATHS = Method(methods.FOLDER_PATHS, FolderPathsRequest, FolderPathsResponse, (404,))
