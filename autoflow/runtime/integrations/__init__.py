"""Integrations: each carries the run through one library that hands work to threads or processes.

They are installed when `workflow` is entered (`FOR_WORKERS` earlier), for libraries that are imported by then or later,
and do nothing while ``AUTOFLOW_PROPAGATE=0``. To add one, write a module here with one function, and name it in
`INTEGRATIONS` (a worked example: docs/extending.md, "A new integration")::

    def install(pool):  # the imported library
        patching.around(pool.Pool, "submit", _submit)

    def _submit(original, self, fn, *args, **kwargs):
        return original(self, carry(fn), *args, **kwargs)

- `propagation.carry` returns a callable that pickles and enters the run where it is called, also in a process that
  never opened one.
- `context.enclosing_run` returns the run itself, for libraries whose messages have headers (`Run.to_text`);
  ``context.RunScope(lifecycle.run_from_pickle(text))`` enters it on the other side.

An integration leaves the library's signatures, results and exceptions as they are; when `install` fails, the library
stays as it was.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import Any

from autoflow import settings
from autoflow.guard import guard
from autoflow.process.forks import ProcessLock, defer_forks

# What must be imported -> the module here that is installed then.
INTEGRATIONS = {
    "celery.signals": "celery_tasks",
    "concurrent.futures.process": "process_pool",
    "concurrent.futures.thread": "thread_pool",
    "dask.delayed": "dask_delayed",
    "distributed.client": "dask_client",
    "joblib.externals.loky.backend.popen_loky_posix": "reaping",
    "joblib.externals.loky.process_executor": "loky_executor",
    "joblib.parallel": "joblib_parallel",
    "loky.backend.popen_loky_posix": "reaping",
    "loky.process_executor": "loky_executor",
    "multiprocessing.pool": "multiprocessing_pool",
    "multiprocessing.popen_fork": "reaping",
    "multiprocessing.popen_forkserver": "reaping",
    "multiprocessing.process": "multiprocessing_process",
    "ray.actor": "ray_actors",
    "ray.remote_function": "ray_tasks",
    "subprocess": "subprocesses",
    "threading": "threads",
    "torch.utils.data.dataloader": "torch_dataloader",
    "uvicorn.server": "uvicorn_server",
}

# Those that are installed when autoflow is imported and where a function is decorated, for `workflow` may never be
# entered there: a Celery worker learns of the run by a message's header, and a class of Ray's actors is prepared before
# its first actor is made.
FOR_WORKERS = ("celery.signals", "ray.actor")

_installed: dict[str, ModuleType] = {}
_installing = ProcessLock()


def install_for_workers() -> None:
    """Install the integrations that a process needs although it never enters `workflow`."""
    if not settings.propagate():
        return
    _install_imported(FOR_WORKERS)


def install_all() -> None:
    """Install the integrations of what is imported, and have those of what is imported later installed then."""
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
    with defer_forks(), _installing, guard:  # a child forked in the midst could never import what is half imported
        if _installed.get(name) is module:
            return
        _installed[name] = module
        import_module(f"{__name__}.{INTEGRATIONS[name]}").install(module)


class _Finder:
    """Finds no module by itself: it has an integration installed when the other finders' module has been executed."""

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> Any:
        """The spec that the other finders give for the library of an integration; None for every other name."""
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
        if getattr(loader, "name", None) != name:  # one loader for many modules, as of a zip file
            return

        def exec_module(module: ModuleType) -> None:
            vars(loader).pop("exec_module", None)
            loader.exec_module(module)
            if settings.propagate():
                _install(name, module)

        loader.exec_module = exec_module


_finder = _Finder()
