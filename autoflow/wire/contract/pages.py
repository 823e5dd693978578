"""The views of the web page, a method a view.

Lists come in parts: a response's `next` is the position of the following part, null after the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from autoflow.wire.contract.method import Constraint, Count, Id, Method, Positive, Query

Rows = list[dict[str, Any]]


class Users(TypedDict):
    """The runs that read or wrote an entity, the latest first.

    Args:
        total: number of all of them.
    """

    runs: Rows
    total: Count


@dataclass(frozen=True, kw_only=True)
class StartPageRequest:
    """Return what the start page shows: workspaces, the projects changed last, the latest runs.

    Args:
        limit: most entries of each list.
    """

    limit: Positive | None = None


class StartPage(TypedDict):
    """The start page."""

    workspaces: Rows
    projects: dict[str, Any]
    runs: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ProjectCursor:
    """Position in a list of projects.

    Args:
        updated_at: time of the last project's last change, in ISO 8601.
        id: number of the last project.
    """

    updated_at: str
    id: Id


@dataclass(frozen=True, kw_only=True)
class ProjectListRequest:
    """Return projects, those changed last first.

    Args:
        workspace: number of a workspace; all without it.
        after: `next` of the previous part.
        limit: most entries.
    """

    workspace: Id | None = None
    after: ProjectCursor | None = None
    limit: Positive | None = None


class ProjectList(TypedDict):
    """A part of a list of projects."""

    projects: Rows
    next: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class RunListRequest:
    """Return runs, the latest first.

    Args:
        workspace: number of a workspace; all without it.
        app: number of an app; all without it.
        before: `next` of the previous part.
        limit: most entries.
    """

    workspace: Id | None = None
    app: Id | None = None
    before: Id | None = None
    limit: Positive | None = None


class RunList(TypedDict):
    """A part of a list of runs."""

    runs: Rows
    next: Id | None


@dataclass(frozen=True, kw_only=True)
class ProjectPageRequest:
    """Return a project's page: its facts, datasets, classes, tags, and the runs that used it.

    Args:
        id: number of the project.
    """

    id: Id


class ProjectPage(TypedDict):
    """A project's page."""

    id: Id
    name: str
    datasets: Rows
    meta: dict[str, Any]
    users: Users


@dataclass(frozen=True, kw_only=True)
class LabelCountsRequest:
    """Count how often a project's classes and tags are used, in a part of its images.

    Args:
        id: number of the project.
        after: `after` of the previous part.
    """

    id: Id
    after: Count | None = None


class LabelCounts(TypedDict):
    """Counts of labels in a part of a project's images.

    Args:
        images: number of images counted.
        after: position of the next part; null after the last.
        classes: [objects, images] by the number of the class.
        tags: [objects, images] by the number of the tag.
    """

    images: Count
    after: Id | None
    classes: dict[str, Any]
    tags: dict[str, Any]


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


class VersionList(TypedDict):
    """A part of a project's versions.

    Args:
        changed: whether the project has changed since its last version.
    """

    project: dict[str, Any]
    changed: bool
    versions: Rows
    next: Id | None


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


class ImageList(TypedDict):
    """Images, from a position on.

    Args:
        total: number of all images that match.
    """

    images: Rows
    start: Count
    total: Count


@dataclass(frozen=True, kw_only=True)
class ImagePageRequest:
    """Return an image's page: its facts, all its labels, and its neighbours by name.

    Args:
        id: number of the image.
    """

    id: Id


class ImagePage(TypedDict):
    """An image's page.

    Args:
        datasets: its dataset and those around it.
    """

    id: Id
    name: str
    objects: Rows
    tags: Rows
    project: Any
    datasets: Any


@dataclass(frozen=True, kw_only=True)
class FilePageRequest:
    """Return a team file's page: its facts, and the runs that wrote or read it.

    Args:
        id: number of the file.
    """

    id: Id


class FilePage(TypedDict):
    """A team file's page.

    Args:
        size: bytes.
        sha256: SHA-256 of its bytes.
        current: whether it is at its path now.
    """

    id: Id
    path: str
    size: Count
    sha256: Any
    current: Any
    users: Users


@dataclass(frozen=True, kw_only=True)
class FolderPageRequest:
    """List the files and folders of a folder in Team Files.

    Args:
        path: path of the folder.
        team: number of the team; the caller's default team without it.
        after: `next` of the previous part.
        limit: most entries.
    """

    path: str
    team: Id | None = None
    after: str = ""
    limit: Positive | None = None


class FolderPage(TypedDict):
    """A folder's page."""

    path: str
    teamId: Any
    folders: list[str]
    files: Rows
    next: Any
    users: Any


@dataclass(frozen=True, kw_only=True)
class RunPageRequest:
    """Return a run's page: how it went, what it read and wrote.

    Args:
        id: number of the task.
    """

    id: Id


class RunPage(TypedDict):
    """A run's page."""

    id: Id
    name: str
    state: Any
    facts: Any
    inputs: Rows
    outputs: Rows


@dataclass(frozen=True, kw_only=True)
class RunLogRequest:
    """Return a part of a run's log; its end without `before` and `after`.

    Args:
        id: number of the task.
        before: number of a chunk; those before it are returned.
        after: number of a chunk; those after it are returned.
        limit: most chunks.
    """

    id: Id
    before: Id | None = None
    after: Count | None = None
    limit: Positive | None = None


class RunLog(TypedDict):
    """A part of a run's log.

    Args:
        parts: chunks of the log.
        earlier: whether there are chunks before them.
        state: state of the run.
    """

    parts: Rows
    earlier: bool
    state: str


@dataclass(frozen=True, kw_only=True)
class JobPageRequest:
    """Return a labeling job's page.

    Args:
        id: number of the job.
    """

    id: Id


class JobPage(TypedDict):
    """A labeling job's page."""

    id: Id
    name: str
    status: str
    project: Any
    dataset: Any
    images: Rows


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


class DrawnImages(TypedDict):
    """Images with the shapes of their labels."""

    images: Rows
    classes: Rows
    tags: Rows


START = Method("autoflow.overview.start", StartPageRequest, StartPage, (404,))
PROJECTS = Method("autoflow.overview.projects", ProjectListRequest, ProjectList, (404,))
RUNS = Method("autoflow.overview.runs", RunListRequest, RunList, (404,))
PROJECT = Method("autoflow.overview.project", ProjectPageRequest, ProjectPage, (404,))
COUNTS = Method("autoflow.overview.counts", LabelCountsRequest, LabelCounts, (404,))
VERSIONS = Method("autoflow.overview.versions", VersionListRequest, VersionList, (404,))
IMAGES = Method("autoflow.overview.images", ImageListRequest, ImageList, (404,))
IMAGE = Method("autoflow.overview.image", ImagePageRequest, ImagePage, (404,))
FILE = Method("autoflow.overview.file", FilePageRequest, FilePage, (404,))
FOLDER = Method("autoflow.overview.folder", FolderPageRequest, FolderPage, (404,))
RUN = Method("autoflow.overview.run", RunPageRequest, RunPage, (404,))
LOG = Method("autoflow.overview.log", RunLogRequest, RunLog, (404,))
JOB = Method("autoflow.overview.job", JobPageRequest, JobPage, (404,))
DRAWN = Method("autoflow.overview.drawn", DrawnImagesRequest, DrawnImages, (404,))
