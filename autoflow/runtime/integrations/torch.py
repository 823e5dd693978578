"""torch's `DataLoader`: what a worker loads belongs to the run that iterates, also in persistent workers.

A worker takes one index after another from its queue, in its main thread. Each index carries the run: the worker is in
that run from the unpickling of the index until that of the next one.
"""

from __future__ import annotations

from typing import Any

from autoflow.runtime.context import current, enclosing_run
from autoflow.runtime.integrations import patching
from autoflow.runtime.lifecycle import run_from_pickle


def install_dataloader(dataloader: Any) -> None:
    """Carry the run with each index that a loader with workers sends."""
    workers = dataloader._MultiProcessingDataLoaderIter

    def next_index(original: Any, iterator: Any) -> Any:
        index = original(iterator)
        return _Index(index, enclosing_run().to_text()) if isinstance(iterator, workers) else index

    patching.wrap(dataloader._BaseDataLoaderIter, "_next_index", next_index)


class _Index:
    """An index sent to a worker, which unpickles it as the index itself."""

    def __init__(self, index: Any, text: str) -> None:
        self._state = index, text

    def __reduce__(self) -> Any:
        return _unpickle_index, self._state


def _unpickle_index(index: Any, text: str) -> Any:
    current.set(run_from_pickle(text))
    return index
