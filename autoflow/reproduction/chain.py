"""Reproduction of a run with the runs that its inputs came from, back to the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from autoflow.api.protocols import DataApi
from autoflow.errors import NotReproducible
from autoflow.graph.trace import Trace
from autoflow.model.reproduction import Reproduction
from autoflow.reproduction.comparison import FILES
from autoflow.reproduction.job import ReproduceOptions
from autoflow.reproduction.reproduce import reproduce

_FOLLOWED = frozenset({*FILES, "folder"})


def reproduce_chain(api: DataApi, ref: str, options: ReproduceOptions) -> Reproduction:
    """Repeat every run upstream of an entity, the first one first; each reads the files that the earlier ones wrote.

    Args:
        api: the server that recorded them.
        ref: the entity, or the last run.
        options: how to repeat each of them; a working tree is kept of the last one alone.

    Raises:
        NotReproducible: one of them cannot be repeated; the message names it.
        ServerError: the server does not know the entity, or does not respond.
    """
    trace = api.trace(ref)
    if not trace.complete:
        raise NotReproducible(f"{ref} has a longer ancestry than one response holds: reproduce its inputs one by one")
    *earlier, _last = stages(trace) or [""]
    files: dict[str, int] = {}
    results = []
    for stage in earlier:
        lock = f"{options.lock}.{stage.replace(':', '-')}"
        try:
            result = reproduce(api, stage, replace(options, lock=lock, workdir=None, keep=False), files)
        except NotReproducible as error:
            raise NotReproducible(f"{stage}, from which {ref} came: {error}") from error
        files.update(result.written)
        results.append(result)
    return replace(reproduce(api, ref, options, files), stages=results)


def stages(trace: Trace) -> list[str]:
    """Return the runs that files came from, as ``task:5``, each after those whose files it read.

    Versions of projects are the data at which it ends.
    """
    order: list[str] = []
    visited: set[str] = set()
    last = trace.producer()
    pending = [(last, False)] if last is not None else []
    while pending:
        key, complete = pending.pop()
        if complete:
            order.append(trace.runs[key]["ref"])
        elif key not in visited:
            visited.add(key)
            pending.append((key, True))
            pending += [(producer, False) for producer in _producers(trace, key)]
    return order


def _producers(trace: Trace, run_key: str) -> Iterator[str]:
    """Yield the runs that wrote the files and folders that a run read, of several the latest before it."""
    started = trace.runs[run_key].get("startedAt") or ""
    for name in trace.runs[run_key]["inputs"]:
        entity = trace.data.get(name)
        if entity is None or entity["type"] not in _FOLLOWED or entity["origin"]:
            continue
        above = trace.predecessors(name)
        cards = [
            *above,
            *(card for folder in above if folder.type == "folder" for card in trace.predecessors(folder.key)),
        ]
        writers = [card.key for card in cards if card.key in trace.runs]
        earlier = [key for key in writers if (trace.runs[key].get("startedAt") or "") <= started]
        if earlier:
            yield max(earlier, key=lambda key: trace.runs[key].get("startedAt") or "")
