"""Traces and impacts as trees for the terminal; each card is unfolded once.

A trace leads from an entity back to the first data, an impact from an entity or an image to all that was made from it.

No name reaches the terminal with a control character.
"""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import timezone, tzinfo
from typing import Any

from autoflow.graph.graph import Card, Graph
from autoflow.graph.impact import Impact
from autoflow.graph.render.labels import card_reference, format_time, parse_time, printable, run_status, type_label
from autoflow.graph.render.summary_tree import MAX_DEPTH
from autoflow.graph.render.terminal import Terminal
from autoflow.graph.trace import Trace
from autoflow.model.changed_version import doubts
from autoflow.model.observed_file import observed_files
from autoflow.model.run import RunFacts
from autoflow.model.run_code import code_files, executed_notebook, gaps, has_changes, outdated_packages

MAX_COMMAND_LENGTH = 160
AUTHORED = ("project_version", "file", "model_weight", "model")  # types of data whose author is named
MAX_OBSERVED = 10  # files of one run that are named


def render_trace(trace: Trace, *, color: bool = False, unicode: bool = True, zone: tzinfo = timezone.utc) -> str:
    """Return the trace as lines of text, ending in a newline.

    Args:
        trace: the trace to print.
        color: whether to write ANSI colors.
        unicode: whether to use more than ASCII; without it, names are escaped too.
        zone: the reader's time zone.
    """
    terminal = Terminal(color, unicode, zone)
    arrows = [(arrow.target, arrow.source) for arrow in trace.graph.arrows]
    tree = _TreeRenderer(trace.graph, arrows, trace.runs, trace.data, terminal)
    cut_off = "The trace is cut off; trace a card with +N more beside it to see more."
    entry = [trace.graph.entry] if trace.graph.entry is not None else []
    return terminal.join([*tree.lines(entry), *([] if trace.complete else ["", cut_off])])


def render_impact(impact: Impact, *, color: bool = False, unicode: bool = True, zone: tzinfo = timezone.utc) -> str:
    """Return the impact as lines of text, ending in a newline; the options are those of `render_trace`."""
    terminal = Terminal(color, unicode, zone)
    arrows = [(arrow.source, arrow.target) for arrow in impact.graph.arrows]
    tree = _TreeRenderer(impact.graph, arrows, impact.runs, impact.data, terminal)
    return terminal.join([*_image_lines(impact, terminal), *tree.lines(impact.roots), *_closing_lines(impact)])


def _image_lines(impact: Impact, terminal: Terminal) -> Iterator[str]:
    """Yield where the image of an impact is and was."""
    if impact.images:
        yield terminal.paint(printable(impact.images[0]["name"]), "strong") + f"  {printable(impact.ref)}"
    for image in impact.images:
        first, last = image["firstVersion"], image["lastVersion"]
        saved = f"{image['versions']} versions, {first} to {last}" if image["versions"] > 1 else f"version {first}"
        parts = [saved] if image["versions"] else []
        parts += [] if image["current"] else ["deleted since"]
        where = f"  in {image['projectName']}, project:{image['projectId']}, dataset:{image['datasetId']}"
        yield terminal.paint(
            printable(f"{where}, image:{image['image']}" + "".join(f", {part}" for part in parts)), "muted"
        )
    if impact.images:
        yield ""


def _closing_lines(impact: Impact) -> Iterator[str]:
    """Yield what an impact does not show."""
    if not impact.complete:
        yield ""
        yield f"The impact is cut off: at least {impact.omitted} more runs and data are not shown."
    elif not impact.results():
        yield "No recorded run has used it."


class _TreeRenderer:
    """The state of one rendering: the cards unfolded so far.

    Args:
        graph: the cards.
        arrows: pairs of keys, of a card and of one that is drawn below it.
        runs: descriptions of runs by key.
        data: descriptions of data by key.
        terminal: the terminal.
    """

    def __init__(
        self,
        graph: Graph,
        arrows: Iterable[tuple[str, str]],
        runs: Mapping[str, Mapping[str, Any]],
        data: Mapping[str, Mapping[str, Any]],
        terminal: Terminal,
    ) -> None:
        self.runs = runs
        self.data = data
        self.terminal = terminal
        self.symbols = terminal.symbols
        self.unfolded: set[str] = set()
        self.cards = {card.key: card for card in graph.cards}
        self.below: dict[str, list[str]] = {key: [] for key in self.cards}
        for upper, lower in dict.fromkeys(arrows):
            if upper in self.cards and lower in self.cards:
                self.below[upper].append(lower)

    def lines(self, roots: Iterable[str]) -> Iterator[str]:
        """Yield the lines of the trees that begin at some cards."""
        for root in roots:
            if root in self.cards and root not in self.unfolded:
                yield from self.branches(root)

    def branches(self, root: str) -> Iterator[str]:
        """Yield a card and everything below it; a chain of more than `MAX_DEPTH` steps continues at the left."""
        trunk = self.symbols["trunk"]
        stack = [(root, "", "")]  # a card's key, the prefix of its own line, the prefix of the lines below it
        too_deep: deque[str] = deque()
        while stack or too_deep:
            if not stack:
                stack = [(key, "", "") for key in (too_deep.popleft(),) if key not in self.unfolded]
                continue
            key, prefix, inner_prefix = stack.pop()
            children = self.below[key]
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
        data: Mapping[str, Any] = self.data.get(card.key, {})
        more = paint(f"  +{card.more} more", "muted") if card.more else ""
        reference = paint(printable(card_reference(card)), "muted")
        if card.type == "task":
            run: Mapping[str, Any] = self.runs.get(card.key, {})
            symbol = paint(self.symbols.get(card.state or "", self.symbols["dot"]), card.state or "")
            name = paint(printable(str(run.get("name") or card.name)), "strong")
            return f"{symbol} {name}  {reference}  {paint(printable(self.run_summary(run)), 'muted')}{more}"
        name = printable(str(data.get("path") or data.get("projectName") or card.name))
        author = f", by {card.author}" if card.author and card.type in AUTHORED else ""
        summary = paint(printable(_data_type(card, data) + author), "muted")
        return f"{paint(name, 'strong')}  {reference}  {summary}{more}"

    def run_summary(self, run: Mapping[str, Any]) -> str:
        """Return a run's status, start, duration, user and error."""
        started, finished = parse_time(run.get("startedAt")), parse_time(run.get("finishedAt"))
        duration = f"{(finished - started).total_seconds():.1f} s" if started and finished else ""
        status = run_status(run.get("state"), run.get("seenAt"), bool(run.get("facts", {}).get("unattributed")))
        author = f"by {run['createdBy']}" if run.get("createdBy") else ""
        started_at = format_time(run.get("startedAt"), self.terminal.zone)
        parts = [status, started_at, duration, author, str(run.get("error") or "")]
        return ", ".join(part for part in parts if part)

    def run_lines(self, key: str) -> Iterator[str]:
        """Yield what is needed to run a run again: its command, then its code and environment."""
        run: Mapping[str, Any] = self.runs.get(key, {})
        facts: RunFacts = run.get("facts", {})
        if command := facts.get("launcher") or facts.get("command"):
            line = printable(shlex.join(map(str, command)))
            yield line if len(line) <= MAX_COMMAND_LENGTH else line[: MAX_COMMAND_LENGTH - 1] + "…"
        parts = []
        if commit := facts.get("commit"):
            parts.append(f"commit {str(commit)[:12]}{_code_state(facts)}")
        if (notebook := executed_notebook(facts)) is not None:
            cells = notebook["cells"]
            parts.append(
                f"notebook {notebook.get('path', '')}".rstrip() + f", {cells} cell{'s' * (cells != 1)} as executed"
            )
        if python := facts.get("python"):
            parts.append(f"Python {python}")
        if packages := facts.get("packages"):
            parts.append(f"{len(packages)} packages")
        if reproduced := facts.get("reproduces"):
            parts.append(f"reproduces {reproduced}")
        if parts:
            yield printable(", ".join(parts))
        yield from map(printable, [*outdated_packages(facts), *doubts(facts)])
        yield from _result_lines(facts)
        yield from _observed_lines(facts)
        if variables := facts.get("environment"):
            line = printable("with " + " ".join(f"{name}={value}" for name, value in variables.items()))
            yield line if len(line) <= MAX_COMMAND_LENGTH else line[: MAX_COMMAND_LENGTH - 1] + "…"


def _result_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the final numbers of a run, and its links to other pages."""
    numbers = {name: value for name, value in facts.items() if name.startswith("result.")}
    shown = [f"{name.removeprefix('result.')}={value:.6g}" for name, value in numbers.items() if _is_number(value)]
    if shown:
        yield printable(" ".join(shown))
    for name, url in facts.items():
        if name.startswith("link.") and isinstance(url, str) and url.startswith(("http://", "https://")):
            yield printable(f"{name.removeprefix('link.')}: {url}")


def _observed_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files that a run read or wrote, and did not declare; paths below its working folder relative to it."""
    files = list(observed_files(facts))
    prefix = f"{facts.get('folder')}/"
    for verb, selected in (
        ("read", [file for file in files if file.read]),
        ("wrote", [file for file in files if file.written]),
    ):
        names = [file.path.removeprefix(prefix) for file in selected[:MAX_OBSERVED]]
        if len(selected) > len(names):
            names.append(f"and {len(selected) - len(names)} more")
        if names:
            yield printable(f"{verb} and not declared: {', '.join(names)}")
    summary = facts.get("observed")
    if isinstance(summary, Mapping) and (summary.get("more") or len(files) < summary.get("files", 0)):
        yield f"the run opened more files than the {len(files)} recorded"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _code_state(facts: RunFacts) -> str:
    """Return what the code of a run was beside its commit, and whether all of that is recorded; empty for nothing."""
    used = sum(bool(file.get("used")) for file in code_files(facts))
    parts = ["no remote has it"] if facts.get("unpublished") else []
    if has_changes(facts) and "dirty" in facts:
        parts.append("dirty")
        parts += [f"{used} {'file' if used == 1 else 'files'} outside of git"] if used else []
        parts.append("not completely recorded" if any(gaps(facts)) else "recorded")
    return f" ({', '.join(parts)})" if parts else ""


def _data_type(card: Card, data: Mapping[str, Any]) -> str:
    """Return the type of data, with a version's number and title, or a file's number among those at its path."""
    if card.type == "project_version" and data.get("number") is not None:
        title = f' "{data["title"]}"' if data.get("title") else ""
        return f"version {data['number']} of project:{data['projectId']}{title}"
    label = printable(", ".join(data.get("models", ()))) or type_label(card)
    if data.get("count", 1) > 1:
        replaced = "" if data.get("current") else ", replaced since"
        return f"{label}, number {data['number']} of {data['count']} at its path{replaced}"
    return label
