"""Pages of the web interface, a method a page: the start page, team files, labeling jobs.

`run_pages` has those of runs, `data_pages` those of a project and its images.

Lists come in parts: a response's `next` is the position of the following part, null after the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from autoflow.wire.contract.method import Count, Id, Method, Positive
from autoflow.wire.contract.run_pages import NamedEntity, RunList, Users


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


class ListedProject(TypedDict):
    """A project as an entry of a list.

    Args:
        type: project type of Supervisely, such as images.
        images: number of its images.
        datasets: number of its datasets.
        versions: number of its versions.
        updatedAt: time in ISO 8601.
        previews: numbers of its first images, of those whose bytes are stored here.
    """

    id: Id
    name: str
    description: str
    type: str
    workspaceId: Id
    images: Count
    datasets: Count
    versions: Count
    updatedAt: str
    previews: list[Id]


class ProjectPosition(TypedDict):
    """Position in a list of projects: that of the last one listed."""

    updatedAt: str
    id: Id


class ProjectList(TypedDict):
    """A part of a list of projects."""

    projects: list[ListedProject]
    next: ProjectPosition | None


@dataclass(frozen=True, kw_only=True)
class StartPageRequest:
    """Return what the start page shows: workspaces, the projects changed last, the latest runs.

    Args:
        limit: most entries of each list.
    """

    limit: Positive | None = None


class ListedWorkspace(TypedDict):
    """A workspace as an entry of a list.

    Args:
        team: name of its team.
        projects: number of its projects.
        runs: number of its runs.
    """

    id: Id
    name: str
    description: str
    team: str
    projects: Count
    runs: Count


class StartPage(TypedDict):
    """The start page.

    Args:
        isAdmin: whether the caller sees an audit log: an admin of a team, with a token of scope admin.
    """

    isAdmin: bool
    workspaces: list[ListedWorkspace]
    projects: ProjectList
    runs: RunList


@dataclass(frozen=True, kw_only=True)
class FilePageRequest:
    """Return a team file's page: its facts, and the runs that wrote or read it.

    Args:
        id: number of the file.
    """

    id: Id


class ListedFile(TypedDict):
    """A team file as an entry of a list.

    Args:
        size: bytes.
        mime: media type.
        createdAt: time in ISO 8601.
    """

    id: Id
    name: str
    path: str
    size: Count
    mime: str
    createdAt: str


class FileModel(TypedDict):
    """A version of a model that a file is.

    Args:
        model: name of the model.
        version: number of the version.
        aliases: names of the aliases that name it now.
    """

    model: str
    version: Positive
    aliases: list[str]


class FilePage(ListedFile):
    """A team file's page.

    Args:
        size: bytes.
        mime: media type.
        createdAt: time in ISO 8601.
        sha256: SHA-256 of its bytes, in hexadecimal digits.
        folder: path of its folder.
        current: whether it is at its path now.
        replacedBy: number of the file that is at its path now; null if it is this one, or none.
        createdBy: login of a user.
        models: versions of models that it is.
    """

    models: list[FileModel]
    teamId: Id
    sha256: str | None
    folder: str
    current: bool
    replacedBy: Id | None
    createdBy: str | None
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
    """A folder's page.

    Args:
        path: path of the folder, which ends with a slash.
        folders: paths of the folders in it.
        next: path of the last file listed; null at the end.
    """

    path: str
    teamId: Id
    folders: list[str]
    files: list[ListedFile]
    next: str | None
    users: Users


@dataclass(frozen=True, kw_only=True)
class JobPageRequest:
    """Return a labeling job's page.

    Args:
        id: number of the job.
    """

    id: Id


class JobDataset(TypedDict):
    """The dataset of a labeling job.

    Args:
        name: null if the dataset was removed.
    """

    id: Id
    name: str | None


class JobImage(NamedEntity):
    """An image of a labeling job.

    Args:
        stored: whether its bytes are stored here.
    """

    stored: bool


class JobPage(TypedDict):
    """A labeling job's page.

    Args:
        readme: instructions.
        status: pending, in_progress, on_review, completed or stopped.
        createdBy: login of a user, as are assignedTo and reviewer.
        startedAt: time in ISO 8601.
        finishedAt: time in ISO 8601.
        classes: names of the classes to label.
        tags: names of the tags to set.
        images: the first of its images.
        imagesTotal: number of all of them.
    """

    id: Id
    name: str
    description: str
    readme: str
    status: str
    disabled: bool
    project: NamedEntity
    dataset: JobDataset
    workspace: NamedEntity
    createdBy: str | None
    assignedTo: str | None
    reviewer: str | None
    createdAt: str
    updatedAt: str
    startedAt: str | None
    finishedAt: str | None
    classes: list[str]
    tags: list[str]
    imagesTotal: Count
    images: list[JobImage]
    users: Users


START = Method("autoflow.overview.start", StartPageRequest, StartPage, (404,))
PROJECTS = Method("autoflow.overview.projects", ProjectListRequest, ProjectList, (404,))
FILE = Method("autoflow.overview.file", FilePageRequest, FilePage, (404,))
FOLDER = Method("autoflow.overview.folder", FolderPageRequest, FolderPage, (404,))
JOB = Method("autoflow.overview.job", JobPageRequest, JobPage, (404,))
