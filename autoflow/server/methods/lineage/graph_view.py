"""``autoflow.scene``: the lineage as the page shows it, with places; its cards' words apart when there are many.

A scene is a part of the lineage (`drawing.hops`), narrowed (`graph.facets`), with like cards taken together
(`graph.clusters`) and laid out. Places go as flat lists of numbers: twenty thousand cards are a page's first second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from autoflow.graph.clusters import clustered
from autoflow.graph.filters import Wishes, facets, narrowed
from autoflow.graph.graph import Card, Graph
from autoflow.graph.layout import Layout, lay_out
from autoflow.graph.render import formats
from autoflow.model.entity import WIRE_TYPES, EntityRef
from autoflow.server.db import counters
from autoflow.server.db.access import caller
from autoflow.server.errors import Invalid
from autoflow.server.lineage.cards import draw_cards
from autoflow.server.lineage.neighbourhood import SIDES, Hops, Part, Side
from autoflow.server.lineage.walk import used, walk
from autoflow.server.methods.lineage.graph import LARGEST, Entry, entered
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser, as_number
from autoflow.wire import methods

DEPTH = 2  # hops shown around the entry
NEAR = 400  # cards of a scene around one thing: what more there is waits behind "+N more"
WORDED = 1000  # cards up to which a scene carries their words
ASKED = 2000  # cards whose words are given at once
WAYS = ("input", "output", "version")
BACK = 4  # added to the number of an arrow's kind when it runs back


class Scene(NamedTuple):
    """A graph to be shown, and what the page says about it."""

    graph: Graph
    more: Mapping[str, Mapping[Side, int]]
    facets: Mapping[str, Any]
    cut: bool


def read_key(key: str) -> EntityRef | None:
    """The entity of a card's key; None for a cluster's, and what is none."""
    named, _, origin = key.rpartition("@") if "://" in key else (key, "", "")
    kind, _, number = named.partition(":")
    if kind not in WIRE_TYPES or not number:
        return None
    known = number if kind == "folder" else as_number(number)
    return None if known is None else EntityRef(origin, kind, known)


def _sides(request: RequestParser) -> tuple[EntityRef, Sequence[Side]]:
    """A card and a side of it, or both."""
    ref, named = read_key(request.text("card")), request.text("side")
    sides: list[Side] = [side for side in SIDES if named in {side, "both"}]
    if ref is None or not sides:
        raise Invalid(
            f'"{request.path}card" must be a card\'s key and "{request.path}side" upstream, downstream or both'
        )
    return ref, sides


def _found(conn: Connection, request: RequestParser, entry: Entry) -> Part:
    """The part of the lineage that is asked for."""
    hops = Hops(conn, LARGEST)
    if request.has("focus"):
        ref, sides = _sides(RequestParser(request.fields["focus"], "focus."))
        hops.take([ref])
        for side in sides:
            hops.reach([ref], side, None)
        return hops.part()
    if entry.card is None:
        found = walk(conn, None, entry.seeds, LARGEST)
        return Part(found, {}, len(found.cards) >= LARGEST)
    depth = request.optional_number("depth")
    hops = Hops(conn, NEAR)
    seeds = used(conn, entry.card, entry.seeds)
    hops.take(seeds)
    for side in SIDES:
        hops.reach(seeds, side, DEPTH if depth is None else min(max(depth, 0), LARGEST))
    opening = [_sides(one) for one in request.objects("expand", required=False)]
    if opening:
        hops.widen(LARGEST)
        for ref, sides in opening:
            if ref.key in hops.cards:
                for side in sides:
                    hops.step([ref], side)
    return hops.part()


def _wishes(request: RequestParser) -> Wishes:
    def texts(name: str) -> frozenset[str]:
        return frozenset(value for value in request.array(name, required=False) if isinstance(value, str))

    return Wishes(texts("kinds"), texts("apps"), request.optional_text("since"), request.optional_text("until"))


def draw(conn: Connection, request: RequestParser) -> Scene:
    """The scene that a request asks for, not laid out yet."""
    entry = entered(conn, request)
    part = _found(conn, request, entry)
    cards, arrows = draw_cards(conn, part.found)
    # what is new comes last, so that what was there keeps its place
    ordered = sorted(cards, key=lambda card: (card.at is None, card.at or "", card.key))
    whole = Graph(tuple(ordered), arrows, entry.card.key if entry.card else None, entry.title)
    shown = narrowed(whole, _wishes(request))
    if request.flag("clusters", default=True):
        texts = [value for name in ("opened", "keep") for value in request.array(name, required=False)]
        names = {value for value in texts if isinstance(value, str)}
        shown = clustered(shown, opened=names, keep=names)
    return Scene(shown, part.more, facets(whole), part.cut)


def _compact(scene: Scene, placed: Layout) -> dict[str, Any]:
    """Places as flat lists: x, y and height of cards; ends and kind of arrows; corners of ways, after their count."""
    cards = scene.graph.cards
    index = {card.key: number for number, card in enumerate(cards)}
    boxes: list[int] = []
    for card in cards:
        box = placed.boxes[card.key]
        boxes += (box.x, box.y, box.height)
    arrows: list[int] = []
    ways: list[int] = []
    for route in placed.routes:
        kind = WAYS.index(route.arrow.kind) + (BACK if route.back else 0)
        arrows += (index[route.arrow.source], index[route.arrow.target], kind)
        ways.append(len(route.points))
        for point in route.points:
            ways += point
    worded = [card for card in cards if len(cards) <= WORDED or card.members]
    return {
        "title": scene.graph.title,
        "entry": scene.graph.entry,
        "keys": [card.key for card in cards],
        "types": [WIRE_TYPES.index(card.type) for card in cards],
        "boxes": boxes,
        "arrows": arrows,
        "ways": ways,
        "width": placed.width,
        "height": placed.height,
        "more": {
            index[key]: [sides.get(side, 0) for side in SIDES] for key, sides in scene.more.items() if key in index
        },
        "cards": [words(card) for card in worded],
        "facets": scene.facets,
        "cut": scene.cut,
    }


def words(card: Card) -> dict[str, Any]:
    """A card's words: what is there of them."""
    return {name: value for name, value in card.to_json().items() if value not in (None, "", ()) and value is not False}


def scene(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.scene``: a part of the lineage, laid out; ``{"same": true}`` when it is what the caller ``have``."""
    changes = counters.changes(conn, caller(conn).teams)
    drawn = draw(conn, request)
    digest = hashlib.blake2b(repr((drawn.graph, drawn.more, drawn.facets)).encode(), digest_size=12).hexdigest()
    told = {"changes": changes, "digest": digest}
    if request.fields.get("have") == digest:
        return {**told, "same": True}
    return {**told, **_compact(drawn, lay_out(drawn.graph))}


def cards(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.scene.cards``: the words of cards by their keys, at most `ASKED` at once."""
    keys = request.array("keys")
    if len(keys) > ASKED:
        raise Invalid(f'"keys" are at most {ASKED} at once')
    hops = Hops(conn, ASKED)
    hops.take(ref for key in keys if isinstance(key, str) and (ref := read_key(key)) is not None)
    drawn, _ = draw_cards(conn, hops.alone())
    return {"cards": [words(card) for card in drawn]}


def export(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.scene.export``: the scene in one of `forms.FORMS`, as ``text`` with its ``media`` type."""
    form = request.text("form")
    if form not in formats.FORMS:
        raise Invalid(f'"form" must be one of {", ".join(formats.FORMS)}')
    graph = draw(conn, request).graph
    return {"text": formats.write(graph, form, formats.Reader()), "media": formats.MEDIA[form]}


READS: Mapping[str, Operation] = {
    methods.SCENE: scene,
    methods.SCENE_CARDS: cards,
    methods.SCENE_EXPORT: export,
}
WRITES: Mapping[str, Operation] = {}
