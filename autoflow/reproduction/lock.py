"""The lock file: everything a run was and what it was reproduced with, as JSON that a person can read and compare."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from autoflow.reproduction.comparison import Row
from autoflow.reproduction.inputs import Provided
from autoflow.reproduction.plan import requirements
from autoflow.reproduction.recorded import Recorded
from autoflow.reproduction.substitution import Command

FORMAT = 1
NAME = "autoflow.lock"
_CODE = ("commit", "dirty", "repository", "root", "folder", "folder_within", "script", "script_within")
_MACHINE = ("python", "machine", "packages", "sources", "environment")
_INPUT = ("ref", "type", "id", "name", "path", "sha256", "projectId", "number", "digest")
_OUTPUT = ("ref", "type", "id", "name", "path", "sha256", "size", "digest")


def document(ref: str, server: str, run: Recorded, provided: Provided, command: Command) -> dict[str, Any]:
    """The lock of a run: what was recorded (``code``, ``machine``, ``command``, ``parameters``, ``inputs``,
    ``outputs``) and, under ``again``, what to run on the restored data.
    """
    facts: Mapping[str, Any] = run.facts
    restored = {one.version["ref"]: {"project": one.project, "name": one.name} for one in provided.projects}
    return {
        "format": FORMAT,
        "ref": ref,
        "server": server,
        "task": run.ref,
        "app": run.name,
        "code": _some(facts, _CODE),
        "machine": _some(facts, _MACHINE),
        "command": run.command,
        "parameters": facts.get("parameters", {}),
        "inputs": [{**_some(one, _INPUT), "restored": restored.get(one["ref"])} for one in run.inputs],
        "outputs": [_some(one, _OUTPUT) for one in run.outputs],
        "again": {
            "command": command.words,
            "parameters": command.parameters,
            "environment": command.environment,
            "replaced": [swap._asdict() for swap in provided.swaps],
            "notes": list(provided.notes),
        },
    }


def outcome(tasks: Sequence[str], rows: Sequence[Row], *, equal: bool) -> dict[str, Any]:
    """What a reproduction came to, kept in the lock as ``reproduction``."""
    return {"tasks": list(tasks), "equal": equal, "compared": [row._asdict() for row in rows]}


def write(path: str, text: str) -> None:
    """Put a text into a file, whole or not at all."""
    partial = f"{path}.{secrets.token_hex(4)}"
    try:
        with open(partial, "x", encoding="utf-8") as file:
            file.write(text)
        os.replace(partial, path)
    except BaseException:
        if os.path.exists(partial):
            os.unlink(partial)
        raise


def write_document(path: str, form: Mapping[str, Any]) -> None:
    """Write a lock, and beside it the packages as ``<path>.requirements.txt``."""
    write(path, json.dumps(form, indent=2, ensure_ascii=False) + "\n")
    write(f"{path}.requirements.txt", "\n".join(requirements(form["machine"])) + "\n")


def _some(told: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: told[name] for name in names if told.get(name) is not None}
