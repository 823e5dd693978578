"""One execution of an app, as the records about it say it."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

State = Literal["running", "finished", "failed", "ended", "lost"]


class RunFacts(TypedDict, total=False):
    """What is needed to run the same thing again; kept with the run's task. A secret is masked wherever it stands."""

    name: str
    parameters: dict[str, Any]  # as given to `workflow`
    command: list[str]  # the interpreter first
    folder: str  # the working one
    script: str
    python: str
    host: str
    machine: str  # as "Linux x86_64"
    pid: int
    commit: str
    dirty: bool  # tracked files differ from the commit, or the script is not tracked
    repository: str  # the remote's url
    root: str  # of the git working tree
    folder_within: str  # relative to the root, empty for the root itself; absent when outside
    script_within: str
    environment: dict[str, str]  # of a few variables that bear on results, see `runtime.facts`
    packages: dict[str, str]  # name to version
    sources: dict[str, str]  # where packages are from that no index has: name to url
    reproduces: str  # the task this run repeats, as "task:5"
    attempt: str  # which attempt at that
    unattributed: bool  # the run holds records of which it is not known what run caused them
