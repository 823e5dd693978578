"""Searching and comparing runs by their results, parameters and data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from autoflow.model.run import RunState
from autoflow.wire import methods
from autoflow.wire.contract.method import Constraint, Count, Id, Method, Positive, Query


class RunLink(TypedDict):
    """A link of a run to a page elsewhere.

    Args:
        url: begins with http:// or https://.
    """

    title: str
    url: str


@dataclass(frozen=True, kw_only=True)
class SearchRunsRequest:
    """Return the runs that a condition holds for.

    Args:
        where: condition as in `model.run_query`: result.mAP > 0.6 and state = finished; all runs without it.
        sort: field, with a leading - for the greatest first; the latest runs first without it. Runs without the
            field are left out.
        limit: most entries.
        offset: number of entries to leave out.
    """

    where: Query | None = None
    sort: Query | None = None
    limit: Positive | None = None
    offset: Annotated[int, Constraint(0, 1_000_000)] | None = None


class ScoredRun(TypedDict):
    """A run with its results and parameters.

    Args:
        id: number of the task.
        name: name of the app, else of the run.
        results: final numbers by name.
        parameters: parameters by name, nested ones with dots; long texts are shortened.
        links: links to pages elsewhere.
        createdBy: login of a user.
    """

    id: Id
    name: str
    state: RunState
    startedAt: str | None
    finishedAt: str | None
    createdBy: str | None
    results: dict[str, float]
    parameters: dict[str, float | str]
    links: list[RunLink]


class SearchRunsResponse(TypedDict):
    """A part of the runs that a condition holds for.

    Args:
        next: offset of the following part, null after the last.
    """

    runs: list[ScoredRun]
    next: Count | None


@dataclass(frozen=True, kw_only=True)
class CompareRunsRequest:
    """Return the differences of two runs.

    Args:
        first: number of a task.
        second: number of a task.
    """

    first: Id
    second: Id


class ComparedData(TypedDict):
    """Data that a run read.

    Args:
        ref: reference, as version:12.
        name: name of the data, of a version its project's.
        projectId: project of a version.
        number: number of a version in its project.
        digest: digest of a version's content; null for data that may have changed since.
    """

    ref: str
    name: str
    projectId: Id | None
    number: Id | None
    digest: str | None


class ComparedValue(TypedDict):
    """A value that differs; null where a run has none."""

    name: str
    first: float | str | None
    second: float | str | None


class CompareRunsResponse(TypedDict):
    """The differences of two runs.

    Args:
        comparable: whether results can be compared, as both runs read the same data; null if that is unknown.
        reason: why results cannot be compared; null if they can.
        same: data that both read.
        onlyFirst: data that the first run alone read.
        onlySecond: data that the second run alone read.
        results: all results of both.
        parameters: parameters that differ.
        code: commit and other facts of the code that differ.
        packages: versions of packages that differ.
    """

    first: ScoredRun
    second: ScoredRun
    comparable: bool | None
    reason: str | None
    same: list[ComparedData]
    onlyFirst: list[ComparedData]
    onlySecond: list[ComparedData]
    results: list[ComparedValue]
    parameters: list[ComparedValue]
    code: list[ComparedValue]
    packages: list[ComparedValue]


RUNS_SEARCH = Method(methods.RUNS_SEARCH, SearchRunsRequest, SearchRunsResponse)
RUNS_COMPARE = Method(methods.RUNS_COMPARE, CompareRunsRequest, CompareRunsResponse, (404,))
