"""Cards that are alike taken together: twelve runs of one app on the same data become one card that can be opened.

Alike are cards of one type (runs: of one app and outcome; versions: of one project) in one column of the graph, whose
neighbours are the same or in one cluster themselves (`refinement`), and siblings: they share a neighbour, or their
neighbours are siblings. So an arrow at a cluster holds for each of its cards, unless a cluster at its other end was
opened. As the column counts, taking cards together closes no circle that was not there, and a chain of runs, each on
what the one before wrote, stays a chain.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace

from autoflow.graph.graph import Arrow, Card, Graph
from autoflow.graph.layout.cycles import find_back_edges
from autoflow.graph.layout.ranks import assign_ranks
from autoflow.graph.refinement import adjacency, number_classes, refine
from autoflow.model.entity_types import ENTITY_TYPES

MIN_CARDS = 5  # cards in a cluster
MAX_NEIGHBOUR_DISTANCE = 3  # how many arrows away a common neighbour may lie
MAX_ROUNDS = 20  # a graph whose clusters have not settled by then is shown as it is
KEY_PREFIX = "cluster:"

_NUMBER = re.compile(r"\d+")


def cluster_cards(graph: Graph, *, opened: Collection[str] = (), keep: Collection[str] = ()) -> Graph:
    """Take together cards that are alike, `LEAST` or more at a time.

    The key of a cluster stays the same when a later card joins it.

    Args:
        graph: without clusters.
        opened: keys of clusters whose cards stay apart.
        keep: keys of cards that stay apart, as the entry card does.
    """
    apart = {graph.entry, *keep}
    made = {
        cluster.key: cluster
        for cards in _groups(graph, apart)
        if len(cards) >= MIN_CARDS and (cluster := _cluster(cards)).key not in opened
    }
    if not made:
        return graph
    into = {member: cluster.key for cluster in made.values() for member in cluster.members}
    # a cluster stands where the first of its cards stood
    cards = dict.fromkeys(into.get(card.key, card.key) for card in graph.cards)
    plain = {card.key: card for card in graph.cards}
    arrows = dict.fromkeys(
        Arrow(into.get(arrow.source, arrow.source), into.get(arrow.target, arrow.target), arrow.kind)
        for arrow in graph.arrows
    )
    return replace(graph, cards=tuple(made.get(key) or plain[key] for key in cards), arrows=tuple(arrows))


def _groups(graph: Graph, apart: Collection[str | None]) -> list[list[Card]]:
    """The cards in groups of siblings that are alike, in the graph's order; each card apart that is in none."""
    near = adjacency(graph)
    before: list[list[int]] = [[] for _ in graph.cards]
    after: list[list[int]] = [[] for _ in graph.cards]
    for vertex, there in enumerate(near):
        for other, (_, leaves) in dict.fromkeys(there):
            if other != vertex:
                (after if leaves else before)[vertex].append(other)
    kinds = [card.key if card.key in apart or ENTITY_TYPES[card.type].landmark else _kind(card) for card in graph.cards]
    marks = number_classes(zip(kinds, _columns(before, after), strict=True))
    for _ in range(MAX_ROUNDS):
        stable = refine(marks, near)
        marks = _of_size(_siblings(stable, before, after))
        if len(set(marks)) == len(set(stable)):
            break
    else:
        return [[card] for card in graph.cards]
    groups: dict[int, list[Card]] = {}
    for card, group in zip(graph.cards, marks, strict=True):
        groups.setdefault(group, []).append(card)
    return list(groups.values())


def _of_size(groups: Sequence[int]) -> list[int]:
    """The groups, with the cards of those that are too small for a cluster each in a group of its own."""
    sizes = Counter(groups)
    return number_classes((group, vertex if sizes[group] < MIN_CARDS else None) for vertex, group in enumerate(groups))


def _siblings(marks: Sequence[int], before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]) -> list[int]:
    """A number for each card, the same for cards of one mark that share a neighbour or have siblings as neighbours."""
    group = list(range(len(marks)))
    for _ in range(MAX_NEIGHBOUR_DISTANCE):
        meeting: dict[tuple[int, int, bool], int] = {}
        joined = list(range(len(marks)))

        def root(number: int, joined: list[int] = joined) -> int:
            while joined[number] != number:
                joined[number] = joined[joined[number]]
                number = joined[number]
            return number

        for number, mark in enumerate(marks):
            near = [(group[n], False) for n in before[number]] + [(group[n], True) for n in after[number]]
            for there, side in near:
                first = meeting.setdefault((mark, there, side), number)
                low, high = sorted((root(first), root(number)))
                joined[high] = low
        found = [root(number) for number in range(len(marks))]
        if found == group:
            break
        group = found
    return group


def _kind(card: Card) -> Hashable:
    if card.type == "task":
        return card.type, card.origin, card.name, card.state
    if card.parent is not None:
        return card.type, card.parent
    return card.type, card.origin


def _columns(before: Sequence[Sequence[int]], after: Sequence[Sequence[int]]) -> list[int]:
    """The column each card stands in, circles opened as the layout opens them."""
    starts = sorted(range(len(after)), key=lambda vertex: bool(before[vertex]))
    back = find_back_edges(after, starts)
    turned: list[dict[int, None]] = [{} for _ in after]
    for tail, heads in enumerate(after):
        for head in heads:
            first, last = (head, tail) if (tail, head) in back else (tail, head)
            turned[first][last] = None
    return assign_ranks([list(heads) for heads in turned])


def _cluster(cards: Sequence[Card]) -> Card:
    """The card that stands for others: the latest one's look, and how many there are; named by the earliest one."""
    earliest = min(cards, key=lambda card: (card.at is None, card.at or "", card.key))
    latest = max(cards, key=lambda card: card.at or "")
    names = {_NUMBER.sub("#", card.name) for card in cards}
    titles = {_NUMBER.sub("…", card.title) for card in cards}
    if latest.type == "task":
        title = f"{len(cards)} runs of {latest.name}"
    else:
        of = f" of {latest.name}" if len({card.parent for card in cards}) == 1 and latest.parent else ""
        title = f"{len(cards)} {ENTITY_TYPES[latest.type].plural}{of}"
    alike = next(iter(titles)) if len(titles) == 1 and latest.type != "task" else None
    first = min((card.at for card in cards if card.at), default=None)
    return Card(
        key=KEY_PREFIX + earliest.key,
        type=latest.type,
        id=len(cards),
        name=latest.name if len(names) == 1 else title,
        title=title,
        origin=latest.origin,
        description=alike or (f"since {first[:10]}" if first and first != latest.at else None),
        icon=latest.icon,
        state=latest.state,
        at=latest.at,
        parent=latest.parent,
        more=sum(card.more for card in cards),
        members=tuple(card.key for card in cards),
    )
