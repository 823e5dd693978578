"""Pools of processes: a task belongs to the run that submitted it, whenever its worker was started.

`ProcessPoolExecutor`, `multiprocessing.Pool` (and its `ThreadPool`), loky by itself or inside joblib, and joblib.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from autoflow.runtime.context import enclosing_run
from autoflow.runtime.integrations import patching, reaping
from autoflow.runtime.propagation import Carried, carry
from autoflow.runtime.run import Run


def install_process_pool(process: Any) -> None:
    """Carry the run with the function of `submit`, which `map` calls too."""
    patching.wrap(process.ProcessPoolExecutor, "submit", _carry_function)


def install_multiprocessing_pool(pool: Any) -> None:
    """Carry the run with the function; `apply`, `map` and `starmap` call these methods."""
    for name in ("apply_async", "_map_async", "imap", "imap_unordered"):
        patching.wrap(pool.Pool, name, _carry_function)


def install_loky(process_executor: Any) -> None:
    """Carry the run with the function of `submit`, and expect the workers that are killed.

    joblib kills the workers of a call that failed: it is its way to end them, and their runs are not lost.
    """
    patching.wrap(process_executor.ProcessPoolExecutor, "submit", _carry_function)
    patching.wrap(process_executor, "kill_process_tree", _kill)


def install_joblib(parallel: Any) -> None:
    """Carry the run with each call of a `Parallel`, on every backend.

    joblib dispatches most calls from a thread of its own, where the caller's run is not the current one: so each call
    carries the run from the beginning.
    """
    patching.wrap(parallel.Parallel, "__call__", _call_parallel)


def _carry_function(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a method whose first argument after `self` is the function that a worker will call."""
    if len(args) > 1 and callable(args[1]):
        args = (args[0], carry(args[1]), *args[2:])
    elif callable(kwargs.get("func")):
        kwargs["func"] = carry(kwargs["func"])
    return original(*args, **kwargs)


def _kill(original: Any, process: Any, *args: Any, **kwargs: Any) -> Any:
    reaping.expect_signal(getattr(process, "_popen", None), signal.SIGKILL)
    return original(process, *args, **kwargs)


def _call_parallel(original: Any, parallel: Any, iterable: Iterable[Any]) -> Any:
    run = enclosing_run()
    if hasattr(iterable, "__len__"):
        return original(parallel, [_carry_call(call, run) for call in iterable])
    return original(parallel, _carry_calls(iter(iterable), run))


def _carry_calls(calls: Iterator[Any], run: Run) -> Iterator[Any]:
    for call in calls:
        yield _carry_call(call, run)


def _carry_call(call: Any, run: Run) -> Any:
    """Return a call as `joblib.delayed` makes it, with the run; anything else unchanged, for joblib to refuse."""
    if type(call) is tuple and len(call) == 3 and callable(call[0]):
        return Carried(call[0], run), *call[1:]
    return call
