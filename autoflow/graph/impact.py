"""The impact of an entity or an image: the graph downstream of it, with its runs and the contents of its data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from autoflow.graph.graph import Card, Graph
from autoflow.model.graph_json import ImageHolding, ImpactData, ImpactJson, ImpactRun

ImpactT = TypeVar("ImpactT", bound="Impact")


class ImpactRow(NamedTuple):
    """A run or data of an impact, as a row of a table.

    Args:
        ref: reference, as ``file:9``.
        type: its entity type.
        name: path of a file, else the name.
        made_by: reference of the run that wrote it last; empty for a run.
        created_by: login of the user whose run it is, or whose run wrote it.
        at: when the run began, or when the data was created.
        last_used_at: when a run last read it; when the run finished.
        sha256: of a file.
    """

    ref: str
    type: str
    name: str
    made_by: str
    created_by: str
    at: str
    last_used_at: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Impact:
    """Everything that was made from one entity or image.

    Args:
        ref: the entity, as ``version:12``, or the image.
        graph: cards and arrows; its entry is the entity, None for an image.
        roots: keys of the cards at which the tree begins.
        images: where the image is and was.
        runs: the runs, by the keys of their cards.
        data: the data, by the keys of their cards.
        complete: whether one response held everything.
        omitted: how many more runs and data are known, if it did not.
    """

    ref: str
    graph: Graph
    roots: Sequence[str] = ()
    images: Sequence[ImageHolding] = ()
    runs: Mapping[str, ImpactRun] = field(default_factory=dict)
    data: Mapping[str, ImpactData] = field(default_factory=dict)
    complete: bool = True
    omitted: int = 0

    def to_json(self) -> ImpactJson:
        """Return JSON values, the response of ``autoflow.impact``."""
        return {
            "ref": self.ref,
            "complete": self.complete,
            "omitted": self.omitted,
            "images": list(self.images),
            "roots": list(self.roots),
            "runs": dict(self.runs),
            "data": dict(self.data),
            "graph": self.graph.to_json(),
        }

    @classmethod
    def from_json(cls: type[ImpactT], data: Mapping[str, Any]) -> ImpactT:
        """Read `to_json` back."""
        return cls(
            data["ref"],
            Graph.from_json(data["graph"]),
            data.get("roots", ()),
            data.get("images", ()),
            data.get("runs", {}),
            data.get("data", {}),
            data.get("complete", True),
            data.get("omitted", 0),
        )

    def results(self) -> list[Card]:
        """Return the cards that something led to: runs, what they wrote, and what contains that."""
        targets = {arrow.target for arrow in self.graph.arrows}
        return [card for card in self.graph.cards if card.key in targets and card.key != self.graph.entry]

    def rows(self) -> Iterator[ImpactRow]:
        """Yield the runs and the data as rows of a table."""
        writers = {arrow.target: arrow.source for arrow in self.graph.arrows if arrow.kind == "output"}
        for card in self.results():
            if card.key in self.runs:
                run = self.runs[card.key]
                times = (run["startedAt"] or "", run["finishedAt"] or "")
                yield ImpactRow(run["ref"], card.type, run["name"], "", run["createdBy"] or "", *times, "")
            elif card.key in self.data:
                yield _data_row(card, self.data[card.key], self.runs.get(writers.get(card.key, "")))


def _data_row(card: Card, data: ImpactData, writer: ImpactRun | None) -> ImpactRow:
    return ImpactRow(
        data["ref"],
        card.type,
        data.get("path") or data.get("projectName") or data["name"] or card.name,
        writer["ref"] if writer else "",
        data.get("createdBy") or "",
        data.get("createdAt") or card.at or "",
        data.get("lastUsedAt") or "",
        data.get("sha256") or "",
    )
