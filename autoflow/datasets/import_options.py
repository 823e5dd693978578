"""The options of an import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Progress = Callable[[str, int, int], Any]


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Options of the import of a folder.

    Args:
        name, workspace_id, project_id: the project, see `ProjectApi.from_folder`.
        project_type: ``images`` or ``files``; None for what the folder's content suggests.
        by_reference: leave the bytes of items where they are.
        rehash: read all files, whatever their stamps.
        follow_links: follow symbolic links.
        strict: fail if anything of the folder is left out.
        skip_bad: leave out files that cannot be imported, instead of failing.
        progress: called with the name of what is counted, the number done, and the total.
    """

    name: str | None = None
    workspace_id: int | None = None
    project_id: int | None = None
    project_type: str | None = None
    by_reference: bool = False
    rehash: bool = False
    follow_links: bool = False
    strict: bool = False
    skip_bad: bool = False
    progress: Progress | None = None
