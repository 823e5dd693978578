"""Integrations: each carries the run through one library that hands work to threads or processes.

They are installed when `workflow` is entered (`FOR_WORKERS` earlier), for libraries that are imported by then or later,
and do nothing while ``AUTOFLOW_PROPAGATE=0``. To add one, write a function that changes the imported library, and
register it; docs/extending.md has a worked example::

    def install_pool(pool):  # the imported library
        patching.wrap(pool.Pool, "submit", _submit)

    def _submit(original, self, fn, *args, **kwargs):
        return original(self, carry(fn), *args, **kwargs)

    register("pool", install_pool)

- `propagation.carry` returns a callable that pickles and enters the run where it is called, also in a process that
  never opened one.
- `context.enclosing_run` returns the run itself, for libraries whose messages have headers (`Run.to_text`);
  ``context.RunScope(lifecycle.run_from_pickle(text))`` enters it on the other side.

An integration leaves the library's signatures, results and exceptions as they are; when its function fails, the library
stays as it was.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from types import ModuleType
from typing import Any

from autoflow import settings
from autoflow.guard import guard
from autoflow.process.forks import ProcessLock, defer_forks

# module of a library -> the function that changes it when it is imported, itself or as "module here.name"
INTEGRATIONS: dict[str, str | Callable[[Any], None]] = {
    "celery.signals": "celery.install",
    "concurrent.futures.process": "pools.install_process_pool",
    "concurrent.futures.thread": "threads.install_thread_pool",
    "dask.delayed": "dask.install_delayed",
    "distributed.client": "dask.install_client",
    "joblib.externals.loky.backend.popen_loky_posix": "reaping.install",
    "joblib.externals.loky.process_executor": "pools.install_loky",
    "joblib.parallel": "pools.install_joblib",
    "loky.backend.popen_loky_posix": "reaping.install",
    "loky.process_executor": "pools.install_loky",
    "multiprocessing.pool": "pools.install_multiprocessing_pool",
    "multiprocessing.popen_fork": "reaping.install",
    "multiprocessing.popen_forkserver": "reaping.install",
    "multiprocessing.process": "child_processes.install_multiprocessing",
    "ray.actor": "ray.install_actors",
    "ray.remote_function": "ray.install_tasks",
    "subprocess": "child_processes.install_subprocess",
    "threading": "threads.install_threads",
    "torch.utils.data.dataloader": "torch.install_dataloader",
    "uvicorn.server": "uvicorn.install",
}

# Those that are installed when autoflow is imported and where a function is decorated, because `workflow` may never be
# entered there: a Celery worker learns of the run by a message's header, and a class of Ray's actors is prepared before
# its first actor is created.
FOR_WORKERS = ("celery.signals", "ray.actor")

_installed: dict[str, ModuleType] = {}
_install_lock = ProcessLock()


def register(name: str, install: Callable[[Any], None]) -> None:
    """Register an integration.

    Args:
        name: module of the library that it changes.
        install: called once with the imported module.
    """
    INTEGRATIONS[name] = install
    if _finder in sys.meta_path:  # installed by `workflow` already
        install_all()


def install_for_workers() -> None:
    """Install the integrations that a process needs although it never enters `workflow`."""
    if not settings.propagate():
        return
    _install_imported(FOR_WORKERS)


def install_all() -> None:
    """Install the integrations of imported libraries now, and those of other libraries when they are imported."""
    if not settings.propagate():
        return
    _install_imported(INTEGRATIONS)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def _install_imported(names: Iterable[str]) -> None:
    for name in names:
        module = sys.modules.get(name)
        if module is not None and _installed.get(name) is not module:
            _install(name, module)


def _install(name: str, module: ModuleType) -> None:
    with defer_forks(), _install_lock, guard:  # a child forked now could never import what is half imported
        if _installed.get(name) is module:
            return
        _installed[name] = module
        install = INTEGRATIONS[name]
        if isinstance(install, str):
            own_module, _, function = install.partition(".")
            install = getattr(import_module(f"{__name__}.{own_module}"), function)
        install(module)


class _Finder:
    """Meta path finder that finds no module itself, but installs an integration after its library was executed."""

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> Any:
        """Return the spec of the other finders for the library of an integration; None for every other name."""
        if name not in INTEGRATIONS:
            return None
        for finder in list(sys.meta_path):
            find = getattr(finder, "find_spec", None)
            if finder is not self and find is not None and (spec := find(name, path, target)) is not None:
                with guard:
                    self._install_after(name, spec.loader)
                return spec
        return None

    def _install_after(self, name: str, loader: Any) -> None:
        if getattr(loader, "name", None) != name:  # one loader for many modules, as for a zip file
            return

        def exec_module(module: ModuleType) -> None:
            vars(loader).pop("exec_module", None)
            loader.exec_module(module)
            if settings.propagate():
                _install(name, module)

        loader.exec_module = exec_module


_finder = _Finder()
