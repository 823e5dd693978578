"""Selection of the project that a folder is imported to: the one of the last import, a requested one, or a new one."""

from __future__ import annotations

import logging
import os

from autoflow import settings
from autoflow.api.models import ProjectInfo, project_info
from autoflow.api.pagination import get_or_none, list_pages, unused_name, where
from autoflow.datasets.cache_store import CacheStore
from autoflow.errors import FolderError
from autoflow.outbox.destinations.servers import ServerConnector
from autoflow.transport.base import Transport
from autoflow.wire import methods

logger = logging.getLogger("autoflow")

TYPES = ("images", "files")


def find_project(
    transport: Transport,
    caches: CacheStore,
    name: str | None,
    workspace_id: int | None,
    project_id: int | None,
    project_type: str | None,
) -> ProjectInfo | None:
    """Return the project that a folder is imported to, None if it has to be created.

    Args:
        transport: the server.
        caches: the caches of the folder.
        name, workspace_id: required name and workspace of the project, if any.
        project_id: the project, if it was given explicitly.
        project_type: required type of the project, if any.

    Raises:
        FolderError: the given project does not exist, or is of a type that folders are not imported to.
    """
    accepted = TYPES if project_type is None else (project_type,)
    if project_id is not None:
        project = get_or_none(transport, methods.PROJECT_INFO, {"id": project_id}, project_info)
        if project is None or type_of(project) not in accepted:
            reason = "it does not exist"
            if project is not None:
                reason = f"it is a project of {project.type}, not of {' or '.join(accepted)}"
            raise FolderError(f"the folder cannot be imported to project {project_id}: {reason}")
        _discard_stale_cache(caches, project)
        return project
    for cached_id in caches.projects():
        project = get_or_none(transport, methods.PROJECT_INFO, {"id": cached_id}, project_info)
        if project is None or _discard_stale_cache(caches, project):
            caches.remove(cached_id)
        elif (
            name in {None, project.name}
            and workspace_id in {None, project.workspace_id}
            and type_of(project) in accepted
        ):
            return project
    return None


def type_of(project: ProjectInfo) -> str:
    """Return the type of a project."""
    return project.type or TYPES[0]


def _discard_stale_cache(caches: CacheStore, project: ProjectInfo) -> bool:
    """Remove the cache of another project that had the same id, on a server that was set up anew; return whether."""
    if project.id not in caches.projects():
        return False
    cache = caches.open(project.id)
    created_at = cache.state().get("created")
    cache.close()
    if created_at in {None, project.created_at}:
        return False
    caches.remove(project.id)
    return True


def create_project(
    transport: Transport, root: str, name: str | None, workspace_id: int | None, project_type: str
) -> ProjectInfo:
    """Create a project of a type for a folder; the default name is the folder's, with a suffix if it is taken.

    Raises:
        FolderError: the given name is taken.
    """
    if not ServerConnector(transport).identify().own_methods:
        raise FolderError(f"{transport.origin} is not an autoflow server: folders can be imported to those only")
    workspace = workspace_id if workspace_id is not None else _default_workspace(transport)

    def is_taken(candidate: str) -> bool:
        payload = {"workspaceId": workspace, "filter": [where("name", candidate)]}
        return any(True for _ in list_pages(transport, methods.PROJECT_LIST, payload))

    if name is None:
        folder_name = os.fsencode(os.path.basename(root)).decode("utf-8", "replace").strip() or "folder"
        name = unused_name(folder_name, is_taken)
    elif is_taken(name):
        raise FolderError(
            f"workspace {workspace} has another project named {name!r}: choose another name, or pass that project's "
            "id to update it from the folder"
        )
    payload = {"name": name, "workspaceId": workspace, "description": "", "type": project_type}
    return project_info(transport.call("projects.add", payload))


def _default_workspace(transport: Transport) -> int:
    """Return the environment's workspace, else the first one."""
    if (workspace := settings.workspace()) is not None:
        return workspace
    for team in list_pages(transport, "teams.list", {}):
        for entry in list_pages(transport, "workspaces.list", {"teamId": team["id"]}):
            return int(entry["id"])
    raise FolderError("the server has no workspace: create one, or pass workspace_id")
