"""Reading lineage: graphs, the ancestry of an entity, the files of a path, and reproductions of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypedDict

from autoflow.wire import methods
from autoflow.wire.contract.method import Constraint, Count, Id, Method, Positive


@dataclass(frozen=True, kw_only=True)
class EntryRequest:
    """Name the entity or the workspace at which a graph begins.

    At most one of `project`, `task`, `file` and `workspace`; without any, the first workspace.

    Args:
        project: number of a project.
        task: number of a task.
        file: number of a team file, its path, or the path of a folder.
        workspace: number of a workspace.
        team_id: team whose path `file` is.
    """

    project: Id | None = None
    task: Id | None = None
    file: int | str | None = None
    workspace: Id | None = None
    team_id: Id | None = None


@dataclass(frozen=True, kw_only=True)
class GraphRequest(EntryRequest):
    """Return the lineage around one entity or of a workspace."""


class CardResponse(TypedDict):
    """A card of a graph; further members are `model.card.Card`'s.

    Args:
        key: name of the card in arrows.
        type: entity type.
        id: number or path of the entity.
    """

    key: str
    type: str
    id: int | str
    title: str


class ArrowResponse(TypedDict):
    """An arrow of a graph.

    Args:
        source: key of a card.
        target: key of a card.
        kind: version for an arrow from a project to its version.
    """

    source: str
    target: str
    kind: Literal["input", "output", "version"]


class GraphResponse(TypedDict):
    """Cards and the arrows between them."""

    cards: list[CardResponse]
    arrows: list[ArrowResponse]


@dataclass(frozen=True, kw_only=True)
class TraceRequest:
    """Return the ancestry of an entity: the runs that wrote it, what these read, and so on.

    Args:
        ref: project:7, project:7#3, version:12, dataset:3, file:9, task:5, job:2, or a /path.
        team_id: team of a path.
        every: whether to follow all runs that wrote an entity, not only the latest.
    """

    ref: str
    team_id: Id | None = None
    every: bool = False


class TraceResponse(TypedDict):
    """The ancestry of an entity.

    Args:
        complete: false if the trace is larger than a response may be.
        runs: facts, inputs and outputs of runs, by the keys of their cards.
        data: what the runs read and wrote, by key.
    """

    ref: str
    complete: bool
    runs: dict[str, Any]
    data: dict[str, Any]
    graph: GraphResponse


@dataclass(frozen=True, kw_only=True)
class ReproductionsRequest:
    """Return the tasks that reproduced a task, or those of one attempt to do so.

    Args:
        task: number of the reproduced task.
        attempt: name of the attempt, as its runs recorded it.
    """

    task: Id | None = None
    attempt: str | None = None


class ReproductionsResponse(TypedDict):
    """Tasks of reproductions.

    Args:
        tasks: numbers of the tasks, the first one first.
    """

    tasks: list[Id]


@dataclass(frozen=True, kw_only=True)
class FileHistoryRequest:
    """Return the files that a path has had, the latest first.

    Args:
        path: the path; or else `id`.
        team_id: team of the path.
        id: number of a file that is or was at the path.
    """

    path: str | None = None
    team_id: Id | None = None
    id: Id | None = None


class HistoryFile(TypedDict):
    """One file of a path.

    Args:
        sha256: SHA-256 of its bytes.
        size: bytes.
        current: whether it is at the path now.
        number: its position among the files of the path, from 1.
        count: number of files the path has had.
        tasks: numbers of the tasks that wrote it.
    """

    id: Id
    path: str
    sha256: str | None
    size: Count
    current: bool
    number: Positive
    count: Positive
    tasks: list[Id]


class FileHistoryResponse(TypedDict):
    """The files of a path."""

    teamId: Id
    path: str
    files: list[HistoryFile]


@dataclass(frozen=True, kw_only=True)
class CardSide:
    """One side of a card.

    Args:
        card: key of the card.
    """

    card: str
    side: Literal["upstream", "downstream", "both"]


@dataclass(frozen=True, kw_only=True)
class SceneRequest(EntryRequest):
    """Return a part of the lineage as the page shows it, with positions.

    Args:
        depth: hops around the entity; 2 without it.
        expand: cards whose neighbours on a side are shown too.
        focus: card and side to which the graph is restricted.
        kinds: entity types shown.
        apps: names of the apps shown.
        since: runs that began earlier are left out.
        until: runs that began later are left out.
        clusters: whether five or more similar cards are shown as one.
        opened: keys of clusters that are shown as their cards.
        keep: keys of cards that no filter hides.
        have: digest of the graph that the caller shows; if it has not changed the response holds no graph.
    """

    depth: Count | None = None
    expand: list[CardSide] = field(default_factory=list)
    focus: CardSide | None = None
    kinds: list[str] = field(default_factory=list)
    apps: list[str] = field(default_factory=list)
    since: str | None = None
    until: str | None = None
    clusters: bool = True
    opened: list[str] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)
    have: str | None = None


class SceneResponse(TypedDict):
    """A part of the lineage; without its graph if the caller shows it already.

    Args:
        changes: the server's count of changes.
        digest: digest of the graph.
    """

    changes: Count
    digest: str


@dataclass(frozen=True, kw_only=True)
class SceneCardsRequest:
    """Return titles, links, states and other texts of cards.

    Args:
        keys: keys of the cards.
    """

    keys: Annotated[list[str], Constraint(max_length=2000)]


class SceneCardsResponse(TypedDict):
    """Texts of cards; unknown keys are left out."""

    cards: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class SceneExportRequest(SceneRequest):
    """Return a part of the lineage in another format.

    Args:
        form: the format.
    """

    form: Literal["text", "json", "mermaid", "dot", "svg", "html"]


class SceneExportResponse(TypedDict):
    """An exported graph.

    Args:
        media: media type of the text.
    """

    text: str
    media: str


GRAPH = Method(methods.GRAPH, GraphRequest, GraphResponse, (404,))
TRACE = Method(methods.TRACE, TraceRequest, TraceResponse, (404,))
REPRODUCTIONS = Method(methods.REPRODUCTIONS, ReproductionsRequest, ReproductionsResponse, (404,))
FILE_HISTORY = Method(methods.FILE_HISTORY, FileHistoryRequest, FileHistoryResponse, (404,))
SCENE = Method(methods.SCENE, SceneRequest, SceneResponse, (404,))
SCENE_CARDS = Method(methods.SCENE_CARDS, SceneCardsRequest, SceneCardsResponse)
SCENE_EXPORT = Method(methods.SCENE_EXPORT, SceneExportRequest, SceneExportResponse, (404,))
