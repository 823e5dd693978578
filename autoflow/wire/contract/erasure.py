"""Erasing content for good, and rules of retention; for admins of a team."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypedDict

from autoflow.wire.contract.method import Constraint, Count, Id, Method

MAX_REFS = 1000
Refs = Annotated[list[str], Constraint(max_length=MAX_REFS)]
Days = Annotated[int, Constraint(0, 100_000)]


@dataclass(frozen=True, kw_only=True)
class ErasePlanRequest:
    """Return what an erasure would remove, and what was made from it; nothing is changed.

    Args:
        refs: images (image:3, dataset:4/a.png), contents by sha256, files, runs and projects.
        team_id: the team; without it that of the first reference, else the first team.
    """

    refs: Refs
    team_id: Id | None = None


class ErasedImage(TypedDict):
    """An image that an erasure removes.

    Args:
        current: whether its dataset has it now.
    """

    id: Id
    name: str
    datasetId: Id
    projectId: Id
    current: bool


class ErasedFile(TypedDict):
    """A team file that an erasure removes.

    Args:
        archive: whether it is no copy, but contains an image, as the archive of a version does.
    """

    id: Id
    path: str
    archive: bool


class MadeFrom(TypedDict):
    """Something that was made from what an erasure removes.

    Args:
        ref: reference, as file:9 or task:5.
        type: entity type.
    """

    ref: str
    type: str
    name: str


class ErasePlanResponse(TypedDict):
    """A dry run of an erasure.

    Args:
        team: number of the team.
        contents: sha256 of the contents.
        images: the first images.
        files: the first files of Team Files.
        names: the names that texts are searched for.
        counts: numbers of images, rows of the history, versions, files, contents, and of texts that have a name.
        keptForOtherTeams: sha256 of contents whose bytes stay, because other teams have them.
        made: runs, and what they wrote.
        complete: whether that is all that was made from it.
        outOfReach: what this server cannot erase.
    """

    team: Id
    contents: list[str]
    images: list[ErasedImage]
    files: list[ErasedFile]
    names: list[str]
    counts: dict[str, Count]
    keptForOtherTeams: list[str]
    made: list[MadeFrom]
    complete: bool
    outOfReach: list[str]


@dataclass(frozen=True, kw_only=True)
class EraseRunRequest:
    """Erase content for good; each call does a part of it, until the response is done.

    What earlier calls have not completed is completed first.

    Args:
        refs: as in autoflow.erase.plan; without them the erasure of `id` is continued, else all of the team.
        team_id: the team; without it that of the first reference, else the first team.
        id: number of an erasure that was begun.
        reason: why, for the audit log.
    """

    refs: Refs = field(default_factory=list)
    team_id: Id | None = None
    id: Id | None = None
    reason: Annotated[str, Constraint(max_length=1000)] = ""


class EraseRunResponse(TypedDict):
    """Progress of an erasure.

    Args:
        id: its number, for the next call; null if there was nothing to complete.
        report: the signed report when it is done; autoflow erase --verify checks it.
    """

    id: Id | None
    done: bool
    report: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class EraseListRequest:
    """Return the erasures of a team, the latest first, with their reports.

    Args:
        team_id: the team; without it the first team.
    """

    team_id: Id | None = None


class ErasureEntry(TypedDict):
    """An erasure.

    Args:
        report: the signed report; null until the erasure is complete.
    """

    id: Id
    requestedAt: str
    finishedAt: str | None
    report: dict[str, Any] | None


class EraseListResponse(TypedDict):
    """Erasures of a team."""

    erasures: list[ErasureEntry]


@dataclass(frozen=True, kw_only=True)
class RetentionRequest:
    """Return the rules of retention of a team, and what they would remove now; nothing is changed.

    Args:
        team_id: the team; without it the first team.
    """

    team_id: Id | None = None


RetentionKind = Literal["logs", "versions"]


class RetentionResponse(TypedDict):
    """Rules of retention.

    Args:
        rules: days that logs and versions are kept, by kind; a kind without a rule is kept for ever.
        due: numbers of rows of logs and of versions that are older.
        versions: references of the first of these versions.
        needed: versions that are older, and stay because something needs them.
        nextAt: time in ISO 8601 at which a server applies the rules next; null without rules.
    """

    team: Id
    rules: dict[RetentionKind, Count]
    due: dict[RetentionKind, Count]
    versions: list[str]
    needed: Count
    nextAt: str | None


@dataclass(frozen=True, kw_only=True)
class RetentionSetRequest:
    """Change the rules of retention of a team; servers apply them once a day, the first time a day later.

    Args:
        team_id: the team; without it the first team.
        logs: days that logs of finished runs are kept; 0 to keep them for ever.
        versions: days that versions are kept that nothing needs; 0 to keep them for ever.
    """

    team_id: Id | None = None
    logs: Days | None = None
    versions: Days | None = None


@dataclass(frozen=True, kw_only=True)
class RetentionApplyRequest:
    """Remove what the rules of a team do not keep, as an erasure; autoflow.erase.run continues it.

    Args:
        team_id: the team; without it the first team.
    """

    team_id: Id | None = None


ERASE_PLAN = Method("autoflow.erase.plan", ErasePlanRequest, ErasePlanResponse, (404,))
ERASE_RUN = Method("autoflow.erase.run", EraseRunRequest, EraseRunResponse, (404,))
ERASE_LIST = Method("autoflow.erase.list", EraseListRequest, EraseListResponse, (404,))
RETENTION = Method("autoflow.retention", RetentionRequest, RetentionResponse, (404,))
RETENTION_SET = Method("autoflow.retention.set", RetentionSetRequest, RetentionResponse, (404,))
RETENTION_APPLY = Method("autoflow.retention.apply", RetentionApplyRequest, EraseRunResponse, (404,))
