"""What a graph can be narrowed by, and the graph narrowed: kinds of cards, apps, and the time of runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from autoflow.graph.graph import Card, Graph
from autoflow.graph.subgraph import induced


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """What is wanted of a graph.

    Args:
        kinds: types of cards to show; empty for all.
        apps: names of apps whose runs to show; empty for all.
        since: ISO 8601, UTC: runs that began earlier are left out.
        until: likewise, those that began later.
    """

    kinds: frozenset[str] = frozenset()
    apps: frozenset[str] = frozenset()
    since: str | None = None
    until: str | None = None

    def __bool__(self) -> bool:
        return bool(self.kinds or self.apps or self.since or self.until)

    def run(self, card: Card) -> bool:
        """Whether a run is among those wanted; one without a time is at any."""
        if self.apps and card.name not in self.apps:
            return False
        at = card.at or ""
        return not (at and (at < (self.since or "") or (self.until is not None and at > self.until)))


def facets(graph: Graph) -> dict[str, Any]:
    """What there is to choose from: ``kinds`` and ``apps`` with their numbers, ``since`` and ``until`` of the runs."""
    runs = [card for card in graph.cards if card.type == "task"]
    times = [card.at for card in runs if card.at]
    return {
        "kinds": dict(Counter(card.type for card in graph.cards)),
        "apps": dict(Counter(card.name for card in runs).most_common()),
        "since": min(times, default=None),
        "until": max(times, default=None),
        "cards": len(graph.cards),
    }


def filter_graph(graph: Graph, wishes: FilterOptions) -> Graph:
    """Leave out what is not wanted; the entry card stays.

    Data goes with its runs: what only runs that are left out read or wrote is left out too, and so is a project that
    is there for the sake of such a version. Each card counts in `Card.more` the neighbours it lost.
    """
    if not wishes:
        return graph
    runs = {card.key for card in graph.cards if card.type == "task" and wishes.run(card)}
    kept = set(runs)
    if wishes.apps or wishes.since or wishes.until:
        for arrow in graph.arrows:
            if runs & {arrow.source, arrow.target}:
                kept |= {arrow.source, arrow.target}
        kept |= {arrow.source for arrow in graph.arrows if arrow.kind == "version" and arrow.target in kept}
        kept -= {card.key for card in graph.cards if card.type == "task" and card.key not in runs}
    else:
        kept = {card.key for card in graph.cards}
    cards = tuple(
        card
        for card in graph.cards
        if card.key == graph.entry or (card.key in kept and (not wishes.kinds or card.type in wishes.kinds))
    )
    return induced(graph, [card.key for card in cards])
