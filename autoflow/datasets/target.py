"""Which project a folder is: the one it was made before, the one that is named, or a new one."""

from __future__ import annotations

import logging
import os

from autoflow import settings
from autoflow.api.models import ProjectInfo, project_info
from autoflow.api.pagination import free_name, maybe, pages, where
from autoflow.datasets.cache_store import Shelf
from autoflow.errors import FolderError
from autoflow.transport.base import Transport
from autoflow.wire import methods

logger = logging.getLogger("autoflow")

_TYPE = "images"


def find(
    transport: Transport, shelf: Shelf, name: str | None, workspace_id: int | None, project_id: int | None
) -> ProjectInfo | None:
    """The project that a folder is to be, None when it is a new one.

    Args:
        transport: the server.
        shelf: what is known of the folder.
        name, workspace_id: those of the project, if they matter.
        project_id: its number, if it is given.

    Raises:
        FolderError: the project given is not there, or not one of images.
    """
    if project_id is not None:
        found = maybe(transport, methods.PROJECT_INFO, {"id": project_id}, project_info)
        if found is None or (found.type or _TYPE) != _TYPE:
            what = "there is no such project" if found is None else f"it is a project of {found.type}, not of images"
            raise FolderError(f"a folder cannot become project {project_id}: {what}")
        _forget_another(shelf, found)
        return found
    for number in shelf.projects():
        found = maybe(transport, methods.PROJECT_INFO, {"id": number}, project_info)
        if found is None or _forget_another(shelf, found):
            shelf.remove(number)
        elif name in {None, found.name} and workspace_id in {None, found.workspace_id}:
            return found
    return None


def _forget_another(shelf: Shelf, project: ProjectInfo) -> bool:
    """Whether what is known is of another project that had the number: a server may have been set up anew."""
    if project.id not in shelf.projects():
        return False
    cache = shelf.open(project.id)
    created = cache.about().get("created")
    cache.close()
    if created in {None, project.created_at}:
        return False
    shelf.remove(project.id)
    return True


def create(transport: Transport, root: str, name: str | None, workspace_id: int | None) -> ProjectInfo:
    """A new project for a folder; without a name it is called as the folder is, or nearly so.

    Raises:
        FolderError: the name is taken.
    """
    if methods.AUTOFLOW_MARK not in (transport.call(methods.INSTANCE_VERSION, {}) or {}):
        raise FolderError(f"{transport.origin} is no server of autoflow: folders become projects there only")
    place = workspace_id if workspace_id is not None else _workspace(transport)

    def taken(wanted: str) -> bool:
        body = {"workspaceId": place, "filter": [where("name", wanted)]}
        return any(True for _ in pages(transport, methods.PROJECT_LIST, body))

    if name is None:
        own = os.fsencode(os.path.basename(root)).decode("utf-8", "replace").strip() or "folder"
        name = free_name(own, taken)
    elif taken(name):
        raise FolderError(
            f"workspace {place} has a project named {name!r} that this folder was not made: give another name, or "
            "the project's number, to bring that project to the state of the folder"
        )
    body = {"name": name, "workspaceId": place, "description": "", "type": _TYPE}
    return project_info(transport.call("projects.add", body))


def _workspace(transport: Transport) -> int:
    """Where projects go when nothing is said: the environment's workspace, else the first there is."""
    if (named := settings.workspace()) is not None:
        return named
    for team in pages(transport, "teams.list", {}):
        for found in pages(transport, "workspaces.list", {"teamId": team["id"]}):
            return int(found["id"])
    raise FolderError("there is no workspace to make a project in: give one")
