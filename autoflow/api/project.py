"""`api.project`: projects, their classes and tags, and their versions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from autoflow.api.models import ProjectInfo, project_info
from autoflow.api.pagination import Filters, free_name, maybe, pages, where
from autoflow.api.version import VersionApi
from autoflow.transport.base import Transport
from autoflow.wire import methods


class ProjectApi:
    """Projects of one server; `version` is what saves and lists their versions."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.version = VersionApi(transport)

    def create(
        self,
        workspace_id: int,
        name: str,
        type: str = "images",  # noqa: A002 - the SDK's name
        description: str | None = "",
        change_name_if_conflict: bool = False,
    ) -> ProjectInfo:
        """Make a project.

        Raises:
            ServerRefused: the name is taken and was not to be changed.
        """
        if change_name_if_conflict:
            name = free_name(name, lambda wanted: self.get_info_by_name(workspace_id, wanted) is not None)
        body = {"name": name, "workspaceId": workspace_id, "description": description, "type": str(type)}
        return project_info(self._transport.call("projects.add", body))

    def from_folder(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        workspace_id: int | None = None,
        project_id: int | None = None,
        by_reference: bool = False,
        rehash: bool = False,
        progress: Callable[[str, int, int], Any] | None = None,
        follow_links: bool = False,
    ) -> ProjectInfo:
        """Make a folder on this machine a project; the same folder again brings that project to its present state.

        The folder holds images (each folder a dataset), or is in the format of Supervisely, COCO or YOLO. It is only
        read; a file that looks as it did the last time is not even opened. What the project has and the folder has
        not is removed from it, its classes and tags excepted; in its versions all of that stays.

        Args:
            path: the folder.
            name: of the project; by default the folder's.
            workspace_id: where it is made; by default the environment's workspace, else the first.
            project_id: a project to bring to the folder's state, whatever it holds.
            by_reference: leave the bytes of images where they are (on the server of this machine only): the project
                is whole as long as they are there, unchanged.
            rehash: read every file, whatever it looks like.
            progress: called with what is counted ("images"), how many are done, and of how many.
            follow_links: follow symbolic links, which are left out otherwise.

        Raises:
            FolderError: a file cannot be taken, which is named; a project made for the folder is removed again.
            ServerError: the server failed; likewise.
        """
        from autoflow.datasets.sync import from_folder

        return from_folder(
            self._transport,
            path,
            name,
            workspace_id,
            project_id,
            by_reference=by_reference,
            rehash=rehash,
            follow_links=follow_links,
            progress=progress,
        )

    def get_info_by_id(self, id: int) -> ProjectInfo | None:  # noqa: A002 - the SDK's name
        """A project by its number, None when there is none."""
        return maybe(self._transport, methods.PROJECT_INFO, {"id": id}, project_info)

    def get_info_by_name(self, parent_id: int, name: str) -> ProjectInfo | None:
        """A workspace's project by its name, None when there is none."""
        return next(iter(self.get_list(parent_id, [where("name", name)])), None)

    def get_list(self, workspace_id: int | None = None, filters: Filters | None = None) -> list[ProjectInfo]:
        """The projects of a workspace, or of all."""
        body: dict[str, Any] = {"filter": list(filters or ())}
        if workspace_id is not None:
            body["workspaceId"] = workspace_id
        return [project_info(told) for told in pages(self._transport, methods.PROJECT_LIST, body)]

    def get_meta(self, id: int) -> dict[str, Any]:  # noqa: A002 - the SDK's name
        """A project's ``{"classes": [...], "tags": [...]}``, each with its number."""
        meta: dict[str, Any] = self._transport.call("projects.meta", {"id": id})
        return meta

    def update_meta(self, id: int, meta: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002 - the SDK's name
        """Put classes and tags in place of a project's; gives them with their numbers, in the order given.

        An object with the SDK's `to_json` is taken too.
        """
        to_json: Any = getattr(meta, "to_json", None)
        sent = to_json() if callable(to_json) else dict(meta)
        told: dict[str, Any] = self._transport.call("projects.meta.update", {"id": id, "meta": sent})
        return told

    def remove(self, id: int) -> None:  # noqa: A002 - the SDK's name
        """Put a project away."""
        self._transport.call("projects.archive", {"id": id})
