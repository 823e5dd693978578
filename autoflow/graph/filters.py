"""Filters of a graph by type of card, by app and by the time of runs, and the values to choose from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from autoflow.graph.graph import Arrow, Card, Graph
from autoflow.graph.subgraph import induced
from autoflow.model.graph_json import Facets

MAX_INDIRECT = 8  # arrows past hidden cards, for each card that is shown


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """Conditions on cards and runs; empty ones hold for all.

    Args:
        kinds: types of cards to show.
        apps: names of apps whose runs to show.
        since: ISO 8601, UTC; runs that began earlier are left out.
        until: ISO 8601, UTC; runs that began later are left out.
    """

    kinds: frozenset[str] = frozenset()
    apps: frozenset[str] = frozenset()
    since: str | None = None
    until: str | None = None

    def __bool__(self) -> bool:
        return bool(self.kinds or self.apps or self.since or self.until)

    def matches_run(self, card: Card) -> bool:
        """Return whether a run is of the apps and in the time; a run without a time is in any."""
        if self.apps and card.name not in self.apps:
            return False
        at = card.at or ""
        return not (at and (at < (self.since or "") or (self.until is not None and at > self.until)))


def facets(graph: Graph) -> Facets:
    """Return the values to filter by."""
    runs = [card for card in graph.cards if card.type == "task"]
    times = [card.at for card in runs if card.at]
    return {
        "kinds": dict(Counter(card.type for card in graph.cards)),
        "apps": dict(Counter(card.name for card in runs).most_common()),
        "since": min(times, default=None),
        "until": max(times, default=None),
        "cards": len(graph.cards),
    }


def filter_graph(graph: Graph, options: FilterOptions) -> Graph:
    """Return the cards that match, and always the entry card.

    Data follows its runs: it stays if a matching run read or wrote it, and a project also if a version of it stays.
    Each card counts in `Card.more` the neighbours it lost. Arrows of kind ``indirect`` lead past the hidden cards.
    """
    if not options:
        return graph
    run_keys = {card.key for card in graph.cards if card.type == "task" and options.matches_run(card)}
    if options.apps or options.since or options.until:
        keys = set(run_keys)
        for arrow in graph.arrows:
            if run_keys & {arrow.source, arrow.target}:
                keys |= {arrow.source, arrow.target}
        keys |= {arrow.source for arrow in graph.arrows if arrow.kind == "version" and arrow.target in keys}
        keys -= {card.key for card in graph.cards if card.type == "task" and card.key not in run_keys}
    else:
        keys = {card.key for card in graph.cards}
    filtered = induced(
        graph,
        [
            card.key
            for card in graph.cards
            if card.key == graph.entry or (card.key in keys and (not options.kinds or card.type in options.kinds))
        ],
    )
    return replace(filtered, arrows=(*filtered.arrows, *_indirect_arrows(graph, filtered)))


def _indirect_arrows(graph: Graph, filtered: Graph) -> list[Arrow]:
    """Return an arrow from each card to those that it leads to by way of hidden cards only, unless one exists."""
    shown = {card.key for card in filtered.cards}
    after: dict[str, list[str]] = {}
    for arrow in graph.arrows:
        after.setdefault(arrow.source, []).append(arrow.target)
    direct = {(arrow.source, arrow.target) for arrow in filtered.arrows}
    indirect: list[Arrow] = []
    for card in filtered.cards:
        hidden = dict.fromkeys(key for key in after.get(card.key, ()) if key not in shown)
        reached: dict[str, None] = {}
        frontier = list(hidden)
        for key in frontier:  # the list grows during the loop
            for target in after.get(key, ()):
                if target in shown:
                    reached[target] = None
                elif target not in hidden:
                    hidden[target] = None
                    frontier.append(target)
        pairs = [(card.key, target) for target in reached if target != card.key]
        indirect += [Arrow(*pair, "indirect") for pair in pairs if pair not in direct]
        if len(indirect) > MAX_INDIRECT * len(shown):
            break  # a hub is hidden: so many arrows would say nothing
    return indirect
