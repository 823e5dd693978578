"""The recorded run that is repeated, and the reasons why it may not be possible."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from autoflow.errors import NotReproducible
from autoflow.graph.trace import Trace
from autoflow.model.graph_json import DataJson
from autoflow.model.run import RunFacts
from autoflow.model.run_code import executed_notebook

MASK = "***"
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
CUT = "..."  # last word of a command line that was truncated


class RecordedRun(NamedTuple):
    """A run as the server recorded it.

    Args:
        ref: its task, as ``task:5``.
        name: name of the app.
        state: final state.
        workspace: id of its workspace.
        facts: how it was started.
        inputs, outputs: the data it read and wrote, in order, as in `Trace.data`.
        author: login of the user who recorded it, empty when unknown.
        team: id of its team.
    """

    ref: str
    name: str
    state: str
    workspace: int
    facts: RunFacts
    inputs: list[DataJson]
    outputs: list[DataJson]
    author: str = ""
    team: int | None = None

    @property
    def command(self) -> list[str]:
        """The command line, the interpreter first, of a distributed run the launcher's; empty if none was recorded."""
        return list(self.facts.get("launcher") or self.facts.get("command", ()))

    @property
    def commit(self) -> str:
        """The commit of its code, empty when it ran outside of a git working tree."""
        return self.facts.get("commit", "")


def is_commit(text: str) -> bool:
    """Return whether a text is a full git commit hash, and so no option of git's command line."""
    return _COMMIT.fullmatch(text) is not None


def run_from_trace(trace: Trace, key: str) -> RecordedRun:
    """Return a run of a trace by its key."""
    run = trace.runs[key]
    inputs = [trace.data[name] for name in run["inputs"] if name in trace.data]
    outputs = [trace.data[name] for name in run["outputs"] if name in trace.data]
    facts = cast("RunFacts", run["facts"])
    author = str(run.get("createdBy") or "")
    return RecordedRun(
        *(run["ref"], run["name"], run["state"], run["workspaceId"], facts, inputs, outputs, author),
        team=run.get("teamId"),
    )


def producing_run(trace: Trace) -> RecordedRun:
    """Return the run that produced the traced entity.

    Raises:
        NotReproducible: no recorded run did, or its command line was not recorded.
    """
    key = trace.producer()
    if key is None:
        raise NotReproducible(f"no recorded run produced {trace.ref}, so there is nothing to run again")
    run = run_from_trace(trace, key)
    if not run.command:
        raise NotReproducible(f"{run.ref} has no recorded command line: it was recorded by another client")
    return run


def obstacles(run: RecordedRun, *, allow_dirty: bool, missing: Sequence[str]) -> Iterator[str]:
    """Return the reasons why a run's command cannot be run again, one sentence each; empty when it can.

    Args:
        run: the run.
        allow_dirty: run it although a part of its code is missing.
        missing: the parts that are missing, a phrase each.
    """
    facts = run.facts
    if not run.commit and "environment" not in facts:
        yield f"the process of {run.ref} ended before the commit of its code was looked up"
    elif not run.commit and executed_notebook(facts) is None:
        yield f"{run.ref} ran outside of a git working tree, so the commit of its code is unknown"
    elif run.commit and not is_commit(run.commit):
        yield f"the recorded commit of {run.ref}, {run.commit!a}, is not a commit hash"
    elif missing and not allow_dirty:
        yield (
            f"{run.ref} ran with code that {'commit ' + run.commit[:12] if run.commit else 'was not recorded'}"
            f"{' does not have' if run.commit else ''}: {'; '.join(missing)}. "
            "--allow-dirty runs it without"
        )
    if any(word == MASK or word.endswith(f"={MASK}") for word in run.command):
        yield "a secret on its command line was masked; insert it into the printed commands and run those"
    if run.command[-1] == CUT:
        yield "its command line was too long to be recorded completely"
