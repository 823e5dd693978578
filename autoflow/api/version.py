"""`api.project.version`: saving a project's state, finding what was saved, and having it back.

`create`, `get_list`, `get_info_by_id`, `get_id_by_number` and `update` are asked of any server; the rest is autoflow's
own, and an instance is named in the error.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from autoflow.api.models import ProjectInfo, project_info
from autoflow.api.pagination import Filters, pages, where
from autoflow.errors import ServerError, ServerRefused
from autoflow.model.version import VersionInfo
from autoflow.outbox.lookups import probe
from autoflow.transport.base import Transport
from autoflow.wire import methods

logger = logging.getLogger("autoflow")

Progress = Callable[[int, int], Any]  # how much is done, of how much


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
        """Save a project's state, given by its number or info; gives the version's id.

        When nothing changed since the last version that one's id is given. As in the SDK a failure is logged and
        gives None.
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

    def update(self, version_id: int, name: str | None = None, description: str | None = None) -> None:
        """Give a version another name or description; what is None stays.

        Raises:
            ServerRefused: there is no such version.
        """
        values = {"name": name, "description": description}
        told = {key: value for key, value in values.items() if value is not None}
        self._transport.call("projects.versions.update", {"id": version_id, **told})

    def restore(
        self,
        project_info: Any,
        version_id: int | None = None,
        version_num: int | None = None,
        skip_missed_entities: bool = False,
        workspace_id: int | None = None,
        name: str | None = None,
        description: str | None = None,
        progress: Progress | None = None,
    ) -> ProjectInfo:
        """Make a version a new project, "NAME, from ver. N", and wait until it is there; no bytes are moved.

        Args:
            project_info: the project's number or info; it may have been removed since.
            version_id, version_num: the version, by one of the two.
            skip_missed_entities: leave out items whose content is missing, which is logged, rather than fail.
            workspace_id: where it is made; by default where the project is or was.
            name: another name; one that is taken gets a number.
            description: another description.
            progress: called with how many items are there, and of how many.

        Raises:
            ValueError: the version is not said.
            ServerError: there is no such version, or content is missing: nothing is left then.
        """
        body: dict[str, Any] = {"skipMissed": skip_missed_entities, "workspaceId": workspace_id}
        body.update({"name": name, "description": description})
        if version_id is not None:
            body["id"] = int(version_id)
        elif version_num is not None:
            body.update({"projectId": getattr(project_info, "id", project_info), "number": int(version_num)})
        else:
            raise ValueError("say which version: version_id or version_num")
        told: Mapping[str, Any] = {}
        for told in self._steps(methods.VERSION_RESTORE, body, lambda answer: {"restoring": answer["id"]}):
            if progress is not None:
                progress(told["copied"], told["total"])
        if missed := told["missed"]["count"]:
            first = ", ".join(told["missed"]["names"][:5])
            logger.warning("autoflow: %s is restored without %d items: %s", told["name"], missed, first)
        return project_info_of(self._transport, told["id"])

    def items(
        self, version_id: int, dataset_id: int | None = None, annotations: bool = False
    ) -> Iterator[Mapping[str, Any]]:
        """The items of a version as it has them, by their ids, asked for a page at a time.

        Args:
            version_id: the version.
            dataset_id: only those of one dataset.
            annotations: each with its ``annotation``, in Supervisely's format.
        """
        body = {"id": version_id, "datasetId": dataset_id, "annotations": annotations}
        after: int | None = 0
        while after is not None:
            answer = self._own(methods.VERSION_ITEMS, {**body, "after": after})
            yield from answer["items"]
            after = answer["after"]

    def meta(self, version_id: int) -> dict[str, Any]:
        """A version's ``{"version", "project", "meta": {"classes", "tags"}, "datasets"}``."""
        told: dict[str, Any] = self._own(methods.VERSION_META, {"id": version_id})
        return told

    def diff(
        self, from_id: int, to_id: int | None = None, *, limit: int = 100, after: int | None = None, labels: bool = True
    ) -> dict[str, Any]:
        """What changed from one version of a project to another, or to what the project is now.

        Args:
            from_id, to_id: the versions; None for the project as it is.
            limit: changed items that are told one by one, at most 1000.
            after: go on after the last one told: the answer's ``after``.
            labels: count the labels that were added, removed and changed on all of them.

        Returns:
            ``counts`` of items, labels, classes, tags and datasets; the names of what changed in the last three; and
            ``changes``, items with what each was and is.
        """
        body = {"from": from_id, "to": to_id, "limit": limit, "after": after, "labels": labels}
        told: dict[str, Any] = self._own(methods.VERSION_DIFF, body)
        return told

    def delete(self, version_id: int) -> None:
        """Delete a version; `collect` then frees what no other needs."""
        self._own(methods.VERSION_DELETE, {"id": version_id})

    def to_folder(
        self, version: Any, path: str | os.PathLike[str], mode: str = "auto", progress: Progress | None = None
    ) -> str:
        """Write a version to a folder in Supervisely's format: see `autoflow.datasets.export.to_folder`."""
        from autoflow.datasets.export import to_folder

        return to_folder(self._transport, version, path, mode, progress)

    def verify(self, level: int = 1, project_id: int | None = None, version_id: int | None = None) -> list[Any]:
        """Look whether what versions need is there and whole; gives what is wrong, empty when nothing is.

        Args:
            level: 1 looks at rows, 2 also whether each file is there in its size, 3 reads every file.
            project_id, version_id: only that project's versions, or that version.
        """
        body = {"level": level, "projectId": project_id, "id": version_id}
        answers = self._steps(methods.VERIFY, body, lambda answer: {**body, "state": answer["state"]})
        return [problem for answer in answers for problem in answer["problems"]]

    def collect(self, *, confirm: bool = False, empty_trash: bool = False) -> dict[str, int]:
        """Remove what no version, project or file needs; gives what was removed, by kind.

        Args:
            confirm: whether a large share of all blobs may be removed.
            empty_trash: whether files are removed from the trash before their time.

        Raises:
            ServerRefused: 409, it would remove a large share, and that was not confirmed.
        """
        body = {"confirm": confirm, "emptyTrash": empty_trash}
        *_, told = self._steps(methods.COLLECT, body, lambda answer: {**body, "state": answer["state"]})
        counts: dict[str, int] = told["counts"]
        return counts

    def _steps(
        self, method: str, body: Mapping[str, Any], following: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    ) -> Iterator[Mapping[str, Any]]:
        """Long work, which the server does for a moment at each call: its answers, until one is ``done``."""
        answer = self._own(method, body)
        yield answer
        while not answer["done"]:
            answer = self._own(method, following(answer))
            yield answer

    def _own(self, method: str, body: Mapping[str, Any]) -> Any:
        """Call a method of autoflow's own.

        Raises:
            ServerRefused: as the server says; or the server is an instance, which has no such method.
        """
        try:
            return self._transport.call(method, body)
        except ServerRefused as refusal:
            if probe(self._transport).is_autoflow:
                raise
            words = f"{method} is a method of autoflow's server, and {self._transport.origin} is none"
            raise ServerRefused(words, status=refusal.status, details=refusal.details) from refusal


def project_info_of(transport: Transport, number: int) -> ProjectInfo:
    """A project that is there."""
    return project_info(transport.call(methods.PROJECT_INFO, {"id": number}))
