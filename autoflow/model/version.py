"""A version of a project, as the wire describes it."""

from __future__ import annotations

from typing import NamedTuple


class VersionInfo(NamedTuple):
    """One version of a project; the fields and their order are the SDK's."""

    id: int
    project_id: int
    created_by: int | None
    team_file_id: int | None
    version: int
    description: str | None
    status: str
    created_at: str
    updated_at: str
    project_updated_at: str
    team_id: int
    name: str | None
    preview_project_id: int | None = None
