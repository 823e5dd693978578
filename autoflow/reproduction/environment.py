"""The environment of a recorded run, made again: `uv sync` from the recorded lock, or a venv of the recorded packages.

It is made only if the interpreter that is there differs from the recorded one. Packages come from the user's own index,
each at its recorded version; of those from elsewhere, only folders of the repository are installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

from autoflow.distribution import NAME
from autoflow.errors import NotReproducible
from autoflow.model.run import RunFacts
from autoflow.process.paths import path_below
from autoflow.reproduction import interpreter
from autoflow.reproduction.interpreter import Interpreter
from autoflow.reproduction.job import Job
from autoflow.reproduction.plan import inherited_environment, requirement_lines

UV_LOCK = "uv.lock"
LONGEST_ERROR = 500  # characters of an installer's output
# What an installer needs to reach the user's index.
_INSTALLER_VARIABLES = ("PIP_", "UV_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def prepare(job: Job, present: Interpreter, tree: str, folder: str, notes: list[str]) -> Interpreter:
    """Return the interpreter that the command runs with, and note how it differs from the recorded one.

    Args:
        job: the reproduction.
        present: the interpreter that is there.
        tree: the working tree.
        folder: a new folder for the environment.
        notes: gets what differs, and why no environment was made.
    """
    facts, chosen = job.run.facts, present
    wanted = not job.options.no_env and job.options.python is None
    if wanted and any(_differences(present, facts)):
        try:
            chosen = _make(job, present, tree, folder)
        except NotReproducible as error:
            notes.append(f"the recorded environment could not be made ({error}); what is installed here is used")
    notes.extend(_differences(chosen, facts))
    return chosen


def _differences(python: Interpreter, facts: RunFacts) -> Iterator[str]:
    return interpreter.environment_differences(python, facts.get("python"), facts.get("packages", {}))


def _make(job: Job, present: Interpreter, tree: str, folder: str) -> Interpreter:
    """Make the environment in a folder.

    Raises:
        NotReproducible: an installer failed, or is missing.
    """
    facts = job.run.facts
    uv = shutil.which("uv")
    python = os.path.join(folder, "bin", "python")
    lock = next((file["path"] for file in facts.get("locks", ()) if os.path.basename(file["path"]) == UV_LOCK), None)
    version = facts.get("python", present.python)
    if uv is not None and lock is not None and os.path.isfile(os.path.join(tree, lock)):
        project = os.path.dirname(os.path.join(tree, lock))
        job.options.report(f"installing what {lock} names with uv")
        # by its path, because uv does not look for an interpreter of this version everywhere, and would download one
        base = present.path if present.python == version else version
        _install([uv, "sync", "--frozen", "--python", base, "--project", project], UV_PROJECT_ENVIRONMENT=folder)
    else:
        _install([_base(present, version), "-m", "venv", "--without-pip", folder])
    made = interpreter.inspect(python)
    pip = [uv, "pip", "install", "--python", python] if uv is not None else _pip(python)
    missing = {name: wanted for name, wanted in facts.get("packages", {}).items() if made.packages.get(name) != wanted}
    # comments are packages that are not from an index
    lines = [line for line in requirement_lines({**facts, "packages": missing}) if not line.startswith("#")]
    if lines:
        job.options.report(f"installing {len(lines)} packages")
        requirements = os.path.join(folder, "requirements.txt")
        with open(requirements, "w", encoding="utf-8") as stream:
            stream.write("\n".join(lines) + "\n")
        _install([*pip, "--no-deps", "-r", requirements])
    importable = []
    for path in _folders_of_repository(facts, tree):
        try:
            _install([*pip, "--no-deps", "-e", path])
        except NotReproducible:  # its build needs what is not there: it can still be imported
            importable += [folder for folder in (os.path.join(path, "src"), path) if os.path.isdir(folder)]
    if NAME not in interpreter.inspect(python).packages:
        # this one: it may be installed from a folder elsewhere
        importable.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    _add_paths(folder, made, importable)
    return interpreter.inspect(python)


def _base(present: Interpreter, version: str) -> str:
    """Return an interpreter of the recorded version, if there is one, to make an environment with."""
    if present.python == version:
        return present.path
    return shutil.which(f"python{'.'.join(version.split('.')[:2])}") or present.path


def _pip(python: str) -> list[str]:
    """Return the words of a pip that installs into another environment.

    Raises:
        NotReproducible: there is none.
    """
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:  # noqa: S603 - fixed words
        raise NotReproducible("neither uv nor pip is installed")
    return [*pip, "--python", python, "install", "--quiet", "--disable-pip-version-check"]


def _folders_of_repository(facts: RunFacts, tree: str) -> Iterator[str]:
    """Yield the folders of the working tree that recorded packages were installed from."""
    root = facts.get("root")
    for name, source in facts.get("sources", {}).items():
        relative = path_below(source.removeprefix("file://"), root) if root is not None else None
        if name != NAME and source.startswith("file://") and relative is not None:
            path = os.path.join(tree, relative)
            if os.path.isdir(path):
                yield path


def _add_paths(folder: str, made: Interpreter, paths: Sequence[str]) -> None:
    """Make folders importable in an environment."""
    minor = ".".join(made.python.split(".")[:2])
    packages = os.path.join(folder, "lib", f"python{minor}", "site-packages")
    with open(os.path.join(packages, "autoflow-reproduction.pth"), "w", encoding="utf-8") as stream:
        stream.writelines(f"{path}\n" for path in paths)


def _install(words: Sequence[str], **variables: str) -> None:
    """Run an installer.

    Raises:
        NotReproducible: it failed, or cannot be started.
    """
    own = {name: value for name, value in os.environ.items() if name.startswith(_INSTALLER_VARIABLES)}
    environment = {**inherited_environment(), **own, **variables}
    try:
        process = subprocess.run(  # noqa: S603 - an installer, with packages that the user confirmed
            list(words), capture_output=True, text=True, errors="replace", check=False, env=environment
        )
    except OSError as error:
        raise NotReproducible(f"{words[0]} cannot be started: {error}") from error
    if process.returncode:
        lines = (process.stderr.strip() or process.stdout.strip())[-LONGEST_ERROR:]
        raise NotReproducible(f"{os.path.basename(words[0])} failed: {lines}")
