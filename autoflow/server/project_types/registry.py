"""The types of projects that this server knows."""

from __future__ import annotations

from sqlalchemy import Connection, select

from autoflow.server.db.schema import projects
from autoflow.server.project_types.base import ProjectType
from autoflow.server.project_types.images import IMAGES

_TYPES: dict[str, ProjectType] = {IMAGES.name: IMAGES}


def register(project_type: ProjectType) -> None:
    """Add a type, or replace the one of the same name."""
    _TYPES[project_type.name] = project_type


def find(name: str) -> ProjectType:
    """Return the type of this name. A project of a type that is not registered has images as items."""
    return _TYPES.get(name, IMAGES)


def of_project(conn: Connection, project_id: int) -> ProjectType:
    """Return the type of a project, which exists."""
    return find(conn.execute(select(projects.c.type).where(projects.c.id == project_id)).scalar_one())
