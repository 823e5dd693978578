"""The times at which the cards of a graph appear, for its replay on the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from autoflow.graph.graph import Card, Graph


def first_times(graph: Graph) -> dict[str, str | None]:
    """Return when each card appeared: data no later than the first run that used it.

    Data that was copied from another store is newer than its runs.
    """
    times = {card.key: card.at for card in graph.cards}
    runs = {card.key for card in graph.cards if card.type == "task"}
    for contained in (False, True):  # a project appears no later than its versions, whose times are known then
        for arrow in graph.arrows:
            if (arrow.kind == "version") != contained or arrow.kind == "indirect":
                continue
            data, other = (arrow.target, arrow.source) if arrow.source in runs else (arrow.source, arrow.target)
            if data in times and (at := times.get(other)):
                times[data] = min(at, times[data] or at)
    return times


class Timeline(NamedTuple):
    """Times in whole seconds as differences to the one before: of thousands of cards these are short.

    Args:
        begin: the earliest time, in ISO 8601; None if no card has a time.
        times: of each card, from `begin`; a card without a time is there from the beginning.
        member_times: of the cards that a card stands for, in order, by its position.
    """

    begin: str | None
    times: list[int]
    member_times: dict[str, list[int]]

    @classmethod
    def of(cls, cards: Sequence[Card], times: Mapping[str, str | None]) -> Timeline:
        """Return the timeline of cards; a cluster or a folded group appears with its first card.

        Args:
            cards: the cards, in the graph's order.
            times: ISO 8601 times of all cards by key, those in clusters and groups among them.
        """
        stamps = {key: stamp for key, at in times.items() if at and (stamp := _seconds(at)) is not None}
        first = min(stamps, key=stamps.__getitem__, default=None)
        if first is None:
            return cls(None, [0] * len(cards), {})
        begin = stamps[first]
        appearances: list[int] = []
        member_times: dict[str, list[int]] = {}
        for number, card in enumerate(cards):
            members = sorted(stamps.get(key, begin) - begin for key in card.members or (card.key,))
            appearances.append(members[0])
            if card.members:
                member_times[str(number)] = _differences(members)
        return cls(times[first], _differences(appearances), member_times)


def _seconds(at: str) -> int | None:
    try:
        return int(datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp())
    except ValueError:
        return None


def _differences(times: Iterable[int]) -> list[int]:
    """Return each time less the one before."""
    before = 0
    differences = []
    for time in times:
        differences.append(time - before)
        before = time
    return differences
