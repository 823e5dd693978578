"""`api.project.version`: saving a project's state, and finding what was saved."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from autoflow.api.ask import Filters, pages, where
from autoflow.errors import ServerError
from autoflow.model.version import VersionInfo
from autoflow.transport.base import Transport
from autoflow.wire import methods

logger = logging.getLogger("autoflow")


def version_info(told: Mapping[str, Any]) -> VersionInfo:
    """Read a version as the wire tells it."""
    return VersionInfo(
        id=told["id"],
        project_id=told["projectId"],
        created_by=told.get("createdBy"),
        team_file_id=told.get("teamFileId"),
        version=told["version"],
        description=told.get("description"),
        status=told["status"],
        created_at=told["createdAt"],
        updated_at=told["updatedAt"],
        project_updated_at=told["projectUpdatedAt"],
        team_id=told["teamId"],
        name=told.get("name"),
        preview_project_id=told.get("previewProjectId"),
    )


class VersionApi:
    """Versions of the projects of one server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self, project_info: Any, version_title: str | None = None, version_description: str | None = None
    ) -> int | None:
        """Save a project's state, given by its number or info; gives the version's number.

        When nothing changed since the last version that one's number is given. As in the SDK a failure is logged
        and gives None.
        """
        project_id = getattr(project_info, "id", project_info)
        body = {"projectId": project_id, "title": version_title, "description": version_description}
        try:
            return int(self._transport.call(methods.SNAPSHOT, body)["id"])
        except ServerError as error:
            logger.error("No version of project %s was saved: %s", project_id, error)
            return None

    def get_list(self, project_id: int, filters: Filters | None = None) -> list[VersionInfo]:
        """A project's versions, the first one first."""
        body: dict[str, Any] = {"projectId": project_id}
        if filters:
            body["filter"] = list(filters)
        return [version_info(told) for told in pages(self._transport, methods.VERSION_LIST, body)]

    def get_info_by_id(self, project_id: int, version_id: int) -> VersionInfo | None:
        """One version of a project, None when it has none of that number."""
        return next(iter(self.get_list(project_id, [where("id", version_id)])), None)

    def get_id_by_number(self, project_id: int, version_num: int) -> int | None:
        """The id of a project's first, second, third … version, None when it has not that many."""
        found = next(iter(self.get_list(project_id, [where("version", int(version_num))])), None)
        return found.id if found is not None else None
