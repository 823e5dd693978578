"""The chain at a glance: runs of one app taken together, their data too, told as a tree from the sources on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from autoflow.graph.graph import Card, Graph
from autoflow.graph.labels import titled

_NUMBER = re.compile(r"\d+")
TIMES = "\u00d7"
BADGES = 4  # version numbers named one by one


@dataclass
class Group:
    """Cards that play the same part: an app's runs, a project's versions, data titled alike but for numbers."""

    cards: list[Card] = field(default_factory=list)

    @cached_property
    def label(self) -> str:
        """Title and count; of a project's versions their numbers, as ``Digits V1, V2``."""
        badges = [card.badge for card in self.cards if card.badge]
        titles = list(dict.fromkeys(card.name if badges else titled(card) for card in self.cards))
        name = titles[0] if len(titles) == 1 else f"{titles[0]} … {titles[-1]}"
        if badges:
            shown = badges if len(badges) <= BADGES else [badges[0], "…", badges[-1]]
            return f"{name} {', '.join(shown)}"
        return name if len(self.cards) == 1 else f"{name} {TIMES}{len(self.cards)}"

    @cached_property
    def keys(self) -> frozenset[str]:
        """The keys of the group's cards."""
        return frozenset(card.key for card in self.cards)

    @cached_property
    def states(self) -> str:
        """How the runs of the group ended: ``finished``, or ``1 finished, 1 failed``; empty for data."""
        counts = Counter(card.state for card in self.cards if card.state)
        if len(counts) == 1:
            return next(iter(counts))
        return ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))


class Line(NamedTuple):
    """One line of the tree.

    Args:
        last: for each level above and for this one, whether its branch ends there.
        group: what stands on the line.
        again: whether the group's own branches were shown further up.
    """

    last: tuple[bool, ...]
    group: Group
    again: bool


def lines(graph: Graph) -> Iterator[Line]:
    """Give the tree line by line; every group is unfolded once, where it is met first in order of time."""
    groups, following = _groups(graph)
    led_to = {after for key, heads in following.items() for after in heads if after != key}
    order = sorted(groups, key=lambda key: (key in led_to, _began(groups[key])))
    children = {key: sorted(heads, key=lambda head: _began(groups[head])) for key, heads in following.items()}
    shown: set[object] = set()
    for root in order:
        stack: list[tuple[object, tuple[bool, ...]]] = [] if root in shown else [(root, ())]
        while stack:
            key, last = stack.pop()
            again = key in shown
            shown.add(key)
            unfolded = [] if again else children[key]
            yield Line(last, groups[key], again and bool(children[key]))
            stack += [(head, (*last, n == len(unfolded) - 1)) for n, head in reversed(list(enumerate(unfolded)))]


def _groups(graph: Graph) -> tuple[dict[object, Group], dict[object, dict[object, None]]]:
    groups: dict[object, Group] = {}
    member: dict[str, object] = {}
    for card in sorted(graph.cards, key=lambda card: (card.at is None, card.at or "")):
        key = _part(card)
        groups.setdefault(key, Group()).cards.append(card)
        member[card.key] = key
    following: dict[object, dict[object, None]] = {key: {} for key in groups}
    for arrow in graph.arrows:
        if arrow.source in member and arrow.target in member:
            following[member[arrow.source]][member[arrow.target]] = None
    return groups, following


def _part(card: Card) -> object:
    if card.type == "task":
        return card.type, card.name, card.origin
    if card.type in ("project", "dataset"):
        return card.key
    if card.parent is not None:
        return card.type, card.parent
    return card.type, _NUMBER.sub("#", titled(card)), card.origin


def _began(group: Group) -> tuple[bool, str]:
    at = group.cards[0].at
    return at is None, at or ""
