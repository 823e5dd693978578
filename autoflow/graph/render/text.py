"""The graph as text for the terminal: a summary tree, then each run with its inputs and outputs.

No name reaches the terminal with a control character, and ANSI escapes are written only for colors.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timezone, tzinfo
from typing import NamedTuple

from autoflow.graph.graph import Card, Graph
from autoflow.graph.render.labels import (
    MONTHS,
    card_caption,
    card_reference,
    card_title,
    count_runs_and_data,
    count_text,
    display_width,
    parse_time,
    printable,
    run_status,
    type_label,
)
from autoflow.graph.render.summary_tree import tree_lines
from autoflow.graph.render.terminal import Terminal

MAX_COLUMN_WIDTH = 44  # a longer title is not aligned with the others
MAX_NAMED = 4  # cards named where data came from or goes to


def render_text(graph: Graph, *, color: bool = False, unicode: bool = True, zone: tzinfo = timezone.utc) -> str:
    """Return the graph as lines of text, ending in a newline.

    Args:
        graph: the graph to print.
        color: whether to write ANSI colors.
        unicode: whether to use more than ASCII; without it, names are escaped too.
        zone: the reader's time zone.
    """
    terminal = Terminal(color, unicode, zone)
    return terminal.join(_TextRenderer(graph, terminal).lines())


class _Row(NamedTuple):
    symbol: str
    card: Card
    linked: list[Card]  # the runs that an input came from, or that an output goes to


class _TextRenderer:
    """The indices of one graph, and the terminal to render it for."""

    def __init__(self, graph: Graph, terminal: Terminal) -> None:
        self.graph = graph
        self.terminal = terminal
        self.symbols = terminal.symbols
        self.paint = terminal.paint
        cards = {card.key: card for card in graph.cards}
        self.before: dict[str, list[Card]] = {key: [] for key in cards}
        self.after: dict[str, list[Card]] = {key: [] for key in cards}
        for source, target in dict.fromkeys((arrow.source, arrow.target) for arrow in graph.arrows):
            if source in cards and target in cards:
                self.before[target].append(cards[source])
                self.after[source].append(cards[target])
        by_time = sorted(graph.cards, key=lambda card: (card.at is None, card.at or ""))
        self.runs = [card for card in by_time if card.type == "task"]
        neighbours = [card for run in self.runs for card in (*self.before[run.key], *self.after[run.key])]
        used = {card.key for card in neighbours} | {card.parent for card in neighbours}
        self.unused = [card for card in by_time if card.type != "task" and card.key not in used]

    def lines(self) -> Iterator[str]:
        """Yield all lines."""
        yield self.paint(printable(self.graph.title), "strong")
        runs, data = count_runs_and_data(self.graph)
        yield f"{count_text(runs, 'run')}, {count_text(data, 'data card')}"
        if self.graph.cards:
            yield ""
            yield from self.summary()
        yield from self.run_table()
        if self.unused:
            yield ""
            yield self.paint("No run here read or wrote", "strong")
            yield from self.data_rows([_Row(self.symbols["dot"], card, []) for card in self.unused])

    def summary(self) -> Iterator[str]:
        """Yield the summary tree."""
        trunk = self.symbols["trunk"] + " "
        for line in tree_lines(self.graph):
            group = line.group
            first = group.cards[0]
            is_run = first.type == "task"
            prefix = "".join("    " if is_last else trunk for is_last in line.last[:-1])
            if line.last:
                prefix += self.symbols["last arrow branch" if line.last[-1] else "arrow branch"]
            label = self.paint(printable(group.label), "strong" if is_run else "")
            entry = self.paint(f" {self.symbols['entry']}", "entry") if self.graph.entry in group.keys else ""
            detail = group.states if is_run else type_label(first)
            if line.continued:
                detail = self.symbols[line.continued]
            if line.is_ambiguous:
                detail = f"{group.references}  {detail}"
            more = self.paint(f"  +{group.more} more", "muted") if group.more and not line.continued else ""
            yield f"{self.paint(prefix, 'muted')}{label}{entry}  {self.paint(printable(detail), 'muted')}{more}"

    def run_table(self) -> Iterator[str]:
        """Yield each run in order of time, below a heading for each day."""
        heading = None
        for run in self.runs:
            time = parse_time(run.at, self.terminal.zone)
            day = f"{time.day} {MONTHS[time.month - 1]} {time.year}" if time else "Time unknown"
            if day != heading:
                heading = day
                yield ""
                yield self.paint(day, "strong") + self.paint(f"  {time.tzname()}" if time else "", "muted")
            state = run.state or ""
            status = run_status(run.state, run.seen, run.unattributed)
            symbol = self.paint(self.symbols.get(state, self.symbols["dot"]), state)
            title = self.paint(printable(card_title(run)), "strong")
            entry = self.paint(f" {self.symbols['entry']}", "entry") if run.key == self.graph.entry else ""
            reference = self.paint(printable(card_reference(run)), "muted")
            clock = f"{time:%H:%M}" if time else "     "
            yield (
                f"  {clock}  {symbol} {title}{entry}  {reference}  {self.paint(printable(status), state)}"
                f"{self.more(run)}"
            )
            inputs = [_Row("input", card, self.before[card.key]) for card in self.before[run.key]]
            outputs = [_Row("output", card, self.after[card.key]) for card in self.after[run.key]]
            yield from self.data_rows([*inputs, *outputs])

    def data_rows(self, rows: list[_Row]) -> Iterator[str]:
        """Yield aligned rows of data cards: title, type, reference, and the runs they are linked to."""
        titles = [printable(card_caption(row.card)) for row in rows]
        types = [type_label(row.card) for row in rows]
        references = [printable(card_reference(row.card)) for row in rows]
        widths = [
            min(max(map(display_width, column), default=0), MAX_COLUMN_WIDTH) for column in (titles, types, references)
        ]
        for row, title, type_text, reference in zip(rows, titles, types, references, strict=True):
            symbol = self.symbols.get(row.symbol, row.symbol)
            color = "entry" if row.card.key == self.graph.entry else ""
            padded_title = self.paint(_pad(title, widths[0]), color)
            detail = self.paint(f"{_pad(type_text, widths[1])}  {_pad(reference, widths[2])}", "muted")
            direction = self.paint(self.symbols["from" if row.symbol == "input" else "to"], "muted")
            linked = f"  {direction} {_brief_names(row.linked)}" if row.linked else ""
            yield f"         {symbol} {padded_title}  {detail}{self.more(row.card)}{linked}"

    def more(self, card: Card) -> str:
        """Return the count of neighbours that the graph leaves out."""
        return self.paint(f"  +{card.more} more", "muted") if card.more else ""


def _brief_names(cards: list[Card]) -> str:
    """Return each title once with its references, for the first few cards, then the count of the rest."""
    references: dict[str, list[str]] = {}
    for card in cards[:MAX_NAMED]:
        references.setdefault(card_caption(card), []).append(card_reference(card))
    names = [f"{title} {' '.join(refs)}" for title, refs in references.items()]
    if len(cards) > MAX_NAMED:
        names.append(f"{len(cards) - MAX_NAMED} more")
    return printable(", ".join(names))


def _pad(text: str, columns: int) -> str:
    return text + " " * (columns - display_width(text))
