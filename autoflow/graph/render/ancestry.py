"""A trace as a tree for the terminal, from the traced entity back to the first data; each card is unfolded once.

No name reaches the terminal with a control character.
"""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import timezone, tzinfo
from typing import Any

from autoflow.graph.graph import Card
from autoflow.graph.render.labels import card_reference, format_time, parse_time, printable, run_status, type_label
from autoflow.graph.render.summary_tree import MAX_DEPTH
from autoflow.graph.render.terminal import Terminal
from autoflow.graph.trace import Trace

MAX_COMMAND_LENGTH = 160


def render_trace(trace: Trace, *, color: bool = False, unicode: bool = True, zone: tzinfo = timezone.utc) -> str:
    """Return the trace as lines of text, ending in a newline.

    Args:
        trace: the trace to print.
        color: whether to write ANSI colors.
        unicode: whether to use more than ASCII; without it, names are escaped too.
        zone: the reader's time zone.
    """
    terminal = Terminal(color, unicode, zone)
    return terminal.join(_TraceRenderer(trace, terminal).lines())


class _TraceRenderer:
    """The state of one rendering: the cards unfolded so far."""

    def __init__(self, trace: Trace, terminal: Terminal) -> None:
        self.trace = trace
        self.terminal = terminal
        self.symbols = terminal.symbols
        self.unfolded: set[str] = set()
        self.cards = {card.key: card for card in trace.graph.cards}
        self.before: dict[str, list[str]] = {key: [] for key in self.cards}
        for source, target in dict.fromkeys((arrow.source, arrow.target) for arrow in trace.graph.arrows):
            if source in self.cards and target in self.cards:
                self.before[target].append(source)

    def lines(self) -> Iterator[str]:
        """Yield all lines."""
        if self.trace.graph.entry in self.cards:
            yield from self.branches(self.trace.graph.entry)
        if not self.trace.complete:
            yield ""
            yield "The trace is cut off; trace a card with +N more beside it to see more."

    def branches(self, root: str) -> Iterator[str]:
        """Yield a card and everything it came from; a chain of more than `MAX_DEPTH` steps continues at the left."""
        trunk = self.symbols["trunk"]
        stack = [(root, "", "")]  # a card's key, the prefix of its own line, the prefix of the lines below it
        too_deep: deque[str] = deque()
        while stack or too_deep:
            if not stack:
                stack = [(key, "", "") for key in (too_deep.popleft(),) if key not in self.unfolded]
                continue
            key, prefix, inner_prefix = stack.pop()
            children = self.before[key]
            is_repeated = key in self.unfolded and bool(children)
            is_deferred = not is_repeated and bool(children) and len(inner_prefix) >= MAX_DEPTH * len(trunk)
            pointer = "  (above)" if is_repeated else "  (below)" if is_deferred else ""
            yield prefix + self.card_line(self.cards[key]) + self.terminal.paint(pointer, "muted")
            if is_deferred:
                too_deep.append(key)
            if pointer:
                continue
            self.unfolded.add(key)
            for text in self.run_lines(key):
                yield inner_prefix + (trunk if children else "   ") + self.terminal.paint(text, "muted")
            for index, child in reversed(list(enumerate(children))):
                is_last = index == len(children) - 1
                branch = self.symbols["last branch" if is_last else "branch"]
                stack.append((child, inner_prefix + branch, inner_prefix + ("   " if is_last else trunk)))

    def card_line(self, card: Card) -> str:
        """Return the line of a card: its name, its reference, and its type or, for a run, its status."""
        paint = self.terminal.paint
        data: Mapping[str, Any] = self.trace.data.get(card.key, {})
        more = paint(f"  +{card.more} more", "muted") if card.more else ""
        reference = paint(printable(card_reference(card)), "muted")
        if card.type == "task":
            run: Mapping[str, Any] = self.trace.runs.get(card.key, {})
            symbol = paint(self.symbols.get(card.state or "", self.symbols["dot"]), card.state or "")
            name = paint(printable(str(run.get("name") or card.name)), "strong")
            return f"{symbol} {name}  {reference}  {paint(printable(self.run_summary(run)), 'muted')}{more}"
        name = printable(str(data.get("path") or data.get("projectName") or card.name))
        return f"{paint(name, 'strong')}  {reference}  {paint(printable(_data_type(card, data)), 'muted')}{more}"

    def run_summary(self, run: Mapping[str, Any]) -> str:
        """Return a run's status, start, duration and error."""
        started, finished = parse_time(run.get("startedAt")), parse_time(run.get("finishedAt"))
        duration = f"{(finished - started).total_seconds():.1f} s" if started and finished else ""
        status = run_status(run.get("state"), run.get("seenAt"), bool(run.get("facts", {}).get("unattributed")))
        parts = [status, format_time(run.get("startedAt"), self.terminal.zone), duration, str(run.get("error") or "")]
        return ", ".join(part for part in parts if part)

    def run_lines(self, key: str) -> Iterator[str]:
        """Yield what is needed to run a run again: its command, then its code and environment."""
        run: Mapping[str, Any] = self.trace.runs.get(key, {})
        facts = run.get("facts", {})
        if command := facts.get("command"):
            line = printable(shlex.join(map(str, command)))
            yield line if len(line) <= MAX_COMMAND_LENGTH else line[: MAX_COMMAND_LENGTH - 1] + "…"
        parts = []
        if commit := facts.get("commit"):
            state = " (dirty)" if facts.get("dirty") else ""
            parts.append(f"commit {str(commit)[:12]}{state}")
        parts += [f"Python {facts['python']}"] if facts.get("python") else []
        parts += [f"{len(facts['packages'])} packages"] if facts.get("packages") else []
        parts += [f"reproduces {facts['reproduces']}"] if facts.get("reproduces") else []
        if parts:
            yield printable(", ".join(parts))


def _data_type(card: Card, data: Mapping[str, Any]) -> str:
    """Return the type of data, with a version's number and title, or a file's number among those at its path."""
    if card.type == "project_version" and data.get("number") is not None:
        title = f' "{data["title"]}"' if data.get("title") else ""
        return f"version {data['number']} of project:{data['projectId']}{title}"
    if data.get("count", 1) > 1:
        replaced = "" if data.get("current") else ", replaced since"
        return f"{type_label(card)}, number {data['number']} of {data['count']} at its path{replaced}"
    return type_label(card)
