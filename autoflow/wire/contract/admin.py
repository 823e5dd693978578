"""The server itself: changes, search, maintenance, tokens of reproductions, previews."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypedDict

from autoflow.wire import methods
from autoflow.wire.contract.method import Constraint, Count, Empty, Id, Method, Name, Positive, Query, Success


class ChangesResponse(TypedDict):
    """The number of changes that the caller's teams have seen.

    Args:
        changes: unchanged while nothing changed, so that a client may poll it.
    """

    changes: Count


@dataclass(frozen=True)
class ChangesRequest(Empty):
    """Return the number of writes; cheap enough to poll."""


@dataclass(frozen=True)
class UnknownMethodsRequest(Empty):
    """Return the methods that clients requested and this server lacks, the most frequent first."""


class UnknownMethodCount(TypedDict):
    """A method that this server lacks.

    Args:
        count: number of requests.
        lastAt: time of the last request, in ISO 8601.
    """

    method: str
    count: Positive
    lastAt: str


class UnknownMethodsResponse(TypedDict):
    """Methods that this server lacks."""

    methods: list[UnknownMethodCount]


SearchKind = Literal["project", "dataset", "run", "file", "model", "version", "job", "note", "image"]


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """Find entities by a part of their names or by their numbers.

    Args:
        q: part of a name; project:7 and #7 find a number.
        kinds: kinds to search; all without it.
        limit: most results of each kind.
    """

    q: Query = ""
    kinds: list[SearchKind] = field(default_factory=list)
    limit: Positive | None = None


class SearchResult(TypedDict):
    """An entity that matches a search.

    Args:
        link: path of its page.
        at: time of its last change or of its start.
    """

    kind: SearchKind
    id: Id
    title: str
    detail: str
    link: str
    at: str | None


class SearchResponse(TypedDict):
    """Results of a search.

    Args:
        more: kinds of which there are more results.
    """

    results: list[SearchResult]
    more: list[SearchKind]


@dataclass(frozen=True, kw_only=True)
class CollectRequest:
    """Collect garbage: remove files that nothing refers to; each call does a part of it, until the response is done.

    Args:
        state: `state` of the previous response.
        confirm: whether to remove even a large share of all files; otherwise that is refused with 409.
        empty_trash: whether files leave the trash before their time.
    """

    state: str | None = None
    confirm: bool = False
    empty_trash: bool = False


class MaintenanceResponse(TypedDict):
    """Progress of a maintenance job.

    Args:
        state: state for the next call; null when the job is done.
        counts: numbers of what the job did so far.
    """

    done: bool
    state: str | None
    counts: dict[str, Count]


@dataclass(frozen=True, kw_only=True)
class VerifyRequest:
    """Check the integrity of the store; each call does a part of it, until the response is done.

    Args:
        level: 1 checks the rows of versions, 2 also that files exist, 3 also their bytes.
        id: number of a version to check alone.
        project_id: number of a project to check alone, with its versions.
        state: `state` of the previous response.
    """

    level: Annotated[int, Constraint(1, 3)] = 1
    id: Id | None = None
    project_id: Id | None = None
    state: str | None = None


class AffectedProject(TypedDict):
    """A project that uses a damaged file."""

    id: Id
    name: str


class AffectedVersion(TypedDict):
    """A version that is damaged or uses a damaged file.

    Args:
        version: number of the version in its project, from 1.
    """

    id: Id
    version: Positive
    projectId: Id


class AffectedFile(TypedDict):
    """A team file that is damaged."""

    id: Id
    path: str
    teamId: Id


class IntegrityProblem(TypedDict):
    """Something damaged, and what it affects.

    Args:
        hash: base64 of the SHA-256 of a file; null if it is about a version's rows.
        problem: missing, size, content, damaged (by an earlier check), unreadable, or a sentence.
    """

    hash: str | None
    problem: str
    projects: list[AffectedProject]
    versions: list[AffectedVersion]
    files: list[AffectedFile]


class VerifyResponse(MaintenanceResponse):
    """Progress of a check.

    Args:
        problems: problems that this call detected.
    """

    problems: list[IntegrityProblem]


@dataclass(frozen=True, kw_only=True)
class IssueTokenRequest:
    """Issue a token for the command of a reproduction.

    It reads what the task's team has, and changes only what is made with it or since it was issued.

    Args:
        task: number of the reproduced task.
    """

    task: Id


class IssueTokenResponse(TypedDict):
    """A token; all null from an older server that needs none.

    Args:
        expiresAt: time in ISO 8601.
    """

    id: Id | None
    token: str | None
    expiresAt: str | None


@dataclass(frozen=True, kw_only=True)
class RestoredNumber:
    """A recorded project or dataset and the one that was restored from a version of it.

    Args:
        recorded: number of the recorded one.
        restored: number of the restored one.
        name: recorded name.
    """

    recorded: Id
    restored: Id
    name: Name


@dataclass(frozen=True, kw_only=True)
class RecordedFile:
    """A file that the recorded run read.

    Args:
        id: number of the file.
        path: path that it had.
    """

    id: Id
    path: Name


@dataclass(frozen=True, kw_only=True)
class ReproductionViewRequest:
    """Let a reproduction's token see the restored data in place of the recorded.

    Args:
        id: number of the token.
        projects: restored projects.
        datasets: restored datasets, beside those of the same name in these projects.
        files: recorded files.
        publish: write files and projects to the paths and names that the command asks for, instead of below
            `/reproduced`.
    """

    id: Id
    projects: list[RestoredNumber] = field(default_factory=list)
    datasets: list[RestoredNumber] = field(default_factory=list)
    files: list[RecordedFile] = field(default_factory=list)
    publish: bool = False


class ReproductionViewResponse(TypedDict):
    """The folder that takes what the command writes.

    Args:
        namespace: path of the folder, empty if the command writes to the paths that it asks for.
    """

    namespace: str


@dataclass(frozen=True, kw_only=True)
class DiscardReproductionRequest:
    """Remove the projects that a reproduction restored or created, and the files in its folder; its runs stay.

    Args:
        id: number of its token.
    """

    id: Id


class DiscardReproductionResponse(TypedDict):
    """The numbers of removed projects and files."""

    projects: Count
    files: Count


@dataclass(frozen=True, kw_only=True)
class RevokeTokenRequest:
    """Revoke a token that this user was issued for a reproduction.

    Args:
        id: number of the token.
    """

    id: Id


@dataclass(frozen=True, kw_only=True)
class PreviewRequest:
    """Download a preview of an image, never larger than the image.

    Args:
        id: number of the image.
        width: most pixels; 0 if it follows from the height. Without both, the preview of a grid.
        height: most pixels; 0 if it follows from the width.
        resize: how the image fits the size.
        quality: quality of a JPEG, from 1 to 100.
        ext: format of the preview.
    """

    id: Id
    width: Count | None = None
    height: Count | None = None
    resize: Literal["fit", "fill", "fill-down", "force", "auto"] = "fit"
    quality: Count | None = None
    ext: Literal["jpeg", "png"] | None = None


Login = Annotated[str, Constraint(max_length=100, not_blank=True)]


@dataclass(frozen=True, kw_only=True)
class SetMemberRequest:
    """Add a user to a team, or change a member's role; for admins of the team.

    Args:
        team_id: the team.
        login: the user, who is created if there is none of that name.
        role: what the user may do in the team.
    """

    team_id: Id
    login: Login
    role: Literal["viewer", "editor", "admin"]


@dataclass(frozen=True, kw_only=True)
class RemoveMemberRequest:
    """Remove a user from a team, from the next request on; for admins of the team.

    Args:
        team_id: the team.
        login: the member.
    """

    team_id: Id
    login: Login


CHANGES = Method(methods.CHANGES, ChangesRequest, ChangesResponse)
UNKNOWN_METHODS = Method(methods.UNKNOWN_METHODS, UnknownMethodsRequest, UnknownMethodsResponse)
SEARCH = Method("autoflow.search", SearchRequest, SearchResponse)
COLLECT = Method(methods.COLLECT, CollectRequest, MaintenanceResponse, (409,))
VERIFY = Method(methods.VERIFY, VerifyRequest, VerifyResponse, (404,))
REPRODUCTION_ISSUE = Method(methods.REPRODUCTION_ISSUE, IssueTokenRequest, IssueTokenResponse, (404,))
REPRODUCTION_VIEW = Method(methods.REPRODUCTION_VIEW, ReproductionViewRequest, ReproductionViewResponse, (403, 404))
REPRODUCTION_DISCARD = Method(
    methods.REPRODUCTION_DISCARD, DiscardReproductionRequest, DiscardReproductionResponse, (404,)
)
REPRODUCTION_REVOKE = Method(methods.REPRODUCTION_REVOKE, RevokeTokenRequest, Success, (404,))
MEMBERS_SET = Method("autoflow.members.set", SetMemberRequest, Success, (404,))
MEMBERS_REMOVE = Method("autoflow.members.remove", RemoveMemberRequest, Success, (404,))
PREVIEWS = Method("autoflow.previews", PreviewRequest, bytes, (404,))
