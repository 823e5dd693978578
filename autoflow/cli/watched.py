"""The program of `autoflow watch`: ``python -m autoflow.cli.watched SCRIPT | -m MODULE | -c CODE, ARGUMENTS``.

It is run as ``__main__`` inside an observed run. At its end the decorators that would declare its files are printed.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType

from autoflow.cli.suggestions import Suggestions
from autoflow.guard import guard
from autoflow.runtime import lifecycle
from autoflow.runtime.delivery import flush
from autoflow.runtime.run import Run
from autoflow.runtime.workflow import workflow

FLUSH_SECONDS = 5.0


class _ProgramLoader(InspectLoader):
    """Loads ``__main__`` from a text; no compiled file is written."""

    def __init__(self, source: bytes, path: str) -> None:
        self._source = source
        self._path = path

    def get_source(self, fullname: str) -> str:
        """Return the text."""
        return importlib.util.decode_source(self._source)

    def get_code(self, fullname: str) -> CodeType:
        """Return the compiled text."""
        return self.source_to_code(self._source, self._path)


def main(arguments: Sequence[str]) -> None:
    """Run a program; its exception, or its exit, passes.

    Raises:
        SystemExit: there is no such program, or it exits.
    """
    module, loader = _prepare(arguments)
    sys.modules["__main__"] = module
    suggestions = Suggestions()
    run: Run | None = None
    try:
        with workflow(observe=True) as run:
            if run.observation is not None:
                run.observation.on_open = suggestions.add
            loader.exec_module(module)
    finally:
        if run is not None:
            _report(run, suggestions)


def _prepare(arguments: Sequence[str]) -> tuple[ModuleType, _ProgramLoader]:
    """Return the module ``__main__`` of a program, and set `sys.argv` and `sys.path` as the interpreter does.

    Raises:
        SystemExit: there is no such program.
    """
    kind, spec = arguments[0], None
    if kind == "-c":
        source, path, rest = arguments[1].encode(), "<string>", arguments[2:]
        sys.argv = ["-c", *rest]
        _set_first_path("")
    else:
        path, rest = os.path.abspath(kind), arguments[1:]
        if kind == "-m":
            spec = _find(arguments[1])
            path, rest = str(spec.origin), arguments[2:]
        else:
            _set_first_path(os.path.dirname(os.path.realpath(path)))
        try:
            with open(path, "rb") as file:
                source = file.read()
        except OSError as error:
            raise SystemExit(f"autoflow watch: cannot open {path}: {error.strerror}") from None
        sys.argv = [path if spec is not None else kind, *rest]
    module = ModuleType("__main__")
    loader = _ProgramLoader(source, path)
    module.__spec__, module.__loader__ = spec, loader
    if spec is not None:
        module.__package__ = spec.parent
    if kind != "-c":
        module.__file__ = path
    return module, loader


def _find(name: str) -> ModuleSpec:
    """Return the module of ``-m NAME``, for a package its ``__main__``.

    Raises:
        SystemExit: there is none.
    """
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None or not spec.has_location:
        raise SystemExit(f"autoflow watch: there is no module {name} to run")
    return spec


def _set_first_path(folder: str) -> None:
    if not getattr(sys.flags, "safe_path", False) and not sys.flags.isolated:
        sys.path[0] = folder


def _report(run: Run, suggestions: Suggestions) -> None:
    """Print what the run opened; on the standard error stream, as the other one is the program's."""
    with guard:
        files = lifecycle.observed_files(run)
        if files is None:
            print("autoflow watch: recording is off (AUTOFLOW_SERVER=off)", file=sys.stderr)
            return
        flush(FLUSH_SECONDS)
        task = f"task:{run.task_id}" if run.task_id is not None else "the run"
        for line in suggestions.lines(files.opened, task):
            print(line, file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
