"""The interpreter a run is done again with: which packages it has, and from where it would import the run's code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from autoflow.errors import NotReproducible
from autoflow.reproduction.plan import inherited

SECONDS = 60.0
_ASK = """
import json, server
from importlib import metadata
packages, editable = {}, []
for one in metadata.distributions():
    name = one.metadata["Name"]
    if name:
        packages.setdefault(name, one.version)
        told = json.loads(one.read_text("direct_url.json") or "{}")
        if (told.get("dir_info") or {}).get("editable"):
            editable.append(told["url"])
print(json.dumps({"python": platform.python_version(), "packages": packages, "editable": editable}))
"""


class Interpreter(NamedTuple):
    """An interpreter; `editable` are the folders of packages that it imports from where they are written."""

    path: str
    python: str
    packages: dict[str, str]
    editable: list[str]


def choose(recorded: str, wanted: str | None) -> str:
    """The one that was asked for, else the one that was recorded, else, where that is gone, this one."""
    if wanted is not None:
        return os.path.abspath(wanted) if os.sep in wanted else wanted
    return recorded if os.path.isabs(recorded) and os.access(recorded, os.X_OK) else sys.executable


def look(path: str) -> Interpreter:
    """Ask an interpreter what it has.

    Raises:
        NotReproducible: it does not answer.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter the user had, or names
            [path, "-I", "-c", _ASK], capture_output=True, text=True, timeout=SECONDS, check=True, env=inherited()
        )
        told = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise NotReproducible(f"{path} is no interpreter that answers: {error}") from error
    folders = [unquote(urlsplit(url).path) for url in told["editable"] if url.startswith("file:")]
    return Interpreter(path, told["python"], told["packages"], folders)


def differences(found: Interpreter, python: str | None, packages: Mapping[str, str]) -> Iterator[str]:
    """In what an interpreter is not as recorded, a line each."""
    if python is not None and found.python != python:
        yield f"Python {python} was recorded, this is {found.python}"
    for name, version in packages.items():
        has = found.packages.get(name)
        if has != version:
            yield f"{name} {version} was recorded, " + (f"this has {has}" if has else "this has none")
