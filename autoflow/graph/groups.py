"""Groups: the cards of one project, or of one pipeline without a project, that can be folded to one card.

Each card belongs to one group: projects with their versions and datasets to their own; all others to the project that
they are made from by the fewest arrows, else to the nearest one in any direction. Connected cards without any project
are a group of their own. Unlike a cluster, a group stands for cards that differ: an arrow at a folded group holds for
at least one of its cards, and counts the edges that it stands for. No arrow is drawn where there is no edge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from autoflow.graph.graph import Card, Graph, merge_arrows, renamed_arrows
from autoflow.model.entity_types import ENTITY_TYPES

KEY_PREFIX = "group:"
MIN_CARDS = 3  # a smaller group is shown card by card
WORST_FIRST = ("failed", "lost", "running", "ended", "finished")
NAMING_TYPES = ("project", "dataset", "model_weight", "job", "task")  # a group is named by its first card of these


@dataclass(frozen=True, slots=True)
class Group:
    """Cards that can be folded to one.

    Args:
        key: the key of the folded card: it stays the same when a later card joins the group.
        title: the name of its project, else of the card that names it best.
        cards: the cards, in the graph's order.
    """

    key: str
    title: str
    cards: tuple[Card, ...]


def find_groups(graph: Graph) -> list[Group]:
    """Return the groups of a graph in the order of their first cards; cards of groups that are too small have none."""
    members: dict[int, list[Card]] = {}
    for owner, card in zip(_owners(graph), graph.cards, strict=True):
        members.setdefault(owner, []).append(card)
    return [
        Group(KEY_PREFIX + graph.cards[owner].key, _naming_card(cards).title, tuple(cards))
        for owner, cards in members.items()
        if len(cards) >= MIN_CARDS
    ]


def fold_groups(graph: Graph, groups: Iterable[Group]) -> Graph:
    """Replace the cards of groups by one card each; a group of which the graph has one card only stays as it is.

    Args:
        graph: the graph whose groups these are, or one that was filtered from it.
        groups: the groups to fold.
    """
    shown = {card.key for card in graph.cards}
    folded: dict[str, Card] = {}
    group_of: dict[str, str] = {}
    for group in groups:
        cards = [card for card in group.cards if card.key in shown]
        if len(cards) > 1:
            folded[group.key] = _folded_card(group, cards)
            group_of |= dict.fromkeys((card.key for card in cards), group.key)
    if not folded:
        return graph
    own = {card.key: card for card in graph.cards}
    keys = dict.fromkeys(group_of.get(card.key, card.key) for card in graph.cards)
    return replace(
        graph,
        cards=tuple(folded.get(key) or own[key] for key in keys),
        arrows=merge_arrows(arrow for arrow in renamed_arrows(graph.arrows, group_of) if arrow.source != arrow.target),
        entry=group_of.get(graph.entry, graph.entry) if graph.entry else None,
    )


def _owners(graph: Graph) -> list[int]:
    """Return for each card the position of the card that its group is keyed by."""
    index = {card.key: number for number, card in enumerate(graph.cards)}
    before: list[list[int]] = [[] for _ in graph.cards]
    after: list[list[int]] = [[] for _ in graph.cards]
    owners = [number if card.type == "project" else -1 for number, card in enumerate(graph.cards)]
    contained: list[int] = []
    for arrow in graph.arrows:
        source, target = index.get(arrow.source, -1), index.get(arrow.target, -1)
        if source < 0 or target < 0:
            continue
        after[source].append(target)
        before[target].append(source)
        if arrow.kind == "version" and owners[source] == source and owners[target] < 0:
            owners[target] = source
            contained.append(target)
    projects = [number for number, owner in enumerate(owners) if owner == number]
    reached = _spread([*projects, *contained], owners, after)
    _spread(reached, owners, after, before)
    for number, owner in enumerate(owners):
        if owner < 0:
            owners[number] = number
            _spread([number], owners, after, before)
    return owners


def _spread(start: Sequence[int], owners: list[int], *neighbours: Sequence[Sequence[int]]) -> list[int]:
    """Give each card without an owner that of the nearest card with one; return all cards that were reached.

    Args:
        start: cards with owners, the first of which wins over one at the same distance.
        owners: by card, -1 for none; changed in place.
        neighbours: of each card, in the directions to follow.
    """
    reached = list(start)
    for card in reached:  # the list grows during the loop: breadth-first search
        for adjacent in neighbours:
            for other in adjacent[card]:
                if owners[other] < 0:
                    owners[other] = owners[card]
                    reached.append(other)
    return reached


def _naming_card(cards: Sequence[Card]) -> Card:
    """Return the first card of the type that names a group best."""
    ranks = {name: rank for rank, name in enumerate(NAMING_TYPES)}
    return min(cards, key=lambda card: ranks.get(card.type, len(NAMING_TYPES)))


def _folded_card(group: Group, cards: Sequence[Card]) -> Card:
    """Return the card of a folded group: with its project's picture, its worst state, and what it consists of."""
    named = _naming_card(group.cards)
    states = {card.state for card in cards}
    return Card(
        key=group.key,
        type=named.type,
        id=len(cards),
        name=named.name,
        title=group.title,
        summary=_contents(cards),
        icon=named.icon,
        state=next((state for state in WORST_FIRST if state in states), None),
        at=max((card.at for card in cards if card.at), default=None),
        preview=named.preview,
        collage=named.collage,
        more=sum(card.more for card in cards),
        members=tuple(card.key for card in cards),
    )


def _contents(cards: Collection[Card]) -> str:
    """Return the numbers of cards by type, as ``40 runs, 2 failed, 12 versions``, without the only project."""
    numbers = Counter(card.type for card in cards)
    failed = sum(card.state == "failed" for card in cards)
    if numbers["project"] == 1:
        del numbers["project"]
    counted = [
        f"{numbers[name]:,} {row.label if numbers[name] == 1 else row.plural}"
        for name in sorted(numbers, key=lambda name: name != "task")
        for row in (ENTITY_TYPES[name],)
    ]
    return ", ".join([*counted[:1], f"{failed:,} failed", *counted[1:]] if failed else counted)
