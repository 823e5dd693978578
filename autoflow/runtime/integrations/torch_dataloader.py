"""torch's `DataLoader`: what a worker loads belongs to the run that asked for it, also in persistent workers.

A worker takes one index after the other from its queue, in its main thread. An index carries the run there: the worker
is in that run from the index's unpickling to the next one's.
"""

from __future__ import annotations

from typing import Any

from autoflow.runtime.context import current, enclosing_run
from autoflow.runtime.integrations import patching
from autoflow.runtime.lifecycle import run_from_pickle


def install(dataloader: Any) -> None:
    """Carry the run with each index that a loader with workers hands out."""
    workers = dataloader._MultiProcessingDataLoaderIter

    def next_index(original: Any, iterator: Any) -> Any:
        index = original(iterator)
        return _Index(index, enclosing_run().to_text()) if isinstance(iterator, workers) else index

    patching.around(dataloader._BaseDataLoaderIter, "_next_index", next_index)


class _Index:
    """An index on its way to a worker, where it arrives as the index itself."""

    def __init__(self, index: Any, text: str) -> None:
        self._state = index, text

    def __reduce__(self) -> Any:
        return _arrive, self._state


def _arrive(index: Any, text: str) -> Any:
    current.set(run_from_pickle(text))
    return index
