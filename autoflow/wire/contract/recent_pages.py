"""Recent activity for the start page: who ran what, failures with their reasons, versions, models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from autoflow.wire.contract.method import Constraint, Count, Id, Method
from autoflow.wire.contract.run_pages import EntityLink, NamedEntity, RunSummary


@dataclass(frozen=True, kw_only=True)
class RecentRequest:
    """Return what happened in the last days.

    Args:
        days: how many, 7 by default.
    """

    days: Annotated[int, Constraint(1, 366)] | None = None


class AppRuns(TypedDict):
    """Runs of one app or name.

    Args:
        runs: number of all of them.
        failed: number of those that failed or were lost.
    """

    name: str
    runs: Count
    failed: Count


class RecentWork(TypedDict):
    """Work of a user.

    Args:
        login: null for a user that the caller does not see.
        apps: what they ran, the most frequent first.
        versions: number of versions that they created.
    """

    login: str | None
    apps: list[AppRuns]
    versions: Count


class RecentFailure(TypedDict):
    """A run that failed or was lost.

    Args:
        reason: last line of its error; null for a run that was lost.
        createdBy: login of a user.
    """

    run: RunSummary
    reason: str | None
    createdBy: str | None


class RecentVersion(TypedDict):
    """A version of a project.

    Args:
        title: null without one.
        createdBy: login of a user.
        createdAt: time in ISO 8601.
    """

    id: Id
    number: Id
    project: NamedEntity
    title: str | None
    createdBy: str | None
    createdAt: str


class RecentModel(TypedDict):
    """Weights that a run wrote.

    Args:
        names: versions of models that they are, as model:lemons@2.
        at: time in ISO 8601.
        run: run that wrote them.
        createdBy: login of a user.
    """

    file: EntityLink
    names: list[str]
    at: str
    run: NamedEntity
    createdBy: str | None


class RecentResponse(TypedDict):
    """Activity of the last days, the latest first.

    Args:
        since: time in ISO 8601.
        runs: number of runs that began or ended since.
        complete: whether all runs since were counted; of very many only the latest are.
        failures: the latest of them, as are versions and models.
        failed: number of all of them.
    """

    since: str
    runs: Count
    complete: bool
    people: list[RecentWork]
    failures: list[RecentFailure]
    failed: Count
    versions: list[RecentVersion]
    models: list[RecentModel]


RECENT = Method("autoflow.overview.recent", RecentRequest, RecentResponse)
