"""One execution of an app, as the records about it say it."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

State = Literal["running", "finished", "failed", "lost"]


class RunFacts(TypedDict, total=False):
    """What is needed to run the same thing again; kept with the run's task."""

    name: str
    parameters: dict[str, Any]
    command: list[str]  # secrets masked
    folder: str
    script: str
    python: str
    host: str
    pid: int
    commit: str
    dirty: bool
    repository: str
    packages: dict[str, str]
