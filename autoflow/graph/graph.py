"""A graph: its cards, the arrows between them, and the card that it was opened for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypedDict, TypeVar

from autoflow.model.entity_types import WireType
from autoflow.model.graph_json import ArrowJson, CardJson, GraphJson

ArrowKind = Literal["input", "output", "version", "indirect"]

GraphT = TypeVar("GraphT", bound="Graph")


@dataclass(frozen=True, slots=True)
class Icon:
    """A Material Design Icons name (without ``zmdi-``) and two hexadecimal colors."""

    name: str
    color: str
    background: str


@dataclass(frozen=True, slots=True)
class Link:
    """The target of a card; `url` starts with exactly one slash."""

    url: str
    title: str


class CardOptions(TypedDict, total=False):
    """Members of a card beside those that identify it, by name."""

    name: str
    title: str
    summary: str | None
    description: str | None
    icon: Icon | None
    link: Link | None
    state: str | None
    at: str | None
    badge: str | None
    preview: str | None
    parent: str
    size: int | None
    collage: tuple[str, ...]
    author: str | None
    seen: str | None
    unattributed: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One node: a data card, or the card of an app's run (type ``task``).

    Args:
        key: `EntityRef.key`, unique in the graph.
        type: the entity's type; a file that any edge calls a model weight is a ``model_weight``.
        id: the number, or a folder's path.
        name: the entity's own name, whatever title the card has.
        title: the card's heading: the customised title, else the name.
        origin: the server that issued the id; empty for the graph's own server.
        state: of a run: running, finished, failed, ended, lost; None for data.
        seen: of a running run, the minute of its last record (ISO 8601), else None.
        unattributed: of a run, whether it holds records of an unknown run.
        summary: what tells it from others of its name: a run's input, output, result and duration; what a version
            changed; None without any.
        at: ISO 8601 time of creation or of the first edge, None when unknown.
        badge: ``V3`` on the card of version number 3, and on that of the third file at a path.
        preview: url of a preview picture, None without one.
        author: login of the user who made it, None when unknown.
        collage: urls of further pictures to show beside it, at most three.
        parent: of a version, the key of its project's card.
        more: the number of neighbours that this graph leaves out.
        size: of a file, in bytes, None when unknown.
        members: of a cluster, the keys of the cards that it replaces.
    """

    key: str
    type: WireType
    id: int | str
    name: str
    title: str
    origin: str = ""
    description: str | None = None
    icon: Icon | None = None
    link: Link | None = None
    state: str | None = None
    at: str | None = None
    badge: str | None = None
    preview: str | None = None
    parent: str | None = None
    more: int = 0
    size: int | None = None
    members: tuple[str, ...] = ()
    collage: tuple[str, ...] = ()
    author: str | None = None
    seen: str | None = None
    unattributed: bool = False
    summary: str | None = None

    def to_json(self) -> CardJson:
        """Return the fields as JSON values."""
        # `asdict` takes ten times as long, and there may be thousands of cards
        icon, link = self.icon, self.link
        return {
            "key": self.key,
            "type": self.type,
            "id": self.id,
            "name": self.name,
            "title": self.title,
            "origin": self.origin,
            "description": self.description,
            "icon": {"name": icon.name, "color": icon.color, "background": icon.background} if icon else None,
            "link": {"url": link.url, "title": link.title} if link else None,
            "state": self.state,
            "at": self.at,
            "badge": self.badge,
            "preview": self.preview,
            "parent": self.parent,
            "more": self.more,
            "size": self.size,
            "members": list(self.members),
            "collage": list(self.collage),
            "author": self.author,
            "seen": self.seen,
            "unattributed": self.unattributed,
            "summary": self.summary,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Card:
        """Read `to_json` back, ignoring unknown fields, so that an older client reads a newer server."""
        values = {name: value for name, value in data.items() if name in _CARD_FIELDS}
        if values.get("icon") is not None:
            values["icon"] = Icon(**values["icon"])
        if values.get("link") is not None:
            values["link"] = Link(**values["link"])
        for name in ("members", "collage"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)


_CARD_FIELDS = tuple(Card.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow between two cards, by their keys.

    It leads from data to the run that read it (``input``), from a run to what it wrote (``output``), or from what
    contains data to the data (``version``), such as from a project to its version. Where a filter hides the cards
    between two cards, an arrow leads from one to the other (``indirect``).

    Args:
        edges: how many arrows of the whole graph it stands for, if its ends stand for several cards.
    """

    source: str
    target: str
    kind: ArrowKind
    edges: int = field(default=1, compare=False)

    def to_json(self) -> ArrowJson:
        """Return JSON values; `edges` only if there are several."""
        arrow: ArrowJson = {"source": self.source, "target": self.target, "kind": self.kind}
        if self.edges > 1:
            arrow["edges"] = self.edges
        return arrow


def renamed_arrows(arrows: Iterable[Arrow], names: Mapping[str, str]) -> Iterator[Arrow]:
    """Yield arrows between the cards that stand for their ends.

    Args:
        arrows: the arrows.
        names: keys of cards by the keys of those that they stand for.
    """
    for arrow in arrows:
        source, target = names.get(arrow.source, arrow.source), names.get(arrow.target, arrow.target)
        is_same = source == arrow.source and target == arrow.target
        yield arrow if is_same else Arrow(source, target, arrow.kind, arrow.edges)


def merge_arrows(arrows: Iterable[Arrow]) -> tuple[Arrow, ...]:
    """Merge arrows of the same kind between the same cards, and count the edges that each stands for."""
    counts: dict[Arrow, int] = {}
    for arrow in arrows:
        counts[arrow] = counts.get(arrow, 0) + arrow.edges
    return tuple(arrow if arrow.edges == count else replace(arrow, edges=count) for arrow, count in counts.items())


@dataclass(frozen=True, slots=True)
class Graph:
    """Cards in a stable order, arrows in the order recorded, and the key of the card that the graph was opened for."""

    cards: tuple[Card, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    entry: str | None = None
    title: str = "Workflow"

    def to_json(self) -> GraphJson:
        """Return JSON values, the response of ``autoflow.graph``."""
        cards = [card.to_json() for card in self.cards]
        return {
            "cards": cards,
            "arrows": [arrow.to_json() for arrow in self.arrows],
            "entry": self.entry,
            "title": self.title,
        }

    @classmethod
    def from_json(cls: type[GraphT], data: Mapping[str, Any]) -> GraphT:
        """Read `to_json` back."""
        cards = tuple(Card.from_json(card) for card in data.get("cards", ()))
        arrows = tuple(
            Arrow(arrow["source"], arrow["target"], arrow["kind"], arrow.get("edges", 1))
            for arrow in data.get("arrows", ())
        )
        return cls(cards, arrows, data.get("entry"), data.get("title", "Workflow"))
