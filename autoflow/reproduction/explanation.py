"""Possible causes of different outputs of a reproduction: each part of the run that is not as it was recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autoflow.model.changed_version import doubts
from autoflow.model.reproduction import CODE, DIFFERENT, DIFFERING, INPUT, NOT_COMPARED, NOT_READ, Cause, ComparisonRow
from autoflow.model.run import RunFacts
from autoflow.model.run_variables import without_launched
from autoflow.process.paths import path_below
from autoflow.reproduction.plan import allowed_variables
from autoflow.reproduction.running import in_environment

SEED = "PYTHONHASHSEED"
MAX_NAMES = 5  # of one cause
_HARDWARE = ("cpu", "cores", "threads", "gpus", "driver", "cuda", "os")


def compare_code(recorded: RunFacts, repeated: RunFacts, tree: str) -> list[ComparisonRow]:
    """Return a row for each part of the code that is not the recorded one: a script outside of the checkout, and
    packages that were installed from elsewhere than an index, by the hashes of their files.
    """
    rows = []
    was, script = recorded.get("script_within"), repeated.get("script")
    if was is not None and script is not None and not in_environment(was):
        now = path_below(os.path.realpath(script), os.path.realpath(tree))
        if now != was:
            rows.append(ComparisonRow(CODE, f"{script} ran instead of {was} of the checkout", None, None, DIFFERENT))
    installed = repeated.get("installed")
    for name, digest in recorded.get("installed", {}).items() if installed is not None else ():
        other = (installed or {}).get(name)
        if other != digest:
            rows.append(ComparisonRow(CODE, f"installed package {name}", digest, other, DIFFERENT))
    return rows


def explain(
    recorded: RunFacts, repeated: RunFacts, rows: Sequence[ComparisonRow], missing: Sequence[str]
) -> list[Cause]:
    """Return what differs between a recorded run and its reproduction, other than the outputs.

    Args:
        recorded, repeated: facts of the two runs.
        rows: the comparison.
        missing: what could not be restored of the code, a sentence each.
    """
    parts = (
        ("data", [*_data(rows), *doubts(recorded)]),
        ("code", [*missing, *(row.name for row in rows if row.side == CODE and row.verdict in DIFFERING)]),
        ("environment", [*_environment(recorded, repeated)]),
        ("seed", [*_seed(recorded)]),
        ("hardware", [*_hardware(recorded, repeated)]),
    )
    return [Cause(kind, _shortened(details)) for kind, details in parts if details]


def _shortened(details: Sequence[str]) -> str:
    more = len(details) - MAX_NAMES
    return "; ".join(details[:MAX_NAMES]) + (f"; and {more} more" if more > 0 else "")


def _data(rows: Sequence[ComparisonRow]) -> Iterator[str]:
    words = {NOT_READ: "was not read", NOT_COMPARED: "was read in its present state"}
    for row in rows:
        if row.side == INPUT and (row.verdict in words or row.verdict in DIFFERING):
            yield f"{row.name} {words.get(row.verdict, 'had another content')}"


def _environment(recorded: RunFacts, repeated: RunFacts) -> Iterator[str]:
    was, now = recorded.get("python"), repeated.get("python")
    if was != now:
        yield f"Python {was} was recorded, {now} ran"
    if "packages" in recorded and "packages" in repeated:
        yield from _changes(recorded["packages"], repeated["packages"], "package ")
    was_set = without_launched(recorded.get("environment", {}))
    settable = allowed_variables(was_set)
    yield from (f"variable {name} was not set again" for name in sorted(was_set.keys() - settable.keys()))
    if "environment" not in repeated:
        return  # its process ended before they were gathered
    is_set = repeated["environment"]
    names = settable.keys() - {"PYTHONPATH"}  # it has the checkout's folders
    yield from _changes(
        {name: settable[name] for name in sorted(names)}, {name: is_set.get(name) for name in names}, "variable "
    )
    yield from _changes(recorded.get("locale", {}), repeated.get("locale", recorded.get("locale", {})), "locale ")


def _changes(was: Mapping[str, Any], now: Mapping[str, Any], what: str) -> Iterator[str]:
    for name in dict.fromkeys([*was, *now]):
        if was.get(name) != now.get(name):
            yield f"{what}{name}: {_stated(was.get(name))} was recorded, {_stated(now.get(name))} now"


def _stated(value: Any) -> str:
    return "none" if value is None else str(value)


def _seed(recorded: RunFacts) -> Iterator[str]:
    if recorded.get("environment", {}).get(SEED) in {None, "", "random"}:
        yield f"{SEED} was not set, so the order of sets and the hash() of texts change with each process"


def _hardware(recorded: RunFacts, repeated: RunFacts) -> Iterator[str]:
    was, now = recorded.get("hardware"), repeated.get("hardware")
    if was and now:
        yield from _changes(
            {name: was.get(name) for name in _HARDWARE}, {name: now.get(name) for name in _HARDWARE}, ""
        )
    if recorded.get("machine", repeated.get("machine")) != repeated.get("machine", recorded.get("machine")):
        yield f"{recorded.get('machine')} was recorded, {repeated.get('machine')} now"
