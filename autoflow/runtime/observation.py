"""Observation of a run: the paths that it opens, by an audit hook of the interpreter.

Libraries that open files in C or C++ (pyarrow, OpenCV, HDF5) raise no audit event, so an observation is incomplete.
A hook cannot be removed: it is installed when the first observed run begins, and returns at once while none is open.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import time
from collections.abc import Callable
from typing import Any

MAX_OPENED = 10_000  # paths of one run
_WRITES = os.O_WRONLY | os.O_RDWR
_SYSTEM = ("/proc/", "/dev/", "/sys/", "/etc/", "/usr/lib/", "/usr/lib64/", "/usr/share/", "/lib/", "/lib64/")


def _no_run() -> Any:
    return None


run_of_context: Callable[[], Any] = _no_run  # replaced by `runtime.context`, which is above this module
_observations: list[Observation] = []  # of the observed runs that are open
_installed = False
_folder = ""  # the working folder; empty when it is to be asked for
_libraries: tuple[str, ...] = ()


class Observation:
    """The paths that one run opened.

    Attributes:
        opened: by path and whether it was opened to write, the time of the first such event, in nanoseconds since 1970.
        incomplete: there were more than `MAX_OPENED`.
        on_open: called with each path and whether it is written; for `autoflow watch`.
    """

    def __init__(self) -> None:
        self.opened: dict[tuple[str, bool], int] = {}
        self.incomplete = False
        self.on_open: Callable[[str, bool], None] | None = None

    def add(self, path: str, writes: bool) -> None:
        """Add a path, unless it is there or there are too many."""
        opened = self.opened
        if (path, writes) in opened:
            return
        if len(opened) >= MAX_OPENED:
            self.incomplete = True
            return
        opened[path, writes] = time.time_ns()
        if self.on_open is not None:
            self.on_open(path, writes)

    def stop(self) -> None:
        """Stop observing; what was opened stays."""
        if self in _observations:
            _observations.remove(self)


def start() -> Observation:
    """Start an observation. The run must have it as its `observation`, by which its context is recognised."""
    global _installed, _folder, _libraries
    observation = Observation()
    _folder = ""
    if not _installed:
        _installed = True
        _libraries = _library_folders()
        sys.addaudithook(_on_event)
    _observations.append(observation)
    return observation


def _library_folders() -> tuple[str, ...]:
    """Return what the paths of the interpreter, its libraries and the system begin with."""
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders.add(os.path.join(sys.prefix, "share"))  # not the whole prefix: a project may be its own environment
    return *_SYSTEM, *(os.path.join(folder, "") for folder in folders if folder)


def is_library(path: str) -> bool:
    """Return whether an absolute path is that of a library or of the system."""
    return path.startswith(_libraries)


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    """Add an opened path to the observation of the run that opened it; raise nothing, as that would fail the app."""
    if not _observations or event not in _EVENTS:
        return
    try:
        _EVENTS[event](*arguments)
    except (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError):
        return  # a path that is none, or an app's `__fspath__`


def _on_chdir(path: Any) -> None:
    global _folder
    _folder = ""


def _on_open(name: Any, mode: Any, flags: int) -> None:
    run = run_of_context()
    if run is not None:
        observation = run.observation
        if observation not in _observations:
            return
    elif len(_observations) == 1:  # the context never held a run
        observation = _observations[0]
    else:
        return
    path = _absolute(name, relative=mode is not None)  # `os.open` may mean a path relative to a descriptor
    if path is not None:
        observation.add(path, bool(flags & _WRITES))


def _on_rename(source: Any, target: Any, source_folder: int, target_folder: int) -> None:
    """Add the new name of a file that a run wrote."""
    if source_folder == target_folder == -1 and (path := _absolute(target)) is not None:
        old = _absolute(source)
        for observation in list(_observations):
            if old is not None and (old, True) in observation.opened:
                observation.add(path, True)


_EVENTS: dict[str, Callable[..., None]] = {"open": _on_open, "os.rename": _on_rename, "os.chdir": _on_chdir}


def _absolute(name: Any, *, relative: bool = True) -> str | None:
    """Return an absolute path; None for a descriptor, and for files of libraries and of the system."""
    global _folder
    if isinstance(name, int):
        return None
    path: str = name if type(name) is str else os.fsdecode(name)
    if path.startswith("/"):
        return None if path.startswith(_libraries) else path
    if not relative:
        return None
    if not _folder:
        _folder = os.getcwd()
    return f"{_folder}/{path}"
