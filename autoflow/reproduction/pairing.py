"""The run of a repeated command that is compared with the recorded run: a command may start several of one app."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autoflow.reproduction.recorded_run import RecordedRun


def counterpart(run: RecordedRun, repeated: Sequence[RecordedRun]) -> RecordedRun:
    """Return the run that repeats a recorded one.

    Of the runs of its app with its rank, it is the one that its process started after as many others; of those from
    several processes, or if the recorded run is older than that fact, one with the same parameters and command line.

    Args:
        run: the recorded run.
        repeated: the runs that the repeated command recorded, in their order, at least one.
    """
    candidates = list(repeated)
    rules: tuple[Callable[[RecordedRun], bool], ...] = (
        lambda other: other.name == run.name,
        lambda other: _rank(other) == _rank(run),
        lambda other: other.facts.get("ordinal", 0) == run.facts.get("ordinal"),
        lambda other: other.facts.get("parameters") == run.facts.get("parameters"),
        lambda other: other.command[1:] == run.command[1:],
    )
    for rule in rules:
        candidates = [candidate for candidate in candidates if rule(candidate)] or candidates
    return candidates[0]


def _rank(run: RecordedRun) -> str | None:
    return run.facts.get("environment", {}).get("RANK")
