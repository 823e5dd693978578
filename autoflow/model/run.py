"""The state and the facts of a run, as its records state them."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from autoflow.model.observed_file import ObservedCount
from autoflow.model.run_contents import StoredContent

RunState = Literal["running", "finished", "failed", "ended", "lost"]


Withheld = Literal["secret", "large"]


class _Patch(TypedDict):
    base: str
    files: int


class Patch(_Patch, total=False):
    """The difference between a commit and the files that ran, as ``git diff --binary`` prints it.

    Args:
        base: the commit, the run's own or an earlier one that a remote has.
        files: number of files that differ.
        content: the difference; absent if it is too large.
        secret: files whose difference is not in it because they look like secrets.
        erased: true if something was erased from it, see `autoflow erase`; so of the other contents.
    """

    content: StoredContent
    secret: list[str]
    erased: bool


class _CodeFile(TypedDict):
    path: str
    size: int


class CodeFile(_CodeFile, total=False):
    """A file of the working tree that git does not have.

    Args:
        path: relative to the root.
        sha256: absent if the file is large.
        used: the run imported it, or its command or parameters name it.
        content: its bytes.
        withheld: why the bytes are not stored.
    """

    sha256: str
    used: bool
    content: StoredContent
    withheld: Withheld
    erased: bool


class _CommitPack(TypedDict):
    commit: str


class CommitPack(_CommitPack, total=False):
    """A commit that no remote has, as git packs it, without its history.

    Args:
        content: absent if it is too large.
        secret: its files that look like secrets, which are not in it.
    """

    content: StoredContent
    secret: list[str]
    erased: bool


class Submodule(TypedDict):
    """A submodule as it was checked out; `dirty` if its files differ from the commit."""

    path: str
    commit: str
    dirty: bool


class _Notebook(TypedDict):
    cells: int


class Notebook(_Notebook, total=False):
    """The code of a run in a notebook.

    Args:
        cells: number of cells that were executed until then.
        path: the notebook, if its editor names it.
        content: their sources, as a JSON list, in the order of execution; absent if they are too large.
        masked: numbers, from 1, of cells in which a secret was masked.
    """

    path: str
    content: StoredContent
    masked: list[int]
    erased: bool


class LateFacts(TypedDict, total=False):
    """Facts about a run's code that are known at its end: files imported and cells executed since, and a changed
    working folder.
    """

    untracked: list[CodeFile]
    folder: str
    notebook: Notebook


class Hardware(TypedDict, total=False):
    """The machine of a run.

    Args:
        os: name and version of the operating system.
        threads: number of torch's threads.
        cuda: version that torch was built for.
        gpus: names of the graphics cards, where ``nvidia-ml-py`` is installed.
    """

    os: str
    kernel: str
    cpu: str
    cores: int
    threads: int
    cuda: str
    gpus: list[str]
    driver: str


class RunFacts(TypedDict, total=False):
    """Facts needed to reproduce a run, stored with its task. Secrets are masked in all of them.

    Beside these, ``result.NAME`` is a final number of the run, ``link.TITLE`` the url of a page about it, and
    ``observed.PATH`` a file that it opened (`model.observed_file.ObservedFacts`).
    """

    name: str
    parameters: dict[str, Any]  # as passed to `workflow`
    command: list[str]  # starts with the interpreter
    launcher: list[str]  # the command line that started all processes of a distributed run
    folder: str  # the working directory
    started_in: str  # that of the start of its process, if it is another one
    script: str
    python: str
    host: str
    machine: str  # as "Linux x86_64"
    pid: int
    commit: str
    dirty: bool  # tracked files differ from the commit, or it used files that are not tracked
    patch: Patch  # what differs from a commit that a remote has, else from the run's own
    unpublished: bool  # no remote has the commit
    pack: CommitPack  # the commit itself, if the repository has no remote
    untracked: list[CodeFile]
    submodules: list[Submodule]
    notebook: Notebook  # the cells that were executed until the run started
    late: LateFacts  # learned at the end of the run
    observed: ObservedCount  # absent if the run was not observed, or its process ended before it was recorded
    repository: str  # the remote's url
    root: str  # of the git working tree
    folder_within: str  # relative to the root, empty for the root itself; absent when outside
    script_within: str
    environment: dict[str, str]  # environment variables that affect results, see `runtime.environment`
    hardware: Hardware
    locale: dict[str, str]
    locks: list[CodeFile]  # lock files of package managers, verbatim
    packages: dict[str, str]  # name to version
    sources: dict[str, str]  # urls of packages that come from no index, by name
    installed: dict[str, str]  # sha256 of the list of installed files, with their hashes, of each of those packages
    outdated: dict[str, list[str]]  # modules of packages from a folder that differ from those of the folder
    ordinal: int  # number of runs of this app that its process had started before
    reproduces: str  # the task that this run reproduces, as "task:5"
    attempt: str  # id of the attempt at reproducing it
    unattributed: bool  # the run holds records of an unknown run
