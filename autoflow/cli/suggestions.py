"""The decorators that would declare the files of a watched program, and where to put them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePath
from types import FrameType
from typing import NamedTuple

from autoflow.graph.render.labels import printable
from autoflow.model.entity_types import Direction
from autoflow.runtime.observation import is_library

MAX_FRAMES = 50
MAX_OTHERS = 20  # paths that are named one by one
_OWN = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")


class Function(NamedTuple):
    """A function of the program that opened files, and its parameter with their paths."""

    file: str
    line: int
    name: str
    parameter: str


class Suggestions:
    """Remembers which functions opened which paths."""

    def __init__(self) -> None:
        self._functions: dict[tuple[str, bool], Function] = {}

    def add(self, path: str, writes: bool) -> None:
        """Add the innermost function of the program that has the path as an argument; called where it is opened."""
        frame: FrameType | None = sys._getframe(1)
        for _ in range(MAX_FRAMES):
            if frame is None:
                return
            code = frame.f_code
            if not (code.co_filename.startswith(("<", _OWN)) or code.co_name.startswith("<")):
                parameter = None if is_library(code.co_filename) else _parameter(frame, path)
                if parameter is not None:
                    function = Function(code.co_filename, code.co_firstlineno, code.co_name, parameter)
                    self._functions[os.path.realpath(path), writes] = function
                    return
            frame = frame.f_back

    def lines(self, files: Mapping[str, Collection[Direction]], run: str) -> Iterator[str]:
        """Yield the lines to print.

        Args:
            files: the files that nothing declared, by real path, and whether they were read or written.
            run: reference of the run.
        """
        read = [path for path, directions in files.items() if "input" in directions]
        written = [path for path, directions in files.items() if "output" in directions]
        if not files:
            yield f"autoflow watch: {run} opened no file that it did not declare"
            return
        yield f"autoflow watch: {run} read {len(read)} and wrote {len(written)} files that it did not declare"
        by_function: dict[tuple[Function, Direction], list[str]] = {}
        others: list[tuple[Direction, str]] = []
        directed: list[tuple[Direction, str]] = [
            *(("input", path) for path in read),
            *(("output", path) for path in written),
        ]
        for direction, path in directed:
            function = self._functions.get((path, direction == "output"))
            if function is None:
                others.append((direction, path))
            else:
                by_function.setdefault((function, direction), []).append(path)
        for (function, direction), paths in by_function.items():
            more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
            yield ""
            yield printable(f"{_short(function.file)}:{function.line}  # {_short(paths[0])}{more}")
            yield f'    @workflow_{direction}("file", value="{function.parameter}")'
            yield f"    def {function.name}(…):"
        if others:
            yield ""
            yield 'inside of `with workflow("…") as run:`, as no function has their paths as an argument'
            for direction, path in others[:MAX_OTHERS]:
                yield printable(f'    run.{direction}("file", {json.dumps(_short(path), ensure_ascii=False)})')
            if len(others) > MAX_OTHERS:
                yield f"    # and {len(others) - MAX_OTHERS} more"


def _parameter(frame: FrameType, path: str) -> str | None:
    """Return the parameter of a call whose argument is a path."""
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    values = frame.f_locals
    for name in names:
        value = values.get(name)
        if isinstance(value, str | PurePath) and str(value) and os.path.abspath(value) == os.path.normpath(path):
            return name
    return None


def _short(path: str) -> str:
    """Return a path relative to the working folder, if it is below it."""
    return path.removeprefix(f"{os.getcwd()}/")
