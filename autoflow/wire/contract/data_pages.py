"""Pages of the web interface, a method a page: a project, its versions, its images.

Lists come in parts: a response's `next` or `after` is the position of the following part, null after the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from autoflow.model.entity_types import Direction
from autoflow.model.json_object import JsonObject
from autoflow.wire.contract.labels import Label, LabelDefinitions, TagValue
from autoflow.wire.contract.method import Constraint, Count, Id, Method, Positive, Query
from autoflow.wire.contract.run_pages import NamedEntity, Users


@dataclass(frozen=True, kw_only=True)
class ProjectPageRequest:
    """Return a project's page: its facts, datasets, classes, tags, and the runs that used it.

    Args:
        id: number of the project.
    """

    id: Id


class LatestVersion(TypedDict):
    """The last version of a project.

    Args:
        version: number of the version in its project, from 1.
    """

    id: Id
    version: Positive


class ListedDataset(TypedDict):
    """A dataset as an entry of a list.

    Args:
        parentId: number of the dataset that contains it; null at the top.
        images: number of images directly in it.
        labels: number of their labels.
    """

    id: Id
    parentId: Id | None
    name: str
    description: str
    images: Count
    labels: Count


class ProjectUsers(Users):
    """The runs that read or wrote a project or a part of it.

    Args:
        total: number of all of them.
        exact: whether each is counted once; of a very large project, one that used several parts may count more often.
    """

    exact: bool


class ProjectPage(TypedDict):
    """A project's page.

    Args:
        type: project type of Supervisely, such as images.
        images: number of its images.
        size: bytes of its images.
        createdAt: time in ISO 8601.
        updatedAt: time in ISO 8601.
        createdBy: login of a user.
        version: its last version; null if it has none.
        previews: numbers of its first images, of those whose bytes are stored here.
        meta: its classes and tags.
    """

    id: Id
    name: str
    description: str
    readme: str
    type: str
    workspace: NamedEntity
    teamId: Id
    images: Count
    size: Count
    createdAt: str
    updatedAt: str
    createdBy: str | None
    version: LatestVersion | None
    previews: list[Id]
    datasets: list[ListedDataset]
    meta: LabelDefinitions
    users: ProjectUsers


@dataclass(frozen=True, kw_only=True)
class LabelCountsRequest:
    """Count how often a project's classes and tags are used, in a part of its images.

    Args:
        id: number of the project.
        after: `after` of the previous part.
    """

    id: Id
    after: Count | None = None


class UseCounts(TypedDict):
    """Numbers of uses of a class or a tag.

    Args:
        objects: number of labels.
        images: number of images.
    """

    objects: Count
    images: Count


class LabelCounts(TypedDict):
    """Counts of labels in a part of a project's images.

    Args:
        images: number of images counted.
        after: position of the next part; null after the last.
        classes: uses of classes, by the number of the class.
        tags: uses of tags, by the number of the tag.
    """

    images: Count
    after: Id | None
    classes: dict[str, UseCounts]
    tags: dict[str, UseCounts]


@dataclass(frozen=True, kw_only=True)
class VersionListRequest:
    """Return a project's versions, the latest first, each with the runs that used it.

    Args:
        id: number of the project.
        before: `next` of the previous part, the number of a version in its project.
        limit: most entries.
    """

    id: Id
    before: Positive | None = None
    limit: Positive | None = None


class VersionUser(TypedDict):
    """A run that made or used a version.

    Args:
        name: null if the run is not visible to the caller.
    """

    id: Id
    name: str | None
    direction: Direction


class VersionUsers(TypedDict):
    """The first runs that made or used a version.

    Args:
        total: number of all of them.
    """

    runs: list[VersionUser]
    total: Count


class ListedVersion(TypedDict):
    """A version as an entry of a list.

    Args:
        number: number of the version in its project, from 1.
        createdBy: login of a user.
        createdAt: time in ISO 8601.
        images: number of its images.
        size: bytes of its images.
    """

    id: Id
    number: Positive
    title: str | None
    description: str | None
    createdBy: str | None
    createdAt: str
    images: Count
    size: Count
    users: VersionUsers


class VersionedProject(TypedDict):
    """The project of a list of versions.

    Args:
        type: project type of Supervisely, such as images.
        images: number of its images.
        size: bytes of its images.
        updatedAt: time in ISO 8601.
    """

    id: Id
    name: str
    type: str
    images: Count
    size: Count
    updatedAt: str


class VersionList(TypedDict):
    """A part of a project's versions.

    Args:
        changed: whether the project has changed since its last version.
        next: number, in the project, of the last version listed; null at the end.
    """

    project: VersionedProject
    changed: bool
    versions: list[ListedVersion]
    next: Positive | None


@dataclass(frozen=True, kw_only=True)
class ImageListRequest:
    """Return images of a project or dataset, with the shapes of their labels.

    Args:
        project: number of a project.
        dataset: number of a dataset, whose children are included.
        start: position of the first image, from 0.
        q: part of the name.
        labeled: only images with labels, or only images without.
        limit: most images.
    """

    project: Id | None = None
    dataset: Id | None = None
    start: Count | None = None
    q: Query = ""
    labeled: bool | None = None
    limit: Positive | None = None


class LabeledImage(TypedDict):
    """An image with its labels.

    Args:
        width: width in pixels.
        height: height in pixels.
        stored: whether its bytes are stored here.
        labels: number of its labels.
        objects: its labels; lists of images leave out those with large masks.
    """

    id: Id
    name: str
    datasetId: Id
    width: Count | None
    height: Count | None
    stored: bool
    labels: Count
    tags: list[TagValue]
    objects: list[Label]


class ImageList(TypedDict):
    """Images, from a position on.

    Args:
        total: number of all images that match.
    """

    images: list[LabeledImage]
    start: Count
    total: Count


@dataclass(frozen=True, kw_only=True)
class ImagePageRequest:
    """Return an image's page: its facts, all its labels, and its neighbours by name.

    Args:
        id: number of the image.
    """

    id: Id


class ImageNeighbours(TypedDict):
    """The neighbours of an image in its dataset, by name.

    Args:
        previous: number of the image before it; null for the first.
        next: number of the image after it; null for the last.
        position: its position in its dataset, from 1.
        total: number of images in its dataset.
    """

    previous: Id | None
    next: Id | None
    position: Positive
    total: Positive


class ImagePage(LabeledImage, ImageNeighbours):
    """An image's page.

    Args:
        objects: its labels.
        hash: base64 of the SHA-256 of its bytes; null for a link.
        mime: media type.
        size: bytes.
        createdAt: time in ISO 8601.
        updatedAt: time in ISO 8601.
        createdBy: login of a user.
        datasets: its dataset and those around it, the outermost first.
        classes: classes and tags of its project.
    """

    hash: str | None
    link: str | None
    mime: str | None
    size: Count | None
    description: str
    meta: JsonObject
    createdAt: str
    updatedAt: str
    createdBy: str | None
    project: NamedEntity
    datasets: list[NamedEntity]
    classes: LabelDefinitions


@dataclass(frozen=True, kw_only=True)
class DrawnImagesRequest:
    """Return images of a version, or of a project's current state, with the shapes of their labels.

    Args:
        version: number of the version; or else `project`.
        project: number of the project.
        images: numbers of the images.
    """

    version: Id | None = None
    project: Id | None = None
    images: Annotated[list[Id], Constraint(max_length=200)]


class DrawnImages(LabelDefinitions):
    """Images with their labels, and the classes and tags of the project."""

    images: list[LabeledImage]


@dataclass(frozen=True, kw_only=True)
class VersionPictureRequest:
    """Download a preview of an image of a version.

    Args:
        id: number of the image.
        version: number of the version.
    """

    id: Id
    version: Id


PROJECT = Method("autoflow.overview.project", ProjectPageRequest, ProjectPage, (404,))
COUNTS = Method("autoflow.overview.counts", LabelCountsRequest, LabelCounts, (404,))
VERSIONS = Method("autoflow.overview.versions", VersionListRequest, VersionList, (404,))
IMAGES = Method("autoflow.overview.images", ImageListRequest, ImageList, (404,))
IMAGE = Method("autoflow.overview.image", ImagePageRequest, ImagePage, (404,))
DRAWN = Method("autoflow.overview.drawn", DrawnImagesRequest, DrawnImages, (404,))
VERSION_PICTURE = Method("autoflow.versions.picture", VersionPictureRequest, bytes, (404,))
