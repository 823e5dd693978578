"""What a thing came from, as a value: the graph upstream of it, and what is known of each run and of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autoflow.graph.graph import Card, Graph


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything one thing came from.

    Args:
        ref: what was traced, as ``file:9``.
        graph: cards and arrows up to the first data; its entry is the thing itself.
        runs: by the key of a run's card: ``ref``, ``name`` (the app's), ``state``, ``error``, ``startedAt``,
            ``finishedAt``, ``seenAt`` (the last record of a running one), ``facts`` (`model.run.RunFacts`), and
            ``inputs`` and ``outputs``, keys of `data`.
        data: by key, for what these runs read and wrote: ``ref``, ``type``, ``id``, ``origin``, ``name``, and where
            they are known of a file ``teamId``, ``path``, ``sha256``, ``size``, ``current``, ``number`` and ``count``
            (the second of three at its path); of a version ``projectId``, ``projectName``, ``number``, ``title``,
            ``digest``, ``createdAt``; of a dataset ``projectId``.
        complete: false when there was more than one answer holds; the cards at its border say how much.
    """

    ref: str
    graph: Graph
    runs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    complete: bool = True

    def to_json(self) -> dict[str, Any]:
        """Give plain dicts and lists, the answer of ``autoflow.trace``."""
        return {
            "ref": self.ref,
            "complete": self.complete,
            "runs": {key: dict(run) for key, run in self.runs.items()},
            "data": {key: dict(one) for key, one in self.data.items()},
            "graph": self.graph.to_json(),
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Trace:
        """Read `to_json` back."""
        graph = Graph.from_json(form["graph"])
        return cls(form["ref"], graph, form.get("runs", {}), form.get("data", {}), form.get("complete", True))

    def before(self, key: str) -> list[Card]:
        """The cards one arrow before this one, in the order recorded."""
        cards = {card.key: card for card in self.graph.cards}
        sources = dict.fromkeys(arrow.source for arrow in self.graph.arrows if arrow.target == key)
        return [cards[source] for source in sources if source in cards]

    def maker(self) -> str | None:
        """The key of the run that made what was traced, the latest of several; None when no recorded run did.

        A run is its own; of a version that no run wrote it is the run that wrote its project.
        """
        seen: set[str] = set()
        frontier = [self.graph.entry] if self.graph.entry is not None else []
        while frontier:
            if found := [key for key in frontier if key in self.runs]:
                return max(found, key=lambda key: self.runs[key].get("startedAt") or "")
            seen.update(frontier)
            frontier = [card.key for key in frontier for card in self.before(key) if card.key not in seen]
        return None

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Give what a notebook shows: the tree, and the picture of the graph."""
        from autoflow.graph.render.ancestry import ancestry

        return {**self.graph._repr_mimebundle_(include, exclude), "text/plain": ancestry(self)}
