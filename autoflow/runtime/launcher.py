"""The launcher of a distributed run, such as torchrun: the command that started all of its processes."""

from __future__ import annotations

import contextlib
import os

from autoflow.runtime import masking

MAX_STEPS = 8  # from a process to an ancestor
_RANK = b"RANK="


def command() -> list[str] | None:
    """Return the command line of the process that gave this one its rank; None if it has none, or that is unknown.

    It is the nearest ancestor that was started without a rank. A shell in which somebody set the variables is none.
    """
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return None
    process_id = os.getppid()
    with contextlib.suppress(OSError, ValueError, IndexError):  # no /proc, or another user's process
        for _ in range(MAX_STEPS):
            if not any(entry.startswith(_RANK) for entry in _entries(process_id, "environ")):
                words = [os.fsdecode(word) for word in _entries(process_id, "cmdline")]
                is_python = os.path.basename(words[0]).startswith("python") and len(words) > 1
                return masking.command(words) if is_python else None
            process_id = _parent(process_id)
    return None


def _entries(process_id: int, name: str) -> list[bytes]:
    with open(f"/proc/{process_id}/{name}", "rb") as file:
        return file.read().rstrip(b"\0").split(b"\0")


def _parent(process_id: int) -> int:
    with open(f"/proc/{process_id}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])
