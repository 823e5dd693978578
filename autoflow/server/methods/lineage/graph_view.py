"""``autoflow.scene``: the lineage as the page shows it, laid out, with the cards' texts sent apart when there are many.

A view is a part of the lineage (`lineage.neighbourhood`), filtered (`graph.filters`), with groups folded
(`graph.groups`), similar cards clustered (`graph.clusters`) and laid out. Positions are sent as flat lists of numbers:
decoding objects for twenty thousand cards would take the page a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, cast

from sqlalchemy import Connection

from autoflow.graph.clusters import cluster_cards
from autoflow.graph.filters import FilterOptions, facets, filter_graph
from autoflow.graph.graph import Card, Graph
from autoflow.graph.groups import Group, find_groups, fold_groups
from autoflow.graph.layout import Layout, compute_layout
from autoflow.graph.render import formats
from autoflow.model.entity import EntityRef
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.model.graph_json import CardTexts, Facets
from autoflow.server.db import counters
from autoflow.server.db.access import caller
from autoflow.server.errors import Invalid, shortened
from autoflow.server.lineage.cards import draw_cards
from autoflow.server.lineage.neighbourhood import SIDES, DirectedTraversal, Neighbourhood, Side
from autoflow.server.lineage.timeline import Timeline, first_times
from autoflow.server.lineage.walk import used_seeds, walk
from autoflow.server.methods.lineage.graph import MAX_RUNS, Entry, find_entry
from autoflow.server.operations import Operation, by_name, implements
from autoflow.server.request_parser import as_number
from autoflow.wire.contract import lineage as contract

MAX_CARDS = MAX_RUNS  # of one view
DEFAULT_DEPTH = 2  # hops around the entry
NEAR_CARDS = 400  # cards of a view around one entry; the others are behind "+N more"
UNFOLDED_CARDS = 300  # cards of a workspace up to which no group is folded by itself
INLINE_TEXTS = 1000  # cards up to which a view carries their texts
MAX_KEYS = 2000  # cards whose texts one request may ask for
ARROW_KINDS = ("input", "output", "version", "indirect")
BACKWARD = 4  # added to the index of an arrow's kind when the arrow runs backward


class GraphView(NamedTuple):
    """A graph to be shown, and the counts the page shows beside it.

    Args:
        graph: the cards and arrows.
        more: how many neighbours were left out, by card key and side.
        facets: the values that the unfiltered graph can be filtered by.
        truncated: whether the cap left out cards within reach.
        groups: the groups of the unfiltered graph.
        folded: keys of the groups that are shown as one card.
        times: the times of the unfiltered graph's cards, by key.
    """

    graph: Graph
    more: Mapping[str, Mapping[Side, int]]
    facets: Facets
    truncated: bool
    groups: Sequence[Group] = ()
    folded: frozenset[str] = frozenset()
    times: Mapping[str, str | None] = MappingProxyType({})


def parse_key(key: str) -> EntityRef | None:
    """Return the entity of a card's key, None for a cluster's key and for malformed ones."""
    name, _, origin = key.rpartition("@") if "://" in key else (key, "", "")
    kind, _, number = name.partition(":")
    row = ENTITY_TYPES.get(kind)
    if row is None or not number:
        return None
    ident = number if row.by_path else as_number(number)
    return None if ident is None else EntityRef(origin, row.name, ident)


def _parse_sides(request: contract.CardSide) -> tuple[EntityRef, Sequence[Side]]:
    """Return a card and the sides of it to expand."""
    ref = parse_key(request.card)
    if ref is None:
        raise Invalid(f'"card" must be the key of a card, not {shortened(request.card)}')
    return ref, [side for side in SIDES if request.side in {side, "both"}]


def _neighbourhood(conn: Connection, request: contract.SceneRequest, entry: Entry) -> Neighbourhood:
    """Return the part of the lineage that a request selects."""
    if request.focus is not None:
        ref, sides = _parse_sides(request.focus)
        traversal = DirectedTraversal(conn, MAX_CARDS)
        traversal.add([ref])
        for side in sides:
            traversal.add_reachable([ref], side, None)
        return traversal.neighbourhood()
    if entry.card is None:
        rows = walk(conn, None, entry.seeds, MAX_CARDS, with_counts=False)
        return Neighbourhood(rows, {}, len(rows.cards) >= MAX_CARDS)
    traversal = DirectedTraversal(conn, NEAR_CARDS)
    seeds = used_seeds(conn, entry.card, entry.seeds)
    traversal.add(seeds)
    depth = DEFAULT_DEPTH if request.depth is None else min(max(request.depth, 0), MAX_CARDS)
    for side in SIDES:
        traversal.add_reachable(seeds, side, depth)
    expanded = [_parse_sides(item) for item in request.expand]
    if expanded:
        traversal.raise_cap(MAX_CARDS)
        for ref, sides in expanded:
            if ref.key in traversal.cards:
                for side in sides:
                    traversal.add_neighbours([ref], side)
    return traversal.neighbourhood()


def build_view(conn: Connection, request: contract.SceneRequest, *, with_texts: bool = False) -> GraphView:
    """Return the view that a request selects, not laid out yet; of a large one the summaries only `with_texts`."""
    entry = find_entry(conn, request)
    neighbourhood = _neighbourhood(conn, request, entry)
    with_summaries = with_texts or len(neighbourhood.rows.cards) <= INLINE_TEXTS
    cards, arrows = draw_cards(conn, neighbourhood.rows, with_summaries=with_summaries)
    # New cards come last, so that those on the page keep their positions.
    ordered = sorted(cards, key=lambda card: (card.at is None, card.at or "", card.key))
    full = Graph(tuple(ordered), arrows, entry.card.key if entry.card else None, entry.title)
    kinds, apps = frozenset(request.kinds), frozenset(request.apps)
    shown = filter_graph(full, FilterOptions(kinds, apps, request.since, request.until))
    groups = find_groups(full)
    folded = _folded_groups(request, full, groups)
    shown = fold_groups(shown, folded)
    if request.clusters:
        keys = {*request.opened, *request.keep, *(group.key for group in folded)}
        shown = cluster_cards(shown, within=fold_groups(full, folded), expanded=keys, separate=keys)
    folded_keys = frozenset(group.key for group in folded)
    return GraphView(
        shown, neighbourhood.more, facets(full), neighbourhood.truncated, groups, folded_keys, first_times(full)
    )


def _folded_groups(request: contract.SceneRequest, full: Graph, groups: Sequence[Group]) -> list[Group]:
    """Return the groups to fold; in a large workspace not those of the cards that the caller keeps."""
    keep = {*request.keep, full.entry}
    is_large = full.entry is None and len(full.cards) > UNFOLDED_CARDS and len(groups) > 1
    folded = []
    for group in groups:
        by_default = request.fold == "all" or (
            request.fold == "large" and is_large and not any(card.key in keep for card in group.cards)
        )
        if group.key in request.folded or (by_default and group.key not in request.unfolded):
            folded.append(group)
    return folded


def _groups(view: GraphView) -> tuple[list[contract.SceneGroup], list[int]]:
    """Return the groups in wire form, and the group of each card; empty if there is but one group."""
    if len(view.groups) < 2:
        return [], []
    group_of: dict[str, int] = {}
    for number, group in enumerate(view.groups):
        group_of[group.key] = number
        group_of |= dict.fromkeys((card.key for card in group.cards), number)
    listed: list[contract.SceneGroup] = [
        {"key": group.key, "title": group.title, "cards": len(group.cards), "folded": group.key in view.folded}
        for group in view.groups
    ]
    # the cards of a cluster are alike, but may be of several groups: it has that of its first card
    return listed, [group_of.get(card.members[0] if card.members else card.key, -1) for card in view.graph.cards]


def _compact(changes: int, digest: str, view: GraphView, layout: Layout) -> contract.SceneResponse:
    """Return a view in wire form, its positions in flat lists (`contract.SceneResponse`)."""
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
    groups, grouping = _groups(view)
    timeline = Timeline.of(cards, view.times)
    with_texts = [card for card in cards if len(cards) <= INLINE_TEXTS or card.members]
    return {
        "changes": changes,
        "digest": digest,
        "title": view.graph.title,
        "entry": view.graph.entry,
        "keys": [card.key for card in cards],
        "types": [type_index[card.type] for card in cards],
        "states": _positions_by_state(cards),
        "boxes": boxes,
        "arrows": arrows,
        "ways": ways,
        "edges": {
            str(number): route.arrow.edges for number, route in enumerate(layout.routes) if route.arrow.edges > 1
        },
        "groups": groups,
        "grouping": grouping,
        "begin": timeline.begin,
        "times": timeline.times,
        "member_times": timeline.member_times,
        "width": layout.width,
        "height": layout.height,
        "more": {
            str(index[key]): (sides.get("upstream", 0), sides.get("downstream", 0))
            for key, sides in view.more.items()
            if key in index
        },
        "cards": [card_texts(card) for card in with_texts],
        "facets": view.facets,
        "cut": view.truncated,
    }


def _positions_by_state(cards: Sequence[Card]) -> dict[str, list[int]]:
    """Return the positions of the runs in each state: seen from afar, a card is shown by its type and state alone."""
    positions: dict[str, list[int]] = {}
    for number, card in enumerate(cards):
        if card.state:
            positions.setdefault(card.state, []).append(number)
    return positions


def card_texts(card: Card) -> CardTexts:
    """Return a card's fields in wire form, without the empty ones."""
    members = card.to_json().items()
    texts = {name: value for name, value in members if value not in (None, "", []) and value is not False}
    return cast("CardTexts", texts)


@implements(contract.SCENE)
def scene(conn: Connection, request: contract.SceneRequest) -> contract.SceneResponse:
    """``autoflow.scene``: a part of the lineage, laid out; only ``same`` if its digest equals ``have``."""
    changes = counters.changes(conn, caller(conn).teams)
    view = build_view(conn, request)
    digest = hashlib.blake2b(
        repr((view.graph, view.more, view.facets, view.folded and sorted(view.folded))).encode(), digest_size=12
    ).hexdigest()
    if request.have == digest:
        return {"changes": changes, "digest": digest, "same": True}
    return _compact(changes, digest, view, compute_layout(view.graph, request.positions))


@implements(contract.SCENE_CARDS)
def cards(conn: Connection, request: contract.SceneCardsRequest) -> contract.SceneCardsResponse:
    """``autoflow.scene.cards``: the texts of at most `MAX_KEYS` cards by their keys."""
    traversal = DirectedTraversal(conn, MAX_KEYS)
    traversal.add(ref for key in request.keys if (ref := parse_key(key)) is not None)
    drawn, _ = draw_cards(conn, traversal.cards_alone())
    return {"cards": [card_texts(card) for card in drawn]}


@implements(contract.SCENE_EXPORT)
def export(conn: Connection, request: contract.SceneExportRequest) -> contract.SceneExportResponse:
    """``autoflow.scene.export``: the view in one of `formats.FORMS`, as ``text`` with its ``media`` type."""
    graph = build_view(conn, request, with_texts=True).graph
    return {
        "text": formats.render(graph, request.form, formats.RenderOptions()),
        "media": formats.MEDIA_TYPES[request.form],
    }


READS: Mapping[str, Operation] = by_name(scene, cards, export)
WRITES: Mapping[str, Operation] = {}
