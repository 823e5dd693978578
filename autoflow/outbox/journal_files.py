"""Names of the files of a journal, and the journals in a folder."""

from __future__ import annotations

import json
import os

from autoflow.outbox import atomic_file

# prefixes of journals that no app wrote: they hold records that were set aside, under the keys they had
BLOCKED = "blocked-"
RETRIED = "retried-"

_SEGMENT = ".journal"
_PROGRESS = ".progress"
_DROPPED = ".dropped"


def segment_path(folder: str, name: str, number: int) -> str:
    """Return the path of one segment; segments of a journal sort by name in the order written."""
    return os.path.join(folder, f"{name}.{number:06d}{_SEGMENT}")


def lock_path(folder: str, name: str) -> str:
    """Return the path of a journal's lock file."""
    return os.path.join(folder, f"{name}.lock")


def progress_path(folder: str, name: str) -> str:
    """Return the path of a journal's progress file."""
    return os.path.join(folder, f"{name}{_PROGRESS}")


def dropped_path(folder: str, name: str) -> str:
    """Return the path of the file that counts the records a journal's writer could not write."""
    return os.path.join(folder, f"{name}{_DROPPED}")


def dropped_of(folder: str, name: str) -> int:
    """Return how many records a journal's writer could not write, as far as its file says.

    Raises:
        OSError: the file cannot be read.
    """
    content = atomic_file.read(dropped_path(folder, name))
    try:
        return int(json.loads(content)["dropped"]) if content is not None else 0
    except (ValueError, TypeError, KeyError):
        return 0


def journals(folder: str) -> dict[str, list[int]]:
    """Return the journals in a folder: name -> segment numbers in order, empty if only progress or a count is left."""
    segments: dict[str, list[int]] = {}
    for entry in os.listdir(folder):
        parts = entry.split(".")
        if entry.endswith(_SEGMENT) and len(parts) == 3 and parts[1].isdecimal():
            segments.setdefault(parts[0], []).append(int(parts[1]))
        elif entry.endswith((_PROGRESS, _DROPPED)) and len(parts) == 2:
            segments.setdefault(parts[0], [])
    return {name: sorted(numbers) for name, numbers in segments.items()}
