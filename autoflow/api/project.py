"""`api.project`: projects, their classes and tags, and their versions."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from autoflow.api.models import ProjectInfo, project_info
from autoflow.api.pagination import Filters, get_or_none, list_pages, unused_name, where
from autoflow.api.version import VersionApi
from autoflow.transport.base import Transport
from autoflow.wire import methods


class ProjectApi:
    """Projects of one server; `version` has the methods for their versions."""

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
        """Create a project.

        Raises:
            ServerRefused: the name is taken and `change_name_if_conflict` is not set.
        """
        if change_name_if_conflict:
            name = unused_name(name, lambda candidate: self.get_info_by_name(workspace_id, candidate) is not None)
        payload = {"name": name, "workspaceId": workspace_id, "description": description, "type": str(type)}
        return project_info(self._transport.call("projects.add", payload))

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
        project_type: str | None = None,
        strict: bool = False,
        skip_bad: bool = False,
    ) -> ProjectInfo:
        """Import a local folder as a project; importing the folder again updates that project.

        The folder has images (each subfolder is a dataset), or is in the format of Supervisely, COCO, YOLO or an
        installed package, or has any files, for a project of type ``files``. It is only read, and files that have not
        changed since the last import are not opened. What is left out (hidden files and caches; of a folder of images
        also files that are no images and no labels) is logged.
        What the folder lacks is removed from the project, except classes and tags; versions of the project keep it.

        Args:
            path: the folder.
            name: name of the project. Default: the folder's.
            workspace_id: workspace of the project. Default: the environment's, else the first.
            project_id: an existing project to update from the folder, whatever its content is.
            by_reference: do not copy the bytes of images (embedded server only); the project is complete as long as
                the files exist and do not change.
            rehash: read all files, including those that have not changed.
            progress: called with the name of what is counted ("images"), the number done, and the total.
            follow_links: follow symbolic links, which are skipped by default.
            project_type: ``images`` or ``files``. Default: that of the project of the last import; for a new one
                images, if the folder is in a format with labels or at least a third of its files are images.
            strict: fail if anything is left out.
            skip_bad: leave out files that are not valid, with a warning each, instead of failing.

        Raises:
            FolderError: files are not valid; the message names them all. A project created for the folder is removed.
            ServerError: the server failed; likewise.
        """
        from autoflow.datasets.sync import from_folder

        return from_folder(
            self._transport,
            path,
            name=name,
            workspace_id=workspace_id,
            project_id=project_id,
            project_type=project_type,
            by_reference=by_reference,
            rehash=rehash,
            follow_links=follow_links,
            strict=strict,
            skip_bad=skip_bad,
            progress=progress,
        )

    def get_info_by_id(self, id: int) -> ProjectInfo | None:  # noqa: A002 - the SDK's name
        """Return a project by its id, None if there is none."""
        return get_or_none(self._transport, methods.PROJECT_INFO, {"id": id}, project_info)

    def get_info_by_name(self, parent_id: int, name: str) -> ProjectInfo | None:
        """Return a project of a workspace by its name, None if there is none."""
        return next(iter(self.get_list(parent_id, [where("name", name)])), None)

    def get_list(self, workspace_id: int | None = None, filters: Filters | None = None) -> list[ProjectInfo]:
        """Return the projects of a workspace, or of all workspaces."""
        payload: dict[str, Any] = {"filter": list(filters or ())}
        if workspace_id is not None:
            payload["workspaceId"] = workspace_id
        return [project_info(entry) for entry in list_pages(self._transport, methods.PROJECT_LIST, payload)]

    def get_meta(self, id: int) -> dict[str, Any]:  # noqa: A002 - the SDK's name
        """Return a project's classes and tags with their ids, as ``{"classes": [...], "tags": [...]}``."""
        meta: dict[str, Any] = self._transport.call("projects.meta", {"id": id})
        return meta

    def update_meta(self, id: int, meta: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002 - the SDK's name
        """Replace a project's classes and tags; return them with their ids, in the same order.

        An object with a `to_json` method, such as the SDK's ProjectMeta, is accepted too.
        """
        to_json: Any = getattr(meta, "to_json", None)
        payload = to_json() if callable(to_json) else dict(meta)
        updated: dict[str, Any] = self._transport.call("projects.meta.update", {"id": id, "meta": payload})
        return updated

    def remove(self, id: int) -> None:  # noqa: A002 - the SDK's name
        """Archive a project."""
        self._transport.call("projects.archive", {"id": id})
