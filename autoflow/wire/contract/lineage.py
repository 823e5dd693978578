"""Reading lineage: graphs, the ancestry of an entity, the files of a path, and reproductions of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypedDict

from autoflow.model.graph_json import CardTexts, Facets, FileJson, GraphJson, ImpactJson, TraceJson
from autoflow.wire import methods
from autoflow.wire.contract.method import Constraint, Count, Id, Method, Name


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


@dataclass(frozen=True, kw_only=True)
class ImpactRequest:
    """Return what was made from an entity or an image: the runs that read it, what these wrote, and so on.

    Args:
        ref: as in `TraceRequest`, and image:3, dataset:4/a.png, or the sha256 of an image or a file.
        team_id: team of a path.
    """

    ref: str
    team_id: Id | None = None


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


class HistoryFile(FileJson):
    """One file of a path.

    Args:
        author: login of the user who uploaded it.
        tasks: numbers of the tasks that wrote it.
    """

    id: Id
    author: str | None
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
        fold: which groups are shown as one card each: none, all, or all if it is a large workspace (over 300 cards).
        folded: keys of groups that are shown as one card whatever `fold` says.
        unfolded: keys of groups that are shown as their cards whatever `fold` says.
        keep: keys of cards that no filter hides.
        positions: x and y of cards that the caller shows already, by key; they stay there.
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
    fold: Literal["none", "large", "all"] = "none"
    folded: list[str] = field(default_factory=list)
    unfolded: list[str] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)
    positions: dict[str, tuple[int, int]] = field(default_factory=dict)
    have: str | None = None


class SceneGroup(TypedDict):
    """A group of cards: those of a project, or connected ones without a project.

    Args:
        key: key of the card that it is shown as when it is folded.
        cards: number of its cards.
        folded: whether it is shown as one card.
    """

    key: str
    title: str
    cards: Count
    folded: bool


class _SceneGraph(TypedDict, total=False):
    same: bool
    title: str
    entry: str | None
    keys: list[str]
    types: list[int]
    states: dict[str, list[int]]
    boxes: list[int]
    arrows: list[int]
    ways: list[int]
    edges: dict[str, Count]
    groups: list[SceneGroup]
    grouping: list[int]
    begin: str | None
    times: list[int]
    member_times: dict[str, list[int]]
    width: int
    height: int
    more: dict[str, tuple[Count, Count]]
    cards: list[CardTexts]
    facets: Facets
    cut: bool


class SceneResponse(_SceneGraph):
    """A part of the lineage; without its graph, but with `same`, if the caller shows it already.

    Args:
        changes: the server's count of changes.
        digest: digest of the graph.
        same: true if the graph has the digest that the request had.
        entry: key of the card that the graph was requested for; null for a workspace's.
        keys: key of each card; elsewhere a card is named by its position in this list.
        types: type of each card, as a position in the registry of entity types.
        states: cards of runs by the run's state, as positions in `keys`.
        boxes: x, y and height of each card, in pixels.
        arrows: source, target and kind of each arrow: 0 input, 1 output, 2 version, 3 indirect; 4 more if it runs
            backward.
        ways: of each arrow, the number of its points, then their coordinates.
        edges: how many arrows of the whole graph an arrow stands for, by its position, if more than one.
        groups: the groups; empty if there is only one.
        grouping: group of each card, as a position in `groups`, -1 for none; empty without groups.
        begin: earliest time of a card, in ISO 8601; null if none has a time.
        times: seconds from `begin` at which each card appears, less those of the card before; a cluster or a folded
            group appears with its first card, a card without a time at the beginning.
        member_times: the same of the cards of a cluster or a folded group, in order of time, by its position.
        more: numbers of neighbours left out upstream and downstream, by card.
        cards: texts of the cards; if there are many, only those of clusters and folded groups.
        cut: whether there are more cards than a response may have.
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

    cards: list[CardTexts]


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


@dataclass(frozen=True, kw_only=True)
class FilesWrittenRequest:
    """Return the files of a folder that were uploaded while a task ran, the last one of each path.

    Args:
        task: number of the task.
        folder: path of the folder in the files of the task's team.
    """

    task: Id
    folder: Name


class WrittenFile(TypedDict):
    """A file that was uploaded while a task ran.

    Args:
        path: path in the team's files.
        sha256: SHA-256 of its bytes.
        size: bytes.
    """

    path: str
    sha256: str | None
    size: Count


class FilesWrittenResponse(TypedDict):
    """Files by path.

    Args:
        files: files, at most 10,000.
        complete: false if there are more.
    """

    files: list[WrittenFile]
    complete: bool


GRAPH = Method(methods.GRAPH, GraphRequest, GraphJson, (404,))
TRACE = Method(methods.TRACE, TraceRequest, TraceJson, (404,))
IMPACT = Method(methods.IMPACT, ImpactRequest, ImpactJson, (404,))
REPRODUCTIONS = Method(methods.REPRODUCTIONS, ReproductionsRequest, ReproductionsResponse, (404,))
FILE_HISTORY = Method(methods.FILE_HISTORY, FileHistoryRequest, FileHistoryResponse, (404,))
FILES_WRITTEN = Method(methods.FILES_WRITTEN, FilesWrittenRequest, FilesWrittenResponse, (404,))
SCENE = Method(methods.SCENE, SceneRequest, SceneResponse, (404,))
SCENE_CARDS = Method(methods.SCENE_CARDS, SceneCardsRequest, SceneCardsResponse)
SCENE_EXPORT = Method(methods.SCENE_EXPORT, SceneExportRequest, SceneExportResponse, (404,))
