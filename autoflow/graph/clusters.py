"""Clusters: similar cards drawn as one, so that twelve runs of one app on the same data are one card to expand.

Cards are similar if they have the same type (runs: the same app and state; versions: the same project) and rank, if
their neighbours are the same or in one cluster (`refinement`), and if they are siblings: they share a neighbour, or
their neighbours are siblings. So an arrow at a cluster holds for each of its cards, unless the cluster at its other end
is expanded. Because the rank counts, clustering closes no cycle, and a chain of runs, each on the previous one's
output, stays a chain.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace

from autoflow.graph.graph import Card, Graph, merge_arrows, renamed_arrows
from autoflow.graph.layout.ranks import assign_ranks, find_back_edges
from autoflow.graph.refinement import adjacency, number_classes, refine
from autoflow.model.entity_types import ENTITY_TYPES

MIN_CARDS = 5
MAX_NEIGHBOUR_DISTANCE = 3  # in arrows, from siblings to the neighbour they share
MAX_ROUNDS = 20  # a graph whose clusters are not stable by then is shown without clusters
KEY_PREFIX = "cluster:"

_NUMBER = re.compile(r"\d+")


def cluster_cards(
    graph: Graph, *, within: Graph | None = None, expanded: Collection[str] = (), separate: Collection[str] = ()
) -> Graph:
    """Replace similar cards by clusters, `MIN_CARDS` or more at a time.

    The key of a cluster stays the same when a later card joins it. A cluster takes the position of its first card.

    Args:
        graph: a graph without clusters.
        within: the graph that this one was filtered from: cards that differ there, such as in the runs that wrote them,
            are not similar because a filter hides the difference.
        expanded: keys of clusters to show card by card.
        separate: keys of cards to leave out of clusters, beside the entry card.
    """
    names = {card.key: card.name for card in (within or graph).cards}
    shown = {card.key: card for card in graph.cards}
    clusters = {
        cluster.key: cluster
        for similar in _similar_cards(within or graph, {graph.entry, *separate})
        if len(cards := [shown[card.key] for card in similar if card.key in shown]) >= MIN_CARDS
        and (cluster := _cluster(cards, names)).key not in expanded
    }
    if not clusters:
        return graph
    cluster_of = {member: cluster.key for cluster in clusters.values() for member in cluster.members}
    keys = dict.fromkeys(cluster_of.get(card.key, card.key) for card in graph.cards)
    return replace(
        graph,
        cards=tuple(clusters.get(key) or shown[key] for key in keys),
        arrows=merge_arrows(renamed_arrows(graph.arrows, cluster_of)),
    )


def _similar_cards(graph: Graph, separate: Collection[str | None]) -> list[list[Card]]:
    """Return the cards in groups of similar siblings, in the graph's order; `separate` cards are groups of one."""
    neighbours = adjacency(graph)
    before: list[list[int]] = [[] for _ in graph.cards]
    after: list[list[int]] = [[] for _ in graph.cards]
    for vertex, vertex_neighbours in enumerate(neighbours):
        for other, (_, leaves) in dict.fromkeys(vertex_neighbours):
            if other != vertex:
                (after if leaves else before)[vertex].append(other)
    features = [_feature(card, separate) for card in graph.cards]
    classes = number_classes(zip(features, _ranks(before, after), strict=True))
    for _ in range(MAX_ROUNDS):
        stable = refine(classes, neighbours)
        classes = _split_small(_split_by_siblings(stable, before, after))
        if len(set(classes)) == len(set(stable)):
            break
    else:
        return [[card] for card in graph.cards]
    groups: dict[int, list[Card]] = {}
    for card, number in zip(graph.cards, classes, strict=True):
        groups.setdefault(number, []).append(card)
    return list(groups.values())


def _feature(card: Card, separate: Collection[str | None]) -> Hashable:
    """Return a value that is equal for two cards if they may share a cluster."""
    if card.key in separate or ENTITY_TYPES[card.type].landmark:
        return card.key
    if card.type == "task":
        return card.type, card.origin, card.name, card.state
    if card.parent is not None:
        return card.type, card.parent
    return card.type, card.origin


def _ranks(before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]) -> list[int]:
    """Return the rank of each card in the layout, whose cycles are broken at the same edges."""
    starts = sorted(range(len(after)), key=lambda vertex: bool(before[vertex]))
    back = find_back_edges(after, starts)
    successors: list[dict[int, None]] = [{} for _ in after]
    for tail, heads in enumerate(after):
        for head in heads:
            first, last = (head, tail) if (tail, head) in back else (tail, head)
            successors[first][last] = None
    return assign_ranks([list(heads) for heads in successors])


def _split_small(classes: Sequence[int]) -> list[int]:
    """Give each card of a class that is too small for a cluster a class of its own."""
    sizes = Counter(classes)
    return number_classes(
        (number, vertex if sizes[number] < MIN_CARDS else None) for vertex, number in enumerate(classes)
    )


def _split_by_siblings(
    classes: Sequence[int], before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]
) -> list[int]:
    """Split each class into sets of siblings: cards that share a neighbour, or whose neighbours are siblings.

    Each round merges, by union-find, the cards of a class whose neighbours the round before has merged.
    """
    group = list(range(len(classes)))
    for _ in range(MAX_NEIGHBOUR_DISTANCE):
        first_card: dict[tuple[int, int, bool], int] = {}
        parent = list(range(len(classes)))

        def root(vertex: int, parent: list[int] = parent) -> int:
            while parent[vertex] != vertex:
                parent[vertex] = parent[parent[vertex]]
                vertex = parent[vertex]
            return vertex

        for vertex, number in enumerate(classes):
            sides = [(group[n], False) for n in before[vertex]] + [(group[n], True) for n in after[vertex]]
            for neighbour_group, is_after in sides:
                first = first_card.setdefault((number, neighbour_group, is_after), vertex)
                low, high = sorted((root(first), root(vertex)))
                parent[high] = low
        merged = [root(vertex) for vertex in range(len(classes))]
        if merged == group:
            break
        group = merged
    return group


def _badges(cards: Sequence[Card]) -> str:
    """Return the badges of versions, as ``V1, V2, V3``; empty if any card has none."""
    badges = [card.badge for card in cards if card.badge and card.parent]
    return ", ".join(badges) if len(badges) == len(cards) else ""


def _cluster(cards: Sequence[Card], names: Mapping[str, str]) -> Card:
    """Return the card of a cluster: keyed by its earliest card, styled as its latest one, titled by the count.

    Args:
        cards: the similar cards.
        names: names of all cards by key, those of their parents among them.
    """
    earliest = min(cards, key=lambda card: (card.at is None, card.at or "", card.key))
    latest = max(cards, key=lambda card: card.at or "")
    own_names = {_NUMBER.sub("#", card.name) for card in cards}
    titles = {_NUMBER.sub("…", card.title) for card in cards}
    if latest.type == "task":
        title = f"{len(cards)} runs of {latest.name}"
    else:
        parent = names.get(latest.parent or "", latest.name)
        of_parent = f" of {parent}" if len({card.parent for card in cards}) == 1 and latest.parent else ""
        title = f"{len(cards)} {ENTITY_TYPES[latest.type].plural}{of_parent}"
    common_title = next(iter(titles)) if len(titles) == 1 and latest.type != "task" else None
    first_time = min((card.at for card in cards if card.at), default=None)
    return Card(
        key=KEY_PREFIX + earliest.key,
        type=latest.type,
        id=len(cards),
        name=latest.name if len(own_names) == 1 else title,
        title=title,
        origin=latest.origin,
        description=_badges(cards)
        or common_title
        or (f"since {first_time[:10]}" if first_time and first_time != latest.at else None),
        icon=latest.icon,
        state=latest.state,
        at=latest.at,
        parent=latest.parent,
        more=sum(card.more for card in cards),
        members=tuple(card.key for card in cards),
    )
