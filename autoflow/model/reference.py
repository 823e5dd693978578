"""What a person names a thing by: ``project:7``, ``project:7#3``, ``version:12``, ``file:9``, ``/models/best.pt``."""

from __future__ import annotations

import re
from typing import NamedTuple

from autoflow.model.entity import WireType

KINDS: dict[str, WireType] = {
    "project": "project",
    "version": "project_version",
    "dataset": "dataset",
    "file": "file",
    "task": "task",
    "job": "job",
    "session": "app_session",
}
_NUMBERED = re.compile(r"([a-z_]+):(\d{1,16})(?:#(\d{1,16}))?")


class Reference(NamedTuple):
    """A thing as it was named.

    Args:
        kind: one of `KINDS`, or ``path``.
        id: its number, 0 for a path.
        path: in Team Files, with its leading slash; empty for what has a number.
        version: the number of a project's version, as in ``project:7#3``; None without.
    """

    kind: str
    id: int = 0
    path: str = ""
    version: int | None = None

    def __str__(self) -> str:
        numbered = f"{self.kind}:{self.id}" + (f"#{self.version}" if self.version is not None else "")
        return self.path or numbered


def parse(text: str, plain: str | None = None) -> Reference:
    """Read a reference.

    Args:
        text: as a person writes it.
        plain: the kind that a number alone means; None when it means nothing.

    Raises:
        ValueError: it is none; the message says what would be.
    """
    given = text.strip()
    if given.startswith("/"):
        return Reference("path", path=given)
    if plain is not None and given.isascii() and given.isdigit():
        return Reference(plain, int(given[:16]))
    match = _NUMBERED.fullmatch(given)
    kind = {"project_version": "version", "model_weight": "file", "app_session": "session"}.get(
        match[1] if match else "", match[1] if match else ""
    )
    if match is None or kind not in KINDS or (match[3] and kind != "project"):
        shown = ", ".join(f"{kind}:N" for kind in KINDS)
        raise ValueError(f"{text!r} names nothing: write {shown}, project:N#M for its version M, or a path with a /")
    return Reference(kind, int(match[2]), version=int(match[3]) if match[3] else None)
