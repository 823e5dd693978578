"""The values of a reproduction: the plan that is confirmed before it, and the result with the compared outputs."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

SAME, DIFFERENT, MISSING, ADDED, NOT_COMPARED, READ, NOT_READ = (
    "same",
    "different",
    "missing",
    "added",
    "not compared",
    "read",
    "not read",
)
OUTPUT, INPUT, CODE = "output", "input", "code"  # sides
EQUAL = "equal"
DIFFERING = frozenset({DIFFERENT, MISSING, ADDED})
_ACCEPTABLE = frozenset({SAME, NOT_COMPARED, READ})


class ComparisonRow(NamedTuple):
    """One compared input or output: a file by its sha256, a version by its digest, in hexadecimal digits.

    Args:
        side: ``input`` or ``output``; or ``code``, which has rows for what differs alone.
        name: path or reference.
        recorded, reproduced: the digests, None where there is none.
        verdict: ``same``, ``different``, ``missing`` (not written again), ``added`` (written by the reproduction
            alone), ``not compared``; of an input ``read`` or ``not read``.
        ref: reference to what the reproduction wrote.
        requested: whether it is the output that the reproduction was asked for.
    """

    side: str
    name: str
    recorded: str | None
    reproduced: str | None
    verdict: str
    ref: str | None = None
    requested: bool = False


class Cause(NamedTuple):
    """A part of a reproduction that is not as it was recorded, so that it may explain another output.

    Args:
        kind: ``data``, ``code``, ``environment``, ``seed`` or ``hardware``.
        details: what differs, in words.
    """

    kind: str
    details: str


def outputs_equal(rows: Sequence[ComparisonRow]) -> bool:
    """Return whether at least one output was compared, none differs, and the requested one was compared."""
    outputs = [row for row in rows if row.side == "output"]
    return (
        any(row.verdict == SAME for row in outputs)
        and all(row.verdict in _ACCEPTABLE for row in outputs)
        and not any(row.requested and row.verdict != SAME for row in outputs)
    )


def all_equal(rows: Sequence[ComparisonRow]) -> bool:
    """Return whether the outputs are equal, every restored input was read, and no other code ran."""
    return outputs_equal(rows) and all(row.verdict in _ACCEPTABLE for row in rows)


def output_verdict(rows: Sequence[ComparisonRow]) -> str:
    """Return ``equal``, ``different``, or ``not compared`` if nothing, or not what was requested, was compared."""
    outputs = [row for row in rows if row.side == OUTPUT]
    if any(row.verdict in DIFFERING for row in outputs):
        return DIFFERENT
    return EQUAL if outputs_equal(outputs) else NOT_COMPARED


def input_verdict(rows: Sequence[ComparisonRow]) -> str:
    """Return ``read`` if the recorded inputs were read again, as far as they could be compared; else ``different`` or
    ``not read``; ``not compared`` if there are none.
    """
    verdicts = {row.verdict for row in rows if row.side == INPUT}
    if verdicts & DIFFERING:
        return DIFFERENT
    return next((verdict for verdict in (NOT_READ, READ) if verdict in verdicts), NOT_COMPARED)


class ReproductionPlan(NamedTuple):
    """The execution of a recorded command, as it is shown to the person who confirms it.

    Args:
        ref: the task that is repeated, as ``task:5``.
        app: its name.
        author: the login of the user who recorded it, empty when unknown.
        host: the machine it ran on, empty when unknown.
        commit: the commit that is checked out.
        repository: the remote that was recorded.
        root: the working tree it ran in; paths below it are mapped to the checkout.
        folder: the working folder.
        command: the command line, the interpreter first.
        environment: the variables that are set.
        passed: names of the variables of this process that are passed on.
        requirements: the recorded packages.
        parameters: the recorded parameters of ``workflow``, as JSON; empty without any.
        changes: what is added to the commit, empty for nothing.
        data: the restored data that the command sees in place of the recorded, a phrase each.
        written_to: the folder of what it writes, empty if it writes to the recorded paths.
        overwrites: files of the machine, outside of the checkout, that the recorded run wrote.
        installs: whether packages that differ are installed into a new environment.
    """

    ref: str
    app: str
    author: str
    host: str
    commit: str
    repository: str
    root: str
    folder: str
    command: list[str]
    environment: dict[str, str]
    passed: list[str]
    requirements: list[str]
    parameters: str
    changes: str = ""
    data: Sequence[str] = ()
    written_to: str = ""
    installs: bool = False
    overwrites: Sequence[str] = ()

    def lines(self) -> list[str]:
        """Return the plan as lines of text; the caller escapes control characters in them."""
        return [
            f"{self.ref} ({self.app}) is about to be run again on this machine, with your rights:",
            f"  recorded by  {self.author or 'unknown'}",
            f"  on host      {self.host or 'unknown'}",
            f"  code         commit {self.commit}" + (f" of {self.repository}" if self.repository else ""),
            *([f"  changes      {self.changes}"] if self.changes else []),
            f"  in folder    {self.folder or 'unknown'}; paths below {self.root or '?'} are mapped to the checkout",
            f"  command      {shlex.join(self.command)}",
            *([f"  parameters   {self.parameters}"] if self.parameters else []),
            *(f"  data         for the command, {phrase}" for phrase in self.data),
            *([f"  writes to    {self.written_to}"] if self.written_to else []),
            *(
                f"  overwrites   {path}, if it is written again: it is outside of the checkout"
                for path in self.overwrites
            ),
            *(f"  variable     {name}={value}" for name, value in self.environment.items()),
            f"  passed on    {', '.join(self.passed) or 'nothing'}",
            "  credentials  none: your token is not passed to the command. If the server requires one, the command",
            "               gets a token that can read what the task's team can read, change only what is created",
            "               after it was issued, and is revoked at the end",
            *(["  environment  if it differs, a new one with the packages below"] if self.installs else []),
            *_package_lines(self.requirements),
        ]


def _package_lines(requirements: Sequence[str]) -> Iterator[str]:
    """Yield the packages, many a line, so that what is above them stays on the screen; first those to be installed."""
    yield from (f"  package      {line}" for line in requirements if line.startswith("#"))
    listed = ", ".join(line for line in requirements if not line.startswith("#"))
    for number, line in enumerate(textwrap.wrap(listed, 100, break_long_words=False, break_on_hyphens=False)):
        yield f"  {'packages' if not number else '':<13}{line}"


@dataclass(frozen=True)
class Reproduction:
    """The result of reproducing a run.

    Args:
        ref: the reference that was reproduced.
        task: the run that produced it, as ``task:5``.
        restored: names of the projects restored from versions, by their ids.
        lock: path of the lock file.
        commands: the shell commands that repeat the run by hand, one per line.
        notes: differences from the recorded run, and data that could not be restored.
        tasks: the runs that the reproduction recorded; empty when nothing was run.
        rows: the comparison of inputs and outputs.
        worktree: path of the working tree, if it was kept.
        causes: what differs from the recorded run, other than its outputs.
        deterministic: whether a second run wrote the same as the first; None if there was none, or it compared nothing.
        written: ids of the files of the team that the reproduction wrote, by the paths that its command asked for.
        stages: the reproductions of the runs that the inputs came from, the first one first.
    """

    ref: str
    task: str
    restored: dict[int, str]
    lock: str
    commands: list[str]
    notes: list[str]
    tasks: list[str] = field(default_factory=list)
    rows: list[ComparisonRow] = field(default_factory=list)
    worktree: str | None = None
    causes: list[Cause] = field(default_factory=list)
    deterministic: bool | None = None
    written: dict[str, int] = field(default_factory=dict)
    stages: list[Reproduction] = field(default_factory=list)

    @property
    def equal(self) -> bool | None:
        """True if all compared outputs are equal, from the recorded data and code; None when nothing was run.

        Those of the earlier stages are included.
        """
        return all_equal(self.rows) and all(stage.equal for stage in self.stages) if self.tasks else None

    @property
    def outputs(self) -> str | None:
        """The verdict on the outputs, see `output_verdict`; None when nothing was run."""
        return output_verdict(self.rows) if self.tasks else None

    @property
    def inputs(self) -> str | None:
        """The verdict on the inputs, see `input_verdict`; None when nothing was run."""
        return input_verdict(self.rows) if self.tasks else None
