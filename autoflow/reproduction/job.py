"""A reproduction as it was asked for: the recorded run, and the options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from autoflow.api.protocols import DataApi
from autoflow.guard import logger
from autoflow.model.reproduction import ReproductionPlan
from autoflow.reproduction import lock
from autoflow.reproduction.credentials import Credentials
from autoflow.reproduction.inputs import Progress
from autoflow.reproduction.recorded_run import RecordedRun


@dataclass(frozen=True)
class ReproduceOptions:
    """The options of `Api.reproduce`, and those of the command line.

    Args:
        run, allow_dirty, lock, workdir, keep, python, workspace, progress: see `Api.reproduce`.
        report: called with a line about the command that is started.
        confirm: called with the plan before anything is executed; None to execute without asking.
        twice, publish, discard, timeout, no_env: see `Api.reproduce`.
        interactive: whether `confirm` can return True; if not, it is called before anything is restored.
    """

    run: bool = False
    allow_dirty: bool = False
    lock: str = lock.NAME
    workdir: str | None = None
    keep: bool = False
    python: str | None = None
    workspace: int | None = None
    progress: Progress | None = None
    report: Callable[[str], object] = logger.info
    confirm: Callable[[ReproductionPlan], bool] | None = None
    interactive: bool = True
    twice: bool = False
    publish: bool = False
    discard: bool = False
    timeout: float | None = None
    no_env: bool = False


class Job(NamedTuple):
    """One reproduction: what is repeated and how.

    Args:
        api, ref, run, options: what is repeated, and how.
        requested: path and reference of the entity, empty for a run.
        credentials: those of the command; None if nothing is run, or the server issues none.
        namespace: folder of the files that the command writes, empty if they go to the recorded paths; None from a
            server that cannot show the recorded data to the command, so that its arguments are replaced.
        files: files that the command reads in place of the recorded ones, by their paths.
    """

    api: DataApi
    ref: str
    run: RecordedRun
    options: ReproduceOptions
    requested: tuple[str, ...] = ()
    credentials: Credentials | None = None
    namespace: str | None = None
    files: Mapping[str, int] = MappingProxyType({})
