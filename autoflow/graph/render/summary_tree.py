"""The chain at a glance: runs of one app taken together, their data too, as a tree from the sources on.

Cards share a line only if every arrow of the line holds for each of them (`refinement`), so that a branch never leads
from one chain into another. Lines that would read alike carry their references.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from autoflow.graph.graph import Card, Graph
from autoflow.graph.refinement import adjacency, number_classes, refine
from autoflow.graph.render.labels import card_caption, card_reference, card_title, printable
from autoflow.model.entity_types import ENTITY_TYPES

_NUMBER = re.compile(r"\d+")
MULTIPLICATION_SIGN = "\u00d7"
MAX_DEPTH = 24  # levels; a longer chain goes on at the left
MAX_BADGES = 4  # version numbers named one by one


@dataclass
class CardGroup:
    """Cards on one line: an app's runs, a project's versions, or data titled alike but for numbers.

    Each of them has an arrow to a card of every line below this one, and from a card of every line above it.
    """

    cards: list[Card] = field(default_factory=list)

    @cached_property
    def label(self) -> str:
        """Title and count; of a project's versions their numbers, as ``Digits V1, V2``."""
        count = f" {MULTIPLICATION_SIGN}{len(self.cards)}" if len(self.cards) > 1 else ""
        badges = [card.badge for card in self.cards if card.badge]
        names = {card.name for card in self.cards}
        if len(badges) == len(self.cards) and len(names) == 1:
            if len(badges) <= MAX_BADGES:
                return f"{names.pop()} {', '.join(badges)}"
            return f"{names.pop()} {badges[0]}, …, {badges[-1]}{count}"
        titles = list(dict.fromkeys(map(card_caption, self.cards)))
        return (titles[0] if len(titles) == 1 else f"{titles[0]} … {titles[-1]}") + count

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of the group's cards."""
        return frozenset(card.key for card in self.cards)

    @cached_property
    def reading(self) -> tuple[str]:
        """The label as it is printed."""
        return (printable(self.label),)

    @property
    def kind(self) -> str:
        """The type of its cards."""
        return self.cards[0].type

    @property
    def more(self) -> int:
        """How many neighbours of its cards were left out of the graph."""
        return sum(card.more for card in self.cards)

    @property
    def refs(self) -> str:
        """The references of its cards, of many the first and the last."""
        first, last = card_reference(self.cards[0]), card_reference(self.cards[-1])
        return first if len(self.cards) == 1 else f"{first} {last}" if len(self.cards) == 2 else f"{first} … {last}"

    @cached_property
    def states(self) -> str:
        """How the runs of the group ended: ``finished``, or ``1 finished, 1 failed``; empty for data."""
        counts = Counter(card.state for card in self.cards if card.state)
        if len(counts) == 1:
            return next(iter(counts))
        return ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))


class TreeLine(NamedTuple):
    """One line of the tree.

    Args:
        last: for each level above and for this one, whether its branch ends there.
        group: what stands on the line.
        continued: ``above`` or ``below`` where the group's own branches are shown there and not here.
        alike: whether another line would read the same without its references.
    """

    last: tuple[bool, ...]
    group: CardGroup
    continued: Literal["above", "below"] | None
    alike: bool


def tree_lines(graph: Graph) -> Iterator[TreeLine]:
    """Give the tree line by line; every group is unfolded once, where it is met first in order of time."""
    groups, following = _groups(graph)
    led_to = {after for key, heads in following.items() for after in heads if after != key}
    order = sorted(groups, key=lambda key: (key in led_to, _began(groups[key])))
    children = {key: sorted(heads, key=lambda head: _began(groups[head])) for key, heads in following.items()}
    labels = Counter(label for group in groups.values() for label in (group.reading, (*group.reading, group.kind)))
    shown: set[int] = set()
    roots = deque(order)
    while roots:
        root = roots.popleft()
        deep: list[int] = []
        stack: list[tuple[int, tuple[bool, ...]]] = [] if root in shown else [(root, ())]
        while stack:
            key, last = stack.pop()
            heads = children[key]
            continued: Literal["above", "below"] | None = "above" if heads and key in shown else None
            if heads and continued is None and len(last) >= MAX_DEPTH:
                continued = "below"
                deep.append(key)
            else:
                shown.add(key)
            group = groups[key]
            reading = group.reading if continued else (*group.reading, group.kind)  # without branches, without a kind
            yield TreeLine(last, group, continued, labels[reading] > 1)
            unfolded = [] if continued else heads
            stack += [(head, (*last, n == len(unfolded) - 1)) for n, head in reversed(list(enumerate(unfolded)))]
        roots.extendleft(reversed(deep))


def _groups(graph: Graph) -> tuple[dict[int, CardGroup], dict[int, dict[int, None]]]:
    classes = refine(number_classes(map(_part, graph.cards)), adjacency(graph))
    member = {card.key: number for card, number in zip(graph.cards, classes, strict=True)}
    groups: dict[int, CardGroup] = {}
    for card in sorted(graph.cards, key=lambda card: (card.at is None, card.at or "")):
        groups.setdefault(member[card.key], CardGroup()).cards.append(card)
    following: dict[int, dict[int, None]] = {key: {} for key in groups}
    for arrow in graph.arrows:
        if arrow.source in member and arrow.target in member:
            following[member[arrow.source]][member[arrow.target]] = None
    return groups, following


def _part(card: Card) -> object:
    if card.type == "task":
        return card.type, card.name, card.origin
    if ENTITY_TYPES[card.type].landmark:
        return card.key
    if card.parent is not None:
        return card.type, card.parent
    return card.type, _NUMBER.sub("#", card_title(card)), card.origin


def _began(group: CardGroup) -> tuple[bool, str]:
    at = group.cards[0].at
    return at is None, at or ""
