"""The lock file: a recorded run and what it was reproduced with, as JSON that a person can read and compare."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from autoflow.api.file_io import write_atomically
from autoflow.model.reproduction import Reproduction
from autoflow.reproduction.inputs import RestoredInputs
from autoflow.reproduction.plan import requirement_lines
from autoflow.reproduction.recorded_run import RecordedRun
from autoflow.reproduction.substitution import Command

FORMAT = 1
NAME = "autoflow.lock"
_CODE = (
    "commit",
    "dirty",
    "repository",
    "root",
    "folder",
    "folder_within",
    "started_in",
    "script",
    "script_within",
    "patch",
    "unpublished",
    "pack",
    "untracked",
    "submodules",
    "notebook",
    "late",
)
_MACHINE = ("python", "machine", "packages", "sources", "environment", "hardware", "locale", "locks")
_INPUT = ("ref", "type", "id", "name", "path", "sha256", "projectId", "number", "digest")
_OUTPUT = ("ref", "type", "id", "name", "path", "sha256", "size", "digest")


def build_lock(ref: str, server: str, run: RecordedRun, restored: RestoredInputs, command: Command) -> dict[str, Any]:
    """Return the lock of a run: the recorded ``code``, ``machine``, ``command``, ``parameters``, ``inputs`` and
    ``outputs`` and, under ``again``, the command to run on the restored data.
    """
    facts: Mapping[str, Any] = run.facts
    projects = {
        project.version["ref"]: {"project": project.project, "name": project.name} for project in restored.projects
    }
    return {
        "format": FORMAT,
        "ref": ref,
        "server": server,
        "task": run.ref,
        "app": run.name,
        "code": _subset(facts, _CODE),
        "machine": _subset(facts, _MACHINE),
        "command": run.command,
        "parameters": facts.get("parameters", {}),
        "inputs": [{**_subset(entity, _INPUT), "restored": projects.get(entity["ref"])} for entity in run.inputs],
        "outputs": [_subset(entity, _OUTPUT) for entity in run.outputs],
        "again": {
            "command": command.words,
            "parameters": command.parameters,
            "environment": command.environment,
            "replaced": [replacement._asdict() for replacement in restored.replacements],
            "notes": list(restored.notes),
        },
    }


def outcome(result: Reproduction) -> dict[str, Any]:
    """Return the result of a reproduction as JSON, stored in the lock as ``reproduction``."""
    return {
        "tasks": result.tasks,
        "equal": result.equal,
        "outputs": result.outputs,
        "inputs": result.inputs,
        "compared": [row._asdict() for row in result.rows],
        "causes": [cause._asdict() for cause in result.causes],
        "deterministic": result.deterministic,
    }


def write_lock(path: str, lock: Mapping[str, Any]) -> None:
    """Write a lock file, and the packages beside it as ``<path>.requirements.txt``."""
    _write(path, json.dumps(lock, indent=2, ensure_ascii=False) + "\n")
    _write(f"{path}.requirements.txt", "\n".join(requirement_lines(lock["machine"])) + "\n")


def _write(path: str, text: str) -> None:
    write_atomically(path, [text.encode()])


def _subset(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) is not None}
