"""The trace of an entity: the graph upstream of it, with the facts of each run and the contents of its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from autoflow.graph.graph import Card, Graph
from autoflow.model.graph_json import DataJson, RunJson, TraceJson

TraceT = TypeVar("TraceT", bound="Trace")


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that one entity came from.

    Args:
        ref: the traced entity, as ``file:9``.
        graph: cards and arrows up to the first data; its entry is the traced entity.
        runs: the runs, by the keys of their cards.
        data: the inputs and outputs of these runs, by the keys of their cards.
        complete: whether one response held everything; if not, `Card.more` counts what each card at the border lacks.
    """

    ref: str
    graph: Graph
    runs: Mapping[str, RunJson] = field(default_factory=dict)
    data: Mapping[str, DataJson] = field(default_factory=dict)
    complete: bool = True

    def to_json(self) -> TraceJson:
        """Return JSON values, the response of ``autoflow.trace``."""
        return {
            "ref": self.ref,
            "complete": self.complete,
            "runs": dict(self.runs),
            "data": dict(self.data),
            "graph": self.graph.to_json(),
        }

    @classmethod
    def from_json(cls: type[TraceT], data: Mapping[str, Any]) -> TraceT:
        """Read `to_json` back."""
        graph = Graph.from_json(data["graph"])
        return cls(data["ref"], graph, data.get("runs", {}), data.get("data", {}), data.get("complete", True))

    def predecessors(self, key: str) -> list[Card]:
        """Return the cards one arrow upstream of a card, in the order recorded."""
        cards = {card.key: card for card in self.graph.cards}
        sources = dict.fromkeys(arrow.source for arrow in self.graph.arrows if arrow.target == key)
        return [cards[source] for source in sources if source in cards]

    def producer(self) -> str | None:
        """Return the key of the run that made the traced entity, the latest of several; None without a recorded run.

        A traced run is its own producer; that of a version which no run wrote is the run that wrote its project.
        """
        visited: set[str] = set()
        frontier = [self.graph.entry] if self.graph.entry is not None else []
        while frontier:
            if run_keys := [key for key in frontier if key in self.runs]:
                return max(run_keys, key=lambda key: self.runs[key].get("startedAt") or "")
            visited.update(frontier)
            frontier = [card.key for key in frontier for card in self.predecessors(key) if card.key not in visited]
        return None
