"""A trace printed in a terminal: a tree from the thing back to the first data; what comes twice is unfolded once.

Nothing in a name reaches the terminal as a control character.
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
from autoflow.graph.render.text import ASCII, COLORS, UNICODE
from autoflow.graph.trace import Trace

LONGEST_COMMAND = 160
_LEADS = {True: ("├─ ", "└─ ", "│  "), False: ("|- ", "`- ", "|  ")}


def render_trace(trace: Trace, *, color: bool = False, unicode: bool = True, zone: tzinfo = timezone.utc) -> str:
    """Give the trace as lines of text, ending in a newline; the arguments are those of `graph.text.text`."""
    page = _Page(trace, color, unicode, zone)
    whole = "\n".join(line.rstrip() for line in page.lines()) + "\n"
    return whole if unicode else whole.replace("…", "...").encode("ascii", "backslashreplace").decode("ascii")


class _Page:
    """One printing: the signs and colours chosen, and what was unfolded already."""

    def __init__(self, trace: Trace, color: bool, unicode: bool, zone: tzinfo) -> None:
        self.trace = trace
        self.color = color
        self.signs = UNICODE if unicode else ASCII
        self.branch, self.end, self.down = _LEADS[unicode]
        self.zone = zone
        self.shown: set[str] = set()
        self.cards = {card.key: card for card in trace.graph.cards}
        self.before: dict[str, list[str]] = {key: [] for key in self.cards}
        for source, target in dict.fromkeys((arrow.source, arrow.target) for arrow in trace.graph.arrows):
            if source in self.cards and target in self.cards:
                self.before[target].append(source)

    def lines(self) -> Iterator[str]:
        """The whole page."""
        if self.trace.graph.entry in self.cards:
            yield from self.branches(self.trace.graph.entry)
        if not self.trace.complete:
            yield ""
            yield "There is more than is shown here; trace what has a +N more beside it."

    def branches(self, root: str) -> Iterator[str]:
        """A card and everything it came from; a chain of more than `DEEPEST` steps goes on at the left."""
        stack = [(root, "", "")]
        deep: deque[str] = deque()
        while stack or deep:
            if not stack:
                stack = [(key, "", "") for key in (deep.popleft(),) if key not in self.shown]
                continue
            key, lead, inner = stack.pop()
            children = self.before[key]
            again = key in self.shown and bool(children)
            below = not again and bool(children) and len(inner) >= MAX_DEPTH * len(self.down)
            continued = self.paint("  (above)" if again else "  (below)", "quiet") if again or below else ""
            yield lead + self.titled(self.cards[key]) + continued
            if below:
                deep.append(key)
            if continued:
                continue
            self.shown.add(key)
            for about in self.about(key):
                yield inner + (self.down if children else "   ") + self.paint(about, "quiet")
            for place, child in reversed(list(enumerate(children))):
                last = place == len(children) - 1
                under = inner + ("   " if last else self.down)
                stack.append((child, inner + (self.end if last else self.branch), under))

    def titled(self, card: Card) -> str:
        """The line of a card: its reference, its name, and what kind it is or how it ended."""
        known = self.trace.data.get(card.key, {})
        more = self.paint(f"  +{card.more} more", "quiet") if card.more else ""
        own = self.paint(printable(card_reference(card)), "quiet")
        if card.type == "task":
            run = self.trace.runs.get(card.key, {})
            sign = self.paint(self.signs.get(card.state or "", self.signs["dot"]), card.state or "")
            name = self.paint(printable(str(run.get("name") or card.name)), "strong")
            return f"{sign} {name}  {own}  {self.paint(printable(self.ended(run)), 'quiet')}{more}"
        name = printable(str(known.get("path") or known.get("projectName") or card.name))
        return f"{self.paint(name, 'strong')}  {own}  {self.paint(printable(_kind(card, known)), 'quiet')}{more}"

    def ended(self, run: Mapping[str, Any]) -> str:
        """When a run began, how long it took and how it ended."""
        began, ended = parse_time(run.get("startedAt")), parse_time(run.get("finishedAt"))
        took = f"{(ended - began).total_seconds():.1f} s" if began and ended else ""
        stands = run_status(run.get("state"), run.get("seenAt"), bool(run.get("facts", {}).get("unattributed")))
        words = [stands, format_time(run.get("startedAt"), self.zone), took]
        return ", ".join(word for word in [*words, str(run.get("error") or "")] if word)

    def about(self, key: str) -> Iterator[str]:
        """What to run, and with what: the lines below a run's."""
        facts = self.trace.runs.get(key, {}).get("facts", {})
        if command := facts.get("command"):
            line = printable(shlex.join(map(str, command)))
            yield line if len(line) <= LONGEST_COMMAND else line[: LONGEST_COMMAND - 1] + "…"
        words = []
        if commit := facts.get("commit"):
            state = " (dirty)" if facts.get("dirty") else ""
            words.append(f"commit {str(commit)[:12]}{state}")
        words += [f"Python {facts['python']}"] if facts.get("python") else []
        words += [f"{len(facts['packages'])} packages"] if facts.get("packages") else []
        words += [f"reproduces {facts['reproduces']}"] if facts.get("reproduces") else []
        if words:
            yield printable(", ".join(words))

    def paint(self, words: str, color: str) -> str:
        """Words in a colour, if colours are asked for."""
        code = COLORS.get(color)
        return f"\x1b[{code}m{words}\x1b[0m" if self.color and code and words else words


def _kind(card: Card, known: Mapping[str, Any]) -> str:
    """What a thing is: of a version its number and title, of a file which one of its path and whether it is still."""
    if card.type == "project_version" and known.get("number") is not None:
        title = f' "{known["title"]}"' if known.get("title") else ""
        return f"version {known['number']} of project:{known['projectId']}{title}"
    if known.get("count", 1) > 1:
        now = "" if known.get("current") else ", replaced since"
        return f"{type_label(card)}, number {known['number']} of {known['count']} at its path{now}"
    return type_label(card)
