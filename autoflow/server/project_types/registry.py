"""The types of projects that this server knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from autoflow.server.db.schema import projects
from autoflow.server.errors import Invalid
from autoflow.server.project_types.base import ProjectType
from autoflow.server.project_types.files import FILES
from autoflow.server.project_types.images import IMAGES
from autoflow.server.project_types.point_clouds import EPISODES, POINT_CLOUDS
from autoflow.server.project_types.videos import VIDEOS
from autoflow.server.project_types.volumes import VOLUMES

_BUILT_IN = (IMAGES, VIDEOS, POINT_CLOUDS, EPISODES, VOLUMES, FILES)
_TYPES: dict[str, ProjectType] = {known.name: known for known in _BUILT_IN}
_UNSUPPORTED = ("meshes", "audio")  # types of Supervisely's that this server has no items of


def register(project_type: ProjectType) -> None:
    """Add a type, or replace the one of the same name."""
    _TYPES[project_type.name] = project_type


def find(name: str) -> ProjectType:
    """Return the type of this name. A project of a type that is not registered has images as items."""
    return _TYPES.get(name, IMAGES)


def of_project(conn: Connection, project_id: int) -> ProjectType:
    """Return the type of a project, which exists."""
    return find(conn.execute(select(projects.c.type).where(projects.c.id == project_id)).scalar_one())


def check_supported(name: str) -> None:
    """Check that projects of a type can be created.

    Raises:
        Invalid: they cannot.
    """
    if name in _UNSUPPORTED:
        raise Invalid(f"projects of type {name!r} are not supported; there are {', '.join(map(repr, _TYPES))}")


def check_images(conn: Connection, item_rows: Iterable[RowMapping | Mapping[str, Any]]) -> None:
    """Check that items are images.

    Raises:
        Invalid: one is of a project of another type, whose methods have other names.
    """
    by_project = {row["project_id"]: row for row in item_rows}
    for project_id, row in sorted(by_project.items()):
        project_type = of_project(conn, project_id)
        if project_type is not IMAGES:
            raise Invalid(
                f"item {row['id']} is a {project_type.item}, not an image: project {project_id} is of type "
                f"{project_type.name!r}"
            )


def check_images_project(project: RowMapping | Mapping[str, Any]) -> None:
    """Check that the items of a project are images.

    Raises:
        Invalid: they are not.
    """
    project_type = find(project["type"])
    if project_type is not IMAGES:
        raise Invalid(f"project {project['id']} is of type {project_type.name!r}: its items are not images")
