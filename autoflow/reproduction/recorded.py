"""The recorded run that is to be done again, and what stands in the way of that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from autoflow.errors import NotReproducible
from autoflow.graph.trace import Trace
from autoflow.model.run import RunFacts

MASK = "***"
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
CUT = "..."  # ends a command line that was too long to be kept


class Recorded(NamedTuple):
    """A run as it was recorded.

    Args:
        ref: its task, as ``task:5``.
        name: the app's.
        state: how it ended.
        workspace: the number of its workspace.
        facts: how it was started.
        inputs, outputs: what it read and wrote, in order, as `Trace.data` tells it.
        author: the login of who recorded it, empty when unknown.
    """

    ref: str
    name: str
    state: str
    workspace: int
    facts: RunFacts
    inputs: list[Mapping[str, Any]]
    outputs: list[Mapping[str, Any]]
    author: str = ""

    @property
    def command(self) -> list[str]:
        """The command line, the interpreter first; empty when none was recorded."""
        return list(self.facts.get("command", ()))

    @property
    def commit(self) -> str:
        """The commit of its code, empty when it was in no git working tree."""
        return self.facts.get("commit", "")


def is_commit(text: str) -> bool:
    """Return whether a text is a hash of git's, and not an option of its command line."""
    return _COMMIT.fullmatch(text) is not None


def of_run(trace: Trace, key: str) -> Recorded:
    """A run of a trace."""
    run = trace.runs[key]
    inputs, outputs = ([trace.data[one] for one in run[side] if one in trace.data] for side in ("inputs", "outputs"))
    facts: RunFacts = run["facts"]
    author = str(run.get("createdBy") or "")
    return Recorded(run["ref"], run["name"], run["state"], run["workspaceId"], facts, inputs, outputs, author)


def recorded(trace: Trace) -> Recorded:
    """The run that made what was traced.

    Raises:
        NotReproducible: no run that was recorded did, or nothing is known of how it was started.
    """
    key = trace.maker()
    if key is None:
        raise NotReproducible(f"no run that autoflow recorded made {trace.ref}: there is nothing to run again")
    found = of_run(trace, key)
    if not found.command:
        raise NotReproducible(f"{found.ref} has no recorded command line: it was recorded by another client")
    return found


def obstacles(run: Recorded, *, allow_dirty: bool) -> Iterator[str]:
    """Why a run's command cannot be run again here, a sentence each; nothing when it can."""
    facts = run.facts
    if not run.commit:
        yield f"the code of {run.ref} was in no git working tree, so no commit says what it was"
    elif not is_commit(run.commit):
        yield f"{run.ref} names {run.commit!a} as its commit, which is no commit's hash"
    elif facts.get("dirty", True) and not allow_dirty:
        yield (
            f"{run.ref} ran on changes that commit {run.commit[:12]} does not have; "
            "--allow-dirty runs the commit without them"
        )
    if any(word == MASK or word.endswith(f"={MASK}") for word in run.command):
        yield "a secret on its command line was masked; run the printed commands with it put in"
    if run.command[-1] == CUT:
        yield "its command line was too long to be kept whole"
