"""A summary of the graph as a tree from its sources: runs of one app share a line, and so does similar data.

Cards share a line only if every arrow of the line holds for each of them (`refinement`), so that a branch never leads
from one chain into another. Lines whose text is the same carry their references.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from autoflow.graph.graph import Card, Graph
from autoflow.graph.refinement import adjacency, number_classes, refine
from autoflow.graph.render.labels import card_caption, card_reference, card_title, printable
from autoflow.model.entity_types import ENTITY_TYPES

_NUMBER = re.compile(r"\d+")
MULTIPLICATION_SIGN = "\N{MULTIPLICATION SIGN}"
MAX_DEPTH = 24  # levels; a longer chain continues at the left
MAX_BADGES = 4  # version numbers listed one by one


@dataclass
class CardGroup:
    """The cards of one line: an app's runs, a project's versions, or data whose titles differ only in numbers.

    Each of them has an arrow to a card of every line below this one, and from a card of every line above it.
    """

    cards: list[Card] = field(default_factory=list)

    @cached_property
    def label(self) -> str:
        """Title and count; for a project's versions their numbers, as ``Digits V1, V2``."""
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
    def printed_label(self) -> str:
        """The label with control characters escaped."""
        return printable(self.label)

    @property
    def type(self) -> str:
        """The type of the cards."""
        return self.cards[0].type

    @property
    def more(self) -> int:
        """The number of neighbours of the cards that the graph leaves out."""
        return sum(card.more for card in self.cards)

    @property
    def references(self) -> str:
        """The references of the cards; of many the first and the last."""
        first, last = card_reference(self.cards[0]), card_reference(self.cards[-1])
        return first if len(self.cards) == 1 else f"{first} {last}" if len(self.cards) == 2 else f"{first} … {last}"

    @cached_property
    def states(self) -> str:
        """The states of the group's runs: ``finished``, or ``1 failed, 1 finished``; empty for data."""
        counts = Counter(card.state for card in self.cards if card.state)
        if len(counts) == 1:
            return next(iter(counts))
        return ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))


class TreeLine(NamedTuple):
    """One line of the tree.

    Args:
        last: for each level above and for this one, whether its branch ends there.
        group: the cards on the line.
        continued: ``above`` or ``below`` if the group's branches are shown there instead of here.
        is_ambiguous: whether another line has the same text.
    """

    last: tuple[bool, ...]
    group: CardGroup
    continued: Literal["above", "below"] | None
    is_ambiguous: bool


def tree_lines(graph: Graph) -> Iterator[TreeLine]:
    """Yield the tree line by line; each group is unfolded once, at its first line in order of time."""
    groups, successors = _groups(graph)
    targets = {head for key, heads in successors.items() for head in heads if head != key}
    roots = deque(sorted(groups, key=lambda key: (key in targets, _first_time(groups[key]))))
    children = {key: sorted(heads, key=lambda head: _first_time(groups[head])) for key, heads in successors.items()}
    text_counts: Counter[tuple[str, ...]] = Counter()
    for group in groups.values():
        text_counts.update([(group.printed_label,), (group.printed_label, group.type)])
    unfolded: set[int] = set()
    while roots:
        root = roots.popleft()
        too_deep: list[int] = []
        stack: list[tuple[int, tuple[bool, ...]]] = [] if root in unfolded else [(root, ())]
        while stack:
            key, last = stack.pop()
            heads = children[key]
            continued: Literal["above", "below"] | None = "above" if heads and key in unfolded else None
            if heads and continued is None and len(last) >= MAX_DEPTH:
                continued = "below"
                too_deep.append(key)
            else:
                unfolded.add(key)
            group = groups[key]
            text = (group.printed_label,) if continued else (group.printed_label, group.type)
            yield TreeLine(last, group, continued, text_counts[text] > 1)
            if not continued:
                stack += [(head, (*last, n == len(heads) - 1)) for n, head in reversed(list(enumerate(heads)))]
        roots.extendleft(reversed(too_deep))


def _groups(graph: Graph) -> tuple[dict[int, CardGroup], dict[int, dict[int, None]]]:
    """Return the groups by number, and for each the groups its arrows lead to."""
    classes = refine(number_classes(map(_feature, graph.cards)), adjacency(graph))
    group_of = {card.key: number for card, number in zip(graph.cards, classes, strict=True)}
    groups: dict[int, CardGroup] = {}
    for card in sorted(graph.cards, key=lambda card: (card.at is None, card.at or "")):
        groups.setdefault(group_of[card.key], CardGroup()).cards.append(card)
    successors: dict[int, dict[int, None]] = {number: {} for number in groups}
    for arrow in graph.arrows:
        if arrow.source in group_of and arrow.target in group_of:
            successors[group_of[arrow.source]][group_of[arrow.target]] = None
    return groups, successors


def _feature(card: Card) -> Hashable:
    """Return a value that only cards which may share a line have in common."""
    if card.type == "task":
        return card.type, card.name, card.origin
    if ENTITY_TYPES[card.type].landmark:
        return card.key
    if card.parent is not None:
        return card.type, card.parent
    return card.type, _NUMBER.sub("#", card_title(card)), card.origin


def _first_time(group: CardGroup) -> tuple[bool, str]:
    at = group.cards[0].at
    return at is None, at or ""
