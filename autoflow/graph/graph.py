"""The graph as a value: cards, arrows between them, and where it was entered."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from autoflow.model.entity_types import WireType

ArrowKind = Literal["input", "output", "version"]

SHOWN = 200  # cards in a notebook's picture


@dataclass(frozen=True, slots=True)
class Icon:
    """A Material Design Icons name (without ``zmdi-``) and two hexadecimal colours."""

    name: str
    color: str
    background: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where a card leads; `url` starts with exactly one slash."""

    url: str
    title: str


@dataclass(frozen=True, slots=True)
class Card:
    """One node: a data card, or the card of an app's run (type ``task``).

    Args:
        key: `EntityRef.key`, unique in the graph.
        type: what is drawn; a file that any edge calls a model weight is a ``model_weight``.
        id: the number, or a folder's path.
        name: the entity's own name, independent of how edges customise the card.
        title: what the card shows; the customised title, else the name.
        origin: empty for the server's own, else the server the number belongs to.
        state: of a run: running, finished, failed, ended, lost; None for data.
        seen: of a running run, the minute of its last record (ISO 8601), else None.
        unattributed: of a run, whether it holds records of which it is not known what run caused them.
        at: ISO 8601 time of creation or of the first edge, None when unknown.
        badge: ``V3`` on the card of version number 3, and on that of the third file a path has had.
        preview: url of a preview picture, None without one.
        author: login of the user who made it, None when unknown.
        collage: urls of further pictures to show beside it, at most three.
        parent: key of the card this one is a version of.
        more: how many further neighbours were left out of this graph.
        size: of a file, in bytes, None when unknown.
        members: of a cluster, the keys of the cards it stands for.
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

    def to_json(self) -> dict[str, Any]:
        """Give plain values; written out because `asdict` takes ten times as long, and there may be thousands."""
        form = {name: getattr(self, name) for name in _CARD}
        form["icon"] = asdict(self.icon) if self.icon else None
        form["link"] = {"url": self.link.url, "title": self.link.title} if self.link else None
        return form


_CARD = tuple(Card.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Arrow:
    """From `source` to `target` by key: data into a run (input), out of it (output), or a project to its version."""

    source: str
    target: str
    kind: ArrowKind


@dataclass(frozen=True, slots=True)
class Graph:
    """Cards in a stable order, arrows in the order recorded, and the key of the card the viewer came from."""

    cards: tuple[Card, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    entry: str | None = None
    title: str = field(default="Workflow")

    def to_json(self) -> dict[str, Any]:
        """Give plain dicts and lists, the answer of ``autoflow.graph``."""
        arrows = [{"source": arrow.source, "target": arrow.target, "kind": arrow.kind} for arrow in self.arrows]
        cards = [card.to_json() for card in self.cards]
        return {"cards": cards, "arrows": arrows, "entry": self.entry, "title": self.title}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> Graph:
        """Read `to_json` back; unknown keys of cards are ignored, so that an older client reads a newer server."""
        known = set(Card.__dataclass_fields__)
        cards = []
        for card in form.get("cards", ()):
            values = {key: value for key, value in card.items() if key in known}
            if values.get("icon") is not None:
                values["icon"] = Icon(**values["icon"])
            if values.get("link") is not None:
                values["link"] = Link(**values["link"])
            for name in ("members", "collage"):
                values[name] = tuple(values.get(name, ()))
            cards.append(Card(**values))
        arrows = tuple(Arrow(arrow["source"], arrow["target"], arrow["kind"]) for arrow in form.get("arrows", ()))
        return cls(tuple(cards), arrows, form.get("entry"), form.get("title", "Workflow"))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Give what a notebook shows: the text, and a still picture of at most `SHOWN` cards; nothing runs in it.

        In the picture five or more cards that are alike are one.
        """
        from autoflow.graph.clusters import clustered
        from autoflow.graph.render.svg import svg
        from autoflow.graph.render.text import text
        from autoflow.graph.subgraph import first

        picture = svg(first(clustered(self), SHOWN))
        wide = f'<div style="overflow:auto">{picture}</div>'
        return {"text/plain": text(first(self, SHOWN)), "text/html": wide, "image/svg+xml": picture}
