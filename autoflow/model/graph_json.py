"""Graphs and traces as JSON: what `graph` writes and reads, and what `wire.contract.lineage` answers with."""

from __future__ import annotations

from typing import Literal, TypedDict

from autoflow.model.entity_types import WireType
from autoflow.model.json_object import JsonObject


class CardIcon(TypedDict):
    """An icon.

    Args:
        name: name of a Material Design icon.
        color: hexadecimal.
        background: hexadecimal.
    """

    name: str
    color: str
    background: str


class CardLink(TypedDict):
    """The link of a card.

    Args:
        url: path on the server.
    """

    url: str
    title: str


class CardIdentity(TypedDict):
    """The members that every card has.

    Args:
        key: name of the card in arrows.
        type: entity type.
        id: number or path of the entity.
        name: name of the entity.
        title: heading of the card.
        more: number of neighbours that the graph leaves out.
    """

    key: str
    type: WireType
    id: int | str
    name: str
    title: str
    more: int


class CardJson(CardIdentity):
    """A card of a graph.

    Args:
        origin: server that issued the id; empty for the graph's own server.
        state: state of a run.
        at: time of creation or of the first edge, in ISO 8601.
        badge: number of a version, as V3.
        preview: url of a preview picture.
        parent: key of the card that this one is a version of.
        size: bytes of a file.
        members: keys of the cards that a cluster or a folded group stands for.
        collage: urls of further pictures.
        author: login of the user who made it.
        seen: minute of the last record of a running run, in ISO 8601.
        unattributed: whether a run holds records of an unknown run.
        summary: what tells it from others of its name: of a run, its input, output, result and duration; of a version,
            what changed since the one before.
    """

    origin: str
    description: str | None
    icon: CardIcon | None
    link: CardLink | None
    state: str | None
    at: str | None
    badge: str | None
    preview: str | None
    parent: str | None
    size: int | None
    members: list[str]
    collage: list[str]
    author: str | None
    seen: str | None
    unattributed: bool
    summary: str | None


class CardTexts(CardIdentity, total=False):
    """A card as the page shows it: `CardJson` without the members that are empty."""

    origin: str
    description: str
    icon: CardIcon
    link: CardLink
    state: str
    at: str
    badge: str
    preview: str
    parent: str
    size: int
    members: list[str]
    collage: list[str]
    author: str
    seen: str
    unattributed: bool
    summary: str


class _MergedArrow(TypedDict, total=False):
    edges: int


class ArrowJson(_MergedArrow):
    """An arrow of a graph.

    Args:
        source: key of a card.
        target: key of a card.
        kind: version for an arrow from a project to its version or dataset, or from a folder to its file; indirect for
            one by way of cards that a filter hides.
        edges: how many arrows of the whole graph it stands for, if more than one.
    """

    source: str
    target: str
    kind: Literal["input", "output", "version", "indirect"]


class GraphJson(TypedDict):
    """Cards and the arrows between them.

    Args:
        entry: key of the card that the graph was entered at; null for a workspace.
    """

    cards: list[CardJson]
    arrows: list[ArrowJson]
    entry: str | None
    title: str


class Facets(TypedDict):
    """The values that a graph can be filtered by.

    Args:
        kinds: number of cards by entity type.
        apps: number of runs by the app's name.
        since: start of the first run, in ISO 8601.
        until: start of the last run, in ISO 8601.
        cards: number of cards.
    """

    kinds: dict[str, int]
    apps: dict[str, int]
    since: str | None
    until: str | None
    cards: int


class RunJson(TypedDict):
    """A run of a trace.

    Args:
        ref: reference of the run, as task:5.
        task: number of its task on the server.
        name: name of the app.
        seenAt: time of the last record of a running run, in ISO 8601.
        facts: facts of the run (`model.run.RunFacts`).
        inputs: keys of the data that it read.
        outputs: keys of the data that it wrote.
    """

    ref: str
    task: int
    name: str
    state: str
    error: str | None
    startedAt: str | None
    finishedAt: str | None
    createdBy: str | None
    seenAt: str | None
    workspaceId: int
    teamId: int
    facts: JsonObject
    inputs: list[str]
    outputs: list[str]


class _DataIdentity(TypedDict):
    ref: str
    type: WireType
    id: int | str
    origin: str
    name: str


class FileJson(TypedDict):
    """A file at a path.

    Args:
        sha256: SHA-256 of its bytes.
        size: bytes.
        current: whether it is at the path now.
        number: its position among the files of the path, from 1.
        count: number of files the path has had.
    """

    name: str
    teamId: int
    path: str
    sha256: str | None
    size: int
    current: bool
    number: int
    count: int
    createdAt: str


class DataDetails(TypedDict, total=False):
    """Some members of `DataJson`."""

    ref: str
    type: WireType
    id: int | str
    origin: str
    name: str
    teamId: int
    path: str
    sha256: str | None
    size: int
    current: bool
    number: int
    count: int
    createdAt: str
    title: str | None
    projectId: int
    projectName: str
    digest: str
    models: list[str]


class DataJson(_DataIdentity, total=False):
    """Something that a run of a trace read or wrote; entities of other servers have the first members only.

    Args:
        ref: reference of the entity, as file:9.
        type: entity type.
        id: number or path of the entity.
        origin: server that issued the id; empty for the graph's own server.
        teamId: team of a file.
        path: path of a file.
        sha256: SHA-256 of a file's bytes.
        size: bytes of a file.
        current: whether a file is at its path now.
        number: number of a version in its project; position of a file among those of its path, from 1.
        count: number of files that the path has had.
        title: title of a version.
        projectId: project of a version or a dataset.
        projectName: name of a version's project.
        digest: digest of a version or a project.
        models: versions of models that a file is, as model:lemons@3 (champion).
    """

    models: list[str]
    teamId: int
    path: str
    sha256: str | None
    size: int
    current: bool
    number: int
    count: int
    createdAt: str
    title: str | None
    projectId: int
    projectName: str
    digest: str


class TraceJson(TypedDict):
    """The ancestry of an entity.

    Args:
        complete: false if the trace is larger than a response may be.
        runs: runs, by the keys of their cards.
        data: what the runs read and wrote, by key.
    """

    ref: str
    complete: bool
    runs: dict[str, RunJson]
    data: dict[str, DataJson]
    graph: GraphJson


class ImpactRun(TypedDict):
    """A run that used what an impact is of.

    Args:
        ref: reference of the run, as task:5.
        task: number of its task on the server.
        name: name of the app.
        createdBy: login of a user.
    """

    ref: str
    task: int
    name: str
    state: str
    error: str | None
    startedAt: str | None
    finishedAt: str | None
    createdBy: str | None


class ImpactData(DataJson, total=False):
    """Data that was made from something, as `DataJson`.

    Args:
        createdBy: login of the user whose run wrote it last.
        lastUsedAt: time of the last read of it that a run recorded, in ISO 8601.
    """

    createdBy: str | None
    lastUsedAt: str | None


class ImageHolding(TypedDict):
    """A dataset that has an image, or had it.

    Args:
        image: number of the image.
        name: name of the image in the dataset.
        current: whether the dataset has it now.
        versions: number of the project's versions that have it.
        firstVersion: number of the first of these versions in the project.
        lastVersion: number of the last of them.
    """

    image: int
    name: str
    datasetId: int
    projectId: int
    projectName: str
    current: bool
    versions: int
    firstVersion: int | None
    lastVersion: int | None


class ImpactJson(TypedDict):
    """Everything that was made from an entity or an image.

    Args:
        ref: reference of what the impact is of.
        complete: false if there is more than a response may hold.
        omitted: how many more runs and data are known then; there may be others behind them.
        images: where an image is and was; empty for an entity.
        roots: keys of the cards at which the tree begins.
        runs: the runs, by the keys of their cards.
        data: what the runs read and wrote, by key.
    """

    ref: str
    complete: bool
    omitted: int
    images: list[ImageHolding]
    roots: list[str]
    runs: dict[str, ImpactRun]
    data: dict[str, ImpactData]
    graph: GraphJson
