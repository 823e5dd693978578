"""The Python interpreter of a reproduction: its version, its packages, and its editable installs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from autoflow.errors import NotReproducible
from autoflow.reproduction.plan import inherited_environment

TIMEOUT = 60.0  # seconds
_SCRIPT = """
import json, platform
from importlib import metadata
packages, editable = {}, []
for distribution in metadata.distributions():
    name = distribution.metadata["Name"]
    if name:
        packages.setdefault(name, distribution.version)
        direct_url = json.loads(distribution.read_text("direct_url.json") or "{}")
        if (direct_url.get("dir_info") or {}).get("editable"):
            editable.append(direct_url["url"])
print(json.dumps({"python": platform.python_version(), "packages": packages, "editable": editable}))
"""


class Interpreter(NamedTuple):
    """An interpreter.

    Args:
        path: its executable.
        python: its version.
        packages: installed versions by name.
        editable: source folders of packages that are installed in editable mode.
    """

    path: str
    python: str
    packages: dict[str, str]
    editable: list[str]


def choose_path(recorded: str, requested: str | None) -> str:
    """Return the requested interpreter, else the recorded one, else (if that no longer exists) the current one."""
    if requested is not None:
        return os.path.abspath(requested) if os.sep in requested else requested
    return recorded if os.path.isabs(recorded) and os.access(recorded, os.X_OK) else sys.executable


def inspect(path: str) -> Interpreter:
    """Run an interpreter and return its version and packages.

    Raises:
        NotReproducible: it cannot be run.
    """
    try:
        process = subprocess.run(  # noqa: S603 - the interpreter that was recorded, or that the user named
            [path, "-I", "-c", _SCRIPT],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=True,
            env=inherited_environment(),
        )
        report = json.loads(process.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise NotReproducible(
            f"the Python interpreter {path} cannot be run ({error}): name another one with --python"
        ) from error
    folders = [unquote(urlsplit(url).path) for url in report["editable"] if url.startswith("file:")]
    return Interpreter(path, report["python"], report["packages"], folders)


def environment_differences(interpreter: Interpreter, python: str | None, packages: Mapping[str, str]) -> Iterator[str]:
    """Return the differences of an interpreter from the recorded version and packages, one line each."""
    if python is not None and interpreter.python != python:
        yield f"Python {python} was recorded, this is {interpreter.python}"
    for name, version in packages.items():
        installed = interpreter.packages.get(name)
        if installed != version:
            actual = f"{installed} is installed here" if installed else "it is not installed here"
            yield f"{name} {version} was recorded, {actual}"
