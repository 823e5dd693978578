"""The state and the facts of a run, as its records state them."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from autoflow.model.run_code import CodeFile, LateFacts, Patch, Submodule

RunState = Literal["running", "finished", "failed", "ended", "lost"]


class RunFacts(TypedDict, total=False):
    """Facts needed to reproduce a run, stored with its task. Secrets are masked in all of them."""

    name: str
    parameters: dict[str, Any]  # as passed to `workflow`
    command: list[str]  # starts with the interpreter
    folder: str  # the working directory
    script: str
    python: str
    host: str
    machine: str  # as "Linux x86_64"
    pid: int
    commit: str
    dirty: bool  # tracked files differ from the commit, or it used files that are not tracked
    patch: Patch  # what differs from a commit that a remote has, else from the run's own
    unpublished: bool  # no remote has the commit
    untracked: list[CodeFile]
    submodules: list[Submodule]
    late: LateFacts  # learned at the end of the run
    repository: str  # the remote's url
    root: str  # of the git working tree
    folder_within: str  # relative to the root, empty for the root itself; absent when outside
    script_within: str
    environment: dict[str, str]  # environment variables that affect results, see `runtime.facts`
    packages: dict[str, str]  # name to version
    sources: dict[str, str]  # urls of packages that come from no index, by name
    reproduces: str  # the task that this run reproduces, as "task:5"
    attempt: str  # id of the attempt at reproducing it
    unattributed: bool  # the run holds records of an unknown run
