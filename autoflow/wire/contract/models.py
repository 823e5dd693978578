"""Models: their versions, aliases, and the history of these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from autoflow.wire import methods
from autoflow.wire.contract.method import Constraint, Count, Id, Method, Name, Positive, Query

Reason = Annotated[str, Constraint(max_length=2000)]


@dataclass(frozen=True, kw_only=True)
class RegisterModelRequest:
    """Make a file a version of a model; a file that is one already stays it.

    Args:
        name: name of the model, which the first version creates.
        ref: reference of the file, as file:9 or a path in Team Files.
        team_id: team of the model and of a path; the caller's default team without it.
    """

    name: Name
    ref: Query
    team_id: Id | None = None


class ModelVersion(TypedDict):
    """A version of a model.

    Args:
        model: name of the model.
        version: number of the version, from 1.
        ref: reference of the file.
        path: path of the file; null if it is unknown.
        size: bytes; null if unknown.
        sha256: of the file, in hexadecimal digits; null if unknown.
        aliases: names of the aliases that name it now.
        task: number of the task whose run wrote the file last; null for none.
        createdBy: login of a user.
    """

    model: str
    version: Positive
    ref: str
    path: str | None
    size: Count | None
    sha256: str | None
    aliases: list[str]
    task: Id | None
    createdBy: str | None
    createdAt: str


@dataclass(frozen=True, kw_only=True)
class ListModelsRequest:
    """Return models, those with the newest versions first.

    Args:
        team_id: models of this team alone.
        q: part of a name.
        limit: most entries.
        offset: number of entries to leave out.
    """

    team_id: Id | None = None
    q: Query | None = None
    limit: Positive | None = None
    offset: Annotated[int, Constraint(0, 1_000_000)] | None = None


class ModelSummary(TypedDict):
    """A model.

    Args:
        latest: number of the latest version.
        aliases: number of the version that each alias names.
        createdBy: login of a user.
        latestAt: time of the latest version.
    """

    id: Id
    name: str
    teamId: Id
    latest: Positive
    aliases: dict[str, Positive]
    createdBy: str | None
    createdAt: str
    latestAt: str


class ListModelsResponse(TypedDict):
    """Models.

    Args:
        next: offset of the next request; null after the last part.
    """

    models: list[ModelSummary]
    next: Count | None


@dataclass(frozen=True, kw_only=True)
class ShowModelRequest:
    """Return a model with its versions, the latest first.

    Args:
        name: name of the model.
        team_id: team of the model; the caller's default team first without it.
        before: versions before this number, to page.
        limit: most versions.
    """

    name: Name
    team_id: Id | None = None
    before: Positive | None = None
    limit: Positive | None = None


class ShowModelResponse(TypedDict):
    """A model with versions.

    Args:
        next: before of the next request; null after the last part.
    """

    model: ModelSummary
    versions: list[ModelVersion]
    next: Positive | None


@dataclass(frozen=True, kw_only=True)
class ResolveModelRequest:
    """Return the version of a model that a reference names.

    Args:
        ref: as model:lemons@champion, or model:lemons@champion on 2026-06-01.
        team_id: team of the model; the caller's default team first without it.
    """

    ref: Query
    team_id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class SetAliasRequest:
    """Let an alias of a model name a version, which moves it; the move is recorded in the audit log.

    Args:
        name: name of the model.
        alias: name of the alias, which begins with a letter.
        version: number of the version; without it the alias is removed.
        reason: why.
        team_id: team of the model; the caller's default team first without it.
    """

    name: Name
    alias: Name
    version: Positive | None = None
    reason: Reason = ""
    team_id: Id | None = None


class AliasMove(TypedDict):
    """A move of an alias.

    Args:
        before: number of the version that it named before; null for none.
        version: number of the version that it names since; null for none.
        at: time in ISO 8601.
        who: login of the user at that time, or user@host.
        reason: why; empty without.
    """

    id: Id
    alias: str
    before: Positive | None
    version: Positive | None
    at: str
    who: str
    reason: str


class SetAliasResponse(TypedDict):
    """The move of an alias.

    Args:
        moved: whether it moved; false if it named that version already.
        before: number of the version that it named before; null for none.
    """

    moved: bool
    alias: str
    before: Positive | None
    version: Positive | None


@dataclass(frozen=True, kw_only=True)
class AliasHistoryRequest:
    """Return the moves of a model's aliases, the latest first.

    Args:
        name: name of the model.
        alias: moves of this alias alone.
        team_id: team of the model; the caller's default team first without it.
        before: moves older than the one with this number, to page.
        limit: most entries.
    """

    name: Name
    alias: Name | None = None
    team_id: Id | None = None
    before: Id | None = None
    limit: Positive | None = None


class AliasHistoryResponse(TypedDict):
    """Moves of aliases.

    Args:
        next: before of the next request; null after the last part.
    """

    moves: list[AliasMove]
    next: Id | None


MODELS_REGISTER = Method(methods.MODELS_REGISTER, RegisterModelRequest, ModelVersion, (404,))
MODELS_LIST = Method(methods.MODELS_LIST, ListModelsRequest, ListModelsResponse, (404,))
MODELS_SHOW = Method(methods.MODELS_SHOW, ShowModelRequest, ShowModelResponse, (404,))
MODELS_RESOLVE = Method(methods.MODELS_RESOLVE, ResolveModelRequest, ModelVersion, (404,))
MODELS_ALIAS = Method(methods.MODELS_ALIAS, SetAliasRequest, SetAliasResponse, (404,))
MODELS_HISTORY = Method(methods.MODELS_HISTORY, AliasHistoryRequest, AliasHistoryResponse, (404,))
