"""Transfers of whole stores: runs, files and projects of one server, and their ids on the one they are copied to.

The source answers the methods that list; `TRANSFER_KNOWN` and `TRANSFER_LINK` are the target's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypedDict

from autoflow.model.json_object import JsonObject
from autoflow.wire.contract.method import Constraint, Count, Id, Method
from autoflow.wire.contract.transfers import Key

CopyType = Literal["project", "version", "dataset", "file", "task"]
Ids = Annotated[list[Id], Constraint(max_length=10_000)]


@dataclass(frozen=True, kw_only=True)
class TransferProjectsRequest:
    """Return a page of the projects of this store, with their versions.

    Args:
        after: `after` of the previous page.
    """

    after: Count = 0


class SourceProject(TypedDict):
    """A project that can be copied.

    Args:
        changed: whether it has changed since its last version, or has none.
        versions: numbers of its versions, the oldest first.
    """

    id: Id
    name: str
    changed: bool
    versions: list[Id]


class TransferProjectsResponse(TypedDict):
    """A page of projects.

    Args:
        store: random id of the store.
        after: position for the next page; null after the last.
    """

    store: str
    projects: list[SourceProject]
    after: Count | None


@dataclass(frozen=True, kw_only=True)
class TransferFilesRequest:
    """Return a page of the team files of this store, replaced ones included, in the order they were uploaded in.

    Args:
        after: `after` of the previous page.
    """

    after: Count = 0


class SourceFile(TypedDict):
    """A team file.

    Args:
        hash: base64 of the SHA-256 of its bytes.
        mime: media type.
        current: whether it is the current file of its path.
    """

    id: Id
    path: str
    hash: str
    mime: str
    size: Count
    current: bool


class TransferFilesResponse(TypedDict):
    """A page of files.

    Args:
        after: position for the next page; null after the last.
    """

    files: list[SourceFile]
    after: Count | None


@dataclass(frozen=True, kw_only=True)
class TransferRunsRequest:
    """Return a page of the runs of this store, with their edges, as they are stored.

    Args:
        after: `after` of the previous page.
    """

    after: Count = 0


class SourceEdge(TypedDict):
    """An edge of a run.

    Args:
        entity: number or path of the entity, as text.
        at: time in ISO 8601.
    """

    id: Id
    direction: str
    type: str
    entity: str
    origin: str
    meta: JsonObject | None
    at: str


class SourceRun(TypedDict):
    """A run.

    Args:
        number: number of the task at its origin.
        origin: server that issued the number; empty for this one.
        node: settings of its own card.
        startedAt: time in ISO 8601; null if it has not begun.
        log: number of the last part of its log; 0 without a log.
    """

    id: Id
    name: str
    number: Id
    origin: str
    state: str
    error: str | None
    facts: JsonObject
    node: JsonObject | None
    createdAt: str
    startedAt: str | None
    finishedAt: str | None
    log: Count
    edges: list[SourceEdge]


class TransferRunsResponse(TypedDict):
    """A page of runs.

    Args:
        after: position for the next page; null after the last.
    """

    runs: list[SourceRun]
    after: Count | None


@dataclass(frozen=True, kw_only=True)
class TransferLogRequest:
    """Return a page of the log of a run, as it is stored.

    Args:
        task: number of the task.
        after: `after` of the previous page.
    """

    task: Id
    after: Count = 0


class TransferLogResponse(TypedDict):
    """A page of a log.

    Args:
        parts: number, time and lines of each part.
        after: position for the next page; null after the last.
    """

    parts: list[tuple[Id, str, str]]
    after: Count | None


@dataclass(frozen=True, kw_only=True)
class TransferKnownRequest:
    """Return which rows of another store the caller's first team has copies of.

    Args:
        store: random id of the other store.
        type: type of the rows.
        ids: their numbers in the other store.
    """

    store: Key
    type: CopyType
    ids: Ids


class TransferKnownResponse(TypedDict):
    """Copies of rows.

    Args:
        team: number of the team.
        copies: number here, and what the client stored of it, by the number in the other store.
    """

    team: Id
    copies: dict[str, tuple[Id, str]]


@dataclass(frozen=True, kw_only=True)
class LinkedCopy:
    """A row that was copied.

    Args:
        source: number in the other store.
        id: number in this one.
        state: what the client stores of it, to know whether it has changed.
    """

    source: Id
    id: Id
    state: str = ""


@dataclass(frozen=True, kw_only=True)
class TransferLinkRequest:
    """Store which files or tasks of the caller's first team are copies of rows of another store.

    Args:
        store: random id of the other store.
        type: type of the rows.
        copies: the rows.
    """

    store: Key
    type: Literal["file", "task"]
    copies: Annotated[list[LinkedCopy], Constraint(max_length=1000)]


class TransferLinkResponse(TypedDict):
    """Stored copies.

    Args:
        count: number of them.
    """

    count: Count


TRANSFER_PROJECTS = Method("autoflow.transfers.projects", TransferProjectsRequest, TransferProjectsResponse)
TRANSFER_FILES = Method("autoflow.transfers.files", TransferFilesRequest, TransferFilesResponse)
TRANSFER_RUNS = Method("autoflow.transfers.runs", TransferRunsRequest, TransferRunsResponse)
TRANSFER_LOG = Method("autoflow.transfers.log", TransferLogRequest, TransferLogResponse, (404,))
TRANSFER_KNOWN = Method("autoflow.transfers.known", TransferKnownRequest, TransferKnownResponse)
TRANSFER_LINK = Method("autoflow.transfers.link", TransferLinkRequest, TransferLinkResponse, (404,))
