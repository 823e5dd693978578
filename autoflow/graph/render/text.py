"""The graph printed in a terminal: the chain as a tree, then each run with what it read and wrote.

Nothing in a name reaches the terminal as a control character, and escapes of our own are written only when
colours are asked for.
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
    display_width,
    parse_time,
    printable,
    run_status,
    type_label,
)
from autoflow.graph.render.summary_tree import MULTIPLICATION_SIGN, tree_lines

COLORS = {
    "finished": "32",
    "failed": "31",
    "running": "36",
    "lost": "33",
    "ended": "32",
    "strong": "1",
    "quiet": "2",
    "entry": "1;34",
}
UNICODE = {
    "branch": "├─▶ ",
    "end": "└─▶ ",
    "down": "│   ",
    "input": "←",
    "output": "→",
    "from": "⇐",
    "to": "⇒",
    "above": "↑ above",
    "below": "↓ below",
    "entry": "◆",
    "finished": "✓",
    "ended": "✓",
    "failed": "✗",
    "running": "▸",
    "lost": "?",
    "dot": "·",
}
ASCII = {
    "branch": "|-> ",
    "end": "`-> ",
    "down": "|   ",
    "input": "<-",
    "output": "->",
    "from": "<=",
    "to": "=>",
    "above": "^ above",
    "below": "v below",
    "entry": "*",
    "finished": "+",
    "ended": "+",
    "failed": "x",
    "running": ">",
    "lost": "?",
    "dot": "-",
}
WIDEST = 44  # columns of a title before the table gives up aligning it
ONWARD = 4  # cards named where data came from or goes on to


def render_text(graph: Graph, *, color: bool = False, unicode: bool = True, zone: tzinfo = timezone.utc) -> str:
    """Give the graph as lines of text, ending in a newline.

    Args:
        graph: what to print.
        color: whether to write ANSI colours.
        unicode: whether to use more than ASCII; without it, names are escaped too.
        zone: where the reader's clock stands.
    """
    page = _Page(graph, color, UNICODE if unicode else ASCII, zone)
    whole = "\n".join(line.rstrip() for line in page.lines()) + "\n"
    if unicode:
        return whole
    return (
        whole.replace(MULTIPLICATION_SIGN, "x").replace("…", "...").encode("ascii", "backslashreplace").decode("ascii")
    )


class _Row(NamedTuple):
    sign: str
    card: Card
    onward: list[Card]


class _Page:
    """One printing: the graph's indices and the signs and colours chosen."""

    def __init__(self, graph: Graph, color: bool, signs: dict[str, str], zone: tzinfo) -> None:
        self.graph = graph
        self.color = color
        self.signs = signs
        self.zone = zone
        cards = {card.key: card for card in graph.cards}
        self.before: dict[str, list[Card]] = {key: [] for key in cards}
        self.after: dict[str, list[Card]] = {key: [] for key in cards}
        for source, target in dict.fromkeys((arrow.source, arrow.target) for arrow in graph.arrows):
            if source in cards and target in cards:
                self.before[target].append(cards[source])
                self.after[source].append(cards[target])
        ordered = sorted(graph.cards, key=lambda card: (card.at is None, card.at or ""))
        self.runs = [card for card in ordered if card.type == "task"]
        near = [card for run in self.runs for card in (*self.before[run.key], *self.after[run.key])]
        touched = {card.key for card in near} | {card.parent for card in near}
        self.unused = [card for card in ordered if card.type != "task" and card.key not in touched]

    def lines(self) -> Iterator[str]:
        """The whole page."""
        yield self.paint(printable(self.graph.title), "strong")
        runs, others = count_runs_and_data(self.graph)
        yield f"{_count(runs, 'run')}, {_count(others, 'data card')}"
        if self.graph.cards:
            yield ""
            yield from self.tree()
        if self.runs:
            yield from self.table()
        if self.unused:
            yield ""
            yield self.paint("No run here read or wrote", "strong")
            yield from self.rows([_Row(self.signs["dot"], card, []) for card in self.unused])

    def tree(self) -> Iterator[str]:
        """The chain at a glance."""
        for last, group, continued, alike in tree_lines(self.graph):
            lead = "".join("    " if ended else self.signs["down"] for ended in last[:-1])
            lead += (self.signs["end"] if last[-1] else self.signs["branch"]) if last else ""
            first = group.cards[0]
            runs = first.type == "task"
            label = self.paint(printable(group.label), "strong" if runs else "")
            entered = self.graph.entry in group.keys
            mark = self.paint(f" {self.signs['entry']}", "entry") if entered else ""
            about = group.states if runs else type_label(first)
            about = self.signs[continued] if continued else about
            words = f"{group.refs}  {about}" if alike else about
            more = self.paint(f"  +{group.more} more", "quiet") if group.more and not continued else ""
            yield f"{self.paint(lead, 'quiet')}{label}{mark}  {self.paint(printable(words), 'quiet')}{more}"

    def table(self) -> Iterator[str]:
        """Each run in order of time, under the days."""
        day = None
        for run in self.runs:
            at = parse_time(run.at, self.zone)
            today = f"{at.day} {MONTHS[at.month - 1]} {at.year}" if at else "Time unknown"
            if today != day:
                day = today
                yield ""
                yield self.paint(today, "strong") + self.paint(f"  {at.tzname()}" if at else "", "quiet")
            state = run.state or ""
            stands = run_status(run.state, run.seen, run.unattributed)
            sign = self.paint(self.signs.get(state, self.signs["dot"]), state)
            entry = self.paint(f" {self.signs['entry']}", "entry") if run.key == self.graph.entry else ""
            title = self.paint(printable(card_title(run)), "strong")
            yield (
                f"  {f'{at:%H:%M}' if at else '     '}  {sign} {title}{entry}"
                f"  {self.paint(printable(card_reference(run)), 'quiet')}  {self.paint(printable(stands), state)}"
                f"{self.more(run)}"
            )
            inputs = [_Row("input", card, self.before[card.key]) for card in self.before[run.key]]
            outputs = [_Row("output", card, self.after[card.key]) for card in self.after[run.key]]
            yield from self.rows([*inputs, *outputs])

    def rows(self, rows: list[_Row]) -> Iterator[str]:
        """Data cards under one another: title, kind, reference, and where they came from or go on to."""
        titles = [printable(card_caption(row.card)) for row in rows]
        kinds = [type_label(row.card) for row in rows]
        refs = [printable(card_reference(row.card)) for row in rows]
        columns = [min(max(map(display_width, column), default=0), WIDEST) for column in (titles, kinds, refs)]
        for row, title, kind, own in zip(rows, titles, kinds, refs, strict=True):
            sign = self.signs.get(row.sign, row.sign)
            color = "entry" if row.card.key == self.graph.entry else ""
            shown = self.paint(_padded(title, columns[0]), color)
            about = self.paint(f"{_padded(kind, columns[1])}  {_padded(own, columns[2])}", "quiet")
            way = self.signs["from" if row.sign == "input" else "to"]
            onward = f"  {self.paint(way, 'quiet')} {_named(row.onward)}" if row.onward else ""
            yield f"         {sign} {shown}  {about}{self.more(row.card)}{onward}"

    def more(self, card: Card) -> str:
        """What was left out beside a card."""
        return self.paint(f"  +{card.more} more", "quiet") if card.more else ""

    def paint(self, words: str, color: str) -> str:
        """Words in a colour, if colours are asked for."""
        code = COLORS.get(color)
        return f"\x1b[{code}m{words}\x1b[0m" if self.color and code and words else words


def _named(cards: list[Card]) -> str:
    """Name cards briefly: each title once, the first few references, then how many more."""
    few: dict[str, list[str]] = {}
    for card in cards[:ONWARD]:
        few.setdefault(card_caption(card), []).append(card_reference(card))
    names = [f"{title} {' '.join(refs)}" for title, refs in few.items()]
    if len(cards) > ONWARD:
        names.append(f"{len(cards) - ONWARD} more")
    return printable(", ".join(names))


def _padded(words: str, columns: int) -> str:
    return words + " " * (columns - display_width(words))


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
