"""The files that an observed run opened, as facts: sizes and hashes, without code and caches; for the sender."""

from __future__ import annotations

import functools
import os
import stat
import time
from collections.abc import Callable, Collection, Iterator
from typing import cast

from autoflow.model.entity_types import Direction
from autoflow.model.observed_file import OBSERVED, ObservedFacts
from autoflow.model.run import RunFacts
from autoflow.outbox import home
from autoflow.outbox.destinations import local_files
from autoflow.process.forks import defer_forks
from autoflow.process.paths import path_below
from autoflow.process.threads import yield_gil
from autoflow.runtime import masking
from autoflow.runtime.observation import Observation

MAX_FILES = 1000  # of one run
_PART = 16_000  # characters of one record, about
_CACHES = frozenset(
    {"__pycache__", ".git", ".cache", ".config", "site-packages", "dist-packages", ".ipynb_checkpoints"}
)

Declared = Collection[tuple[Direction, str]]


class ObservedFiles:
    """The files of one run.

    Args:
        observation: of a run that is over.
        folder: its working folder at its start.
        code: files that it imported, absolute.
        declared: returns directions and real paths of the edges that the run declared.
    """

    def __init__(
        self, observation: Observation, folder: str | None, code: Collection[str], declared: Callable[[], Declared]
    ) -> None:
        self._observation = observation
        self._folder = os.path.realpath(folder) if folder is not None else None
        self._code = {os.path.realpath(path) for path in code}
        self._declared = declared
        self._temporary = _temporary_folder()
        self._home = home.find()

    def facts(self) -> Iterator[RunFacts]:
        """Yield how many files there are, then the files in parts that fit into a record."""
        files = list(self.opened.items())[:MAX_FILES]
        more = self._observation.incomplete or len(self.opened) > len(files)
        yield {"observed": {"files": len(files), "more": more}}
        part: dict[str, ObservedFacts] = {}
        length = 0
        for path, times in files:
            yield_gil()
            name = OBSERVED + masking.text(path)
            part[name] = _describe(path, times)
            length += len(name) + 150
            if length > _PART:
                yield cast("RunFacts", part)
                part, length = {}, 0
        if part:
            yield cast("RunFacts", part)

    @functools.cached_property
    def opened(self) -> dict[str, dict[Direction, int]]:
        """When each file was first read and first written, by real path; without what the run declared.

        A file that the run reads after it wrote it is no input.
        """
        declared = self._declared()
        files: dict[str, dict[Direction, int]] = {}
        for (path, writes), at in sorted(self._observation.opened.items(), key=lambda item: item[1]):
            direction: Direction = "output" if writes else "input"
            real = os.path.realpath(path)
            if (direction, real) in declared or ("output", real) in declared or not self._counts(real):
                continue
            times = files.setdefault(real, {})
            if "output" not in times:
                times[direction] = at
        return files

    def _counts(self, path: str) -> bool:
        """Return whether a path is that of a regular file of the run's own, neither code nor cache nor temporary."""
        if path in self._code or _CACHES.intersection(path.split("/")) or "\0" in path:
            return False
        if self._home is not None and path_below(path, self._home) is not None:
            return False
        inside = self._folder is not None and path_below(path, self._folder) is not None
        if not inside and self._temporary is not None and path_below(path, self._temporary) is not None:
            return False
        try:
            return stat.S_ISREG(os.stat(path).st_mode)
        except OSError:
            return False


def _describe(path: str, times: dict[Direction, int]) -> ObservedFacts:
    """Return a file's fact; the content of one that was written after it was read is that of its end."""
    facts: ObservedFacts = {}
    if "input" in times:
        facts["read"] = True
    if "output" in times:
        facts["written"] = True
    file = local_files.look_up(path, None, time.time_ns() if "output" in times else times["input"])
    if file is not None:
        facts["size"] = file.size
        if file.sha256 is not None:
            facts["sha256"] = file.sha256
    return facts


def _temporary_folder() -> str | None:
    with defer_forks():
        import tempfile
    try:
        return os.path.realpath(tempfile.gettempdir())
    except OSError:  # none is writable
        return None
