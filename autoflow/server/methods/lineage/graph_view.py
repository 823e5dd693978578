"""``autoflow.scene``: the lineage as the page shows it, laid out, with the cards' texts sent apart when there are many.

A view is a part of the lineage (`lineage.neighbourhood`), filtered (`graph.filters`), with similar cards clustered
(`graph.clusters`) and laid out. Positions are sent as flat lists of numbers: decoding objects for twenty thousand cards
would take the page a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from autoflow.graph.clusters import cluster_cards
from autoflow.graph.filters import FilterOptions, facets, filter_graph
from autoflow.graph.graph import Card, Graph
from autoflow.graph.layout import Layout, compute_layout
from autoflow.graph.render import formats
from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.server.db import counters
from autoflow.server.db.access import caller
from autoflow.server.errors import Invalid
from autoflow.server.lineage.cards import draw_cards
from autoflow.server.lineage.neighbourhood import SIDES, DirectedTraversal, Neighbourhood, Side
from autoflow.server.lineage.walk import used_seeds, walk
from autoflow.server.methods.lineage.graph import MAX_RUNS, Entry, find_entry
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser, as_number
from autoflow.wire import methods

MAX_CARDS = MAX_RUNS  # of one view
DEPTH = 2  # hops around the entry
NEAR_CARDS = 400  # cards of a view around one entry; the others are behind "+N more"
INLINE_TEXTS = 1000  # cards up to which a view carries their texts
MAX_KEYS = 2000  # cards whose texts one request may ask for
ARROW_KINDS = ("input", "output", "version")
BACKWARD = 4  # added to the index of an arrow's kind when the arrow runs backward


class GraphView(NamedTuple):
    """A graph to be shown, and the counts the page shows beside it.

    Args:
        graph: the cards and arrows.
        more: how many neighbours were left out, by card key and side.
        facets: the values that the unfiltered graph can be filtered by.
        truncated: whether the cap left out cards within reach.
    """

    graph: Graph
    more: Mapping[str, Mapping[Side, int]]
    facets: Mapping[str, Any]
    truncated: bool


def parse_key(key: str) -> EntityRef | None:
    """Return the entity of a card's key, None for a cluster's key and for malformed ones."""
    name, _, origin = key.rpartition("@") if "://" in key else (key, "", "")
    kind, _, number = name.partition(":")
    row = ENTITY_TYPES.get(kind)
    if row is None or not number:
        return None
    ident = number if row.by_path else as_number(number)
    return None if ident is None else EntityRef(origin, row.name, ident)


def _parse_sides(request: RequestParser) -> tuple[EntityRef, Sequence[Side]]:
    """Return a card and the sides of it to expand."""
    ref, requested = parse_key(request.text("card")), request.text("side")
    sides: list[Side] = [side for side in SIDES if requested in {side, "both"}]
    if ref is None or not sides:
        raise Invalid(
            f'"{request.path}card" must be a card\'s key and "{request.path}side" upstream, downstream or both'
        )
    return ref, sides


def _neighbourhood(conn: Connection, request: RequestParser, entry: Entry) -> Neighbourhood:
    """Return the part of the lineage that a request selects."""
    if request.has("focus"):
        ref, sides = _parse_sides(RequestParser(request.fields["focus"], "focus."))
        traversal = DirectedTraversal(conn, MAX_CARDS)
        traversal.add([ref])
        for side in sides:
            traversal.add_reachable([ref], side, None)
        return traversal.neighbourhood()
    if entry.card is None:
        rows = walk(conn, None, entry.seeds, MAX_CARDS)
        return Neighbourhood(rows, {}, len(rows.cards) >= MAX_CARDS)
    depth = request.optional_number("depth")
    traversal = DirectedTraversal(conn, NEAR_CARDS)
    seeds = used_seeds(conn, entry.card, entry.seeds)
    traversal.add(seeds)
    for side in SIDES:
        traversal.add_reachable(seeds, side, DEPTH if depth is None else min(max(depth, 0), MAX_CARDS))
    expanded = [_parse_sides(item) for item in request.objects("expand", required=False)]
    if expanded:
        traversal.raise_cap(MAX_CARDS)
        for ref, sides in expanded:
            if ref.key in traversal.cards:
                for side in sides:
                    traversal.add_neighbours([ref], side)
    return traversal.neighbourhood()


def _wishes(request: RequestParser) -> FilterOptions:
    def texts(name: str) -> frozenset[str]:
        return frozenset(value for value in request.array(name, required=False) if isinstance(value, str))

    return FilterOptions(texts("kinds"), texts("apps"), request.optional_text("since"), request.optional_text("until"))


def build_view(conn: Connection, request: RequestParser) -> GraphView:
    """Return the view that a request selects, not laid out yet."""
    entry = find_entry(conn, request)
    neighbourhood = _neighbourhood(conn, request, entry)
    cards, arrows = draw_cards(conn, neighbourhood.rows)
    # New cards come last, so that those on the page keep their positions.
    ordered = sorted(cards, key=lambda card: (card.at is None, card.at or "", card.key))
    full = Graph(tuple(ordered), arrows, entry.card.key if entry.card else None, entry.title)
    shown = filter_graph(full, _wishes(request))
    if request.flag("clusters", default=True):
        texts = [value for name in ("opened", "keep") for value in request.array(name, required=False)]
        keys = {value for value in texts if isinstance(value, str)}
        shown = cluster_cards(shown, opened=keys, keep=keys)
    return GraphView(shown, neighbourhood.more, facets(full), neighbourhood.truncated)


def _compact(view: GraphView, layout: Layout) -> dict[str, Any]:
    """Return a view in wire form, its positions in flat lists.

    ``boxes`` has x, y and height of each card; ``arrows`` the ends and the kind of each arrow; ``ways`` for each arrow
    the number of its points, then their coordinates.
    """
    cards = view.graph.cards
    index = {card.key: number for number, card in enumerate(cards)}
    type_index = {name: number for number, name in enumerate(ENTITY_TYPES)}  # the page lists the types in this order
    boxes: list[int] = []
    for card in cards:
        box = layout.boxes[card.key]
        boxes += (box.x, box.y, box.height)
    arrows: list[int] = []
    ways: list[int] = []
    for route in layout.routes:
        kind = ARROW_KINDS.index(route.arrow.kind) + (BACKWARD if route.back else 0)
        arrows += (index[route.arrow.source], index[route.arrow.target], kind)
        ways.append(len(route.points))
        for point in route.points:
            ways += point
    with_texts = [card for card in cards if len(cards) <= INLINE_TEXTS or card.members]
    return {
        "title": view.graph.title,
        "entry": view.graph.entry,
        "keys": [card.key for card in cards],
        "types": [type_index[card.type] for card in cards],
        "boxes": boxes,
        "arrows": arrows,
        "ways": ways,
        "width": layout.width,
        "height": layout.height,
        "more": {
            index[key]: [sides.get(side, 0) for side in SIDES] for key, sides in view.more.items() if key in index
        },
        "cards": [card_texts(card) for card in with_texts],
        "facets": view.facets,
        "cut": view.truncated,
    }


def card_texts(card: Card) -> dict[str, Any]:
    """Return a card's fields in wire form, without the empty ones."""
    return {name: value for name, value in card.to_json().items() if value not in (None, "", ()) and value is not False}


def scene(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.scene``: a part of the lineage, laid out; only ``same`` if its digest equals ``have``."""
    changes = counters.changes(conn, caller(conn).teams)
    view = build_view(conn, request)
    digest = hashlib.blake2b(repr((view.graph, view.more, view.facets)).encode(), digest_size=12).hexdigest()
    response = {"changes": changes, "digest": digest}
    if request.fields.get("have") == digest:
        return {**response, "same": True}
    return {**response, **_compact(view, compute_layout(view.graph))}


def cards(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.scene.cards``: the texts of at most `MAX_KEYS` cards by their keys."""
    keys = request.array("keys")
    if len(keys) > MAX_KEYS:
        raise Invalid(f'"keys" has {len(keys)} entries; at most {MAX_KEYS} are allowed')
    traversal = DirectedTraversal(conn, MAX_KEYS)
    traversal.add(ref for key in keys if isinstance(key, str) and (ref := parse_key(key)) is not None)
    drawn, _ = draw_cards(conn, traversal.cards_alone())
    return {"cards": [card_texts(card) for card in drawn]}


def export(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``autoflow.scene.export``: the view in one of `formats.FORMS`, as ``text`` with its ``media`` type."""
    form = request.text("form")
    if form not in formats.RENDERERS:
        raise Invalid(f'"form" must be one of {", ".join(formats.RENDERERS)}')
    graph = build_view(conn, request).graph
    return {"text": formats.render(graph, form, formats.RenderOptions()), "media": formats.MEDIA_TYPES[form]}


READS: Mapping[str, Operation] = {
    methods.SCENE: scene,
    methods.SCENE_CARDS: cards,
    methods.SCENE_EXPORT: export,
}
WRITES: Mapping[str, Operation] = {}
