"""A reproduction as it was asked for: the recorded run, and the options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
        twice: run the command a second time, see `Api.reproduce`.
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


class Job(NamedTuple):
    """One reproduction: what is repeated and how."""

    api: DataApi
    ref: str
    run: RecordedRun
    options: ReproduceOptions
    requested: tuple[str, ...] = ()  # path and reference of the entity, empty for a run
    credentials: Credentials | None = None
