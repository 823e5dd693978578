"""`api.project.version`: create, list, compare, restore, verify and delete versions of projects.

`create`, `get_list`, `get_info_by_id`, `get_id_by_number` and `update` work with any server; the other methods need
an autoflow server.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from autoflow.api.class_counts import class_counts
from autoflow.api.models import ProjectInfo, project_info, read_fields
from autoflow.api.pagination import Filters, list_pages, where
from autoflow.api.table_changes import TableChange, table_changes
from autoflow.errors import ServerError, ServerRefused
from autoflow.model.version import VersionInfo
from autoflow.outbox.destinations.servers import ServerConnector
from autoflow.runtime.destination import connect, parse_address
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire import methods
from autoflow.wire.contract import admin
from autoflow.wire.contract import versions as contract
from autoflow.wire.contract.class_counts import ClassCounts
from autoflow.wire.contract.method import Method

if TYPE_CHECKING:
    from autoflow.transfer.versions import VersionCopy

logger = logging.getLogger("autoflow")

Progress = Callable[[int, int], Any]  # number of items done, total
Request = TypeVar("Request")
Response = TypeVar("Response")


def version_info(response: Mapping[str, Any]) -> VersionInfo:
    """Read a version from a response."""
    return VersionInfo(**read_fields(VersionInfo._fields, response))


class VersionApi:
    """Versions of the projects of one server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self, project_info: Any, version_title: str | None = None, version_description: str | None = None
    ) -> int | None:
        """Create a version of a project, given by its id or info; return the version's id.

        If nothing has changed since the last version, its id is returned. As in the SDK, a failure is logged and
        returns None.
        """
        project_id = getattr(project_info, "id", project_info)
        request = contract.SnapshotRequest(project_id=project_id, title=version_title, description=version_description)
        try:
            return int(call(self._transport, contract.SNAPSHOT, request)["id"])
        except ServerError as error:
            logger.error("Could not create a version of project %s: %s", project_id, error)
            return None

    def get_list(self, project_id: int, filters: Filters | None = None) -> list[VersionInfo]:
        """Return the versions of a project, the oldest first."""
        payload: dict[str, Any] = {"projectId": project_id}
        if filters:
            payload["filter"] = list(filters)
        return [version_info(entry) for entry in list_pages(self._transport, methods.VERSION_LIST, payload)]

    def get_info_by_id(self, project_id: int, version_id: int) -> VersionInfo | None:
        """Return a version of a project by its id, None if there is none."""
        return next(iter(self.get_list(project_id, [where("id", version_id)])), None)

    def get_id_by_number(self, project_id: int, version_num: int) -> int | None:
        """Return the id of a project's version by its number (1, 2, 3 …), None if there is none."""
        version = next(iter(self.get_list(project_id, [where("version", int(version_num))])), None)
        return version.id if version is not None else None

    def update(self, version_id: int, name: str | None = None, description: str | None = None) -> None:
        """Change the name or description of a version; None leaves it unchanged.

        Raises:
            ServerRefused: there is no such version.
        """
        values = {"name": name, "description": description}
        changes = {key: value for key, value in values.items() if value is not None}
        self._transport.call("projects.versions.update", {"id": version_id, **changes})

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
        """Restore a version as a new project, "NAME, from ver. N", and wait until it is complete; no bytes are copied.

        Args:
            project_info: the project's id or info; the project may have been removed since.
            version_id, version_num: the version, by one of the two.
            skip_missed_entities: skip items whose content is missing, with a warning, instead of failing.
            workspace_id: workspace of the new project. Default: that of the original project.
            name: name of the new project; a number is appended if it is taken.
            description: description of the new project.
            progress: called with the number of items restored and the total.

        Raises:
            ValueError: neither version_id nor version_num is given.
            ServerError: there is no such version, or content is missing; no project is created.
        """
        if version_id is None and version_num is None:
            raise ValueError("pass version_id or version_num")
        request = contract.VersionRestoreRequest(
            name=name, description=description, workspace_id=workspace_id, skip_missed=skip_missed_entities
        )
        if version_id is not None:
            request = replace(request, id=int(version_id))
        elif version_num is not None:
            project_id = getattr(project_info, "id", project_info)
            request = replace(request, project_id=project_id, number=int(version_num))
        while True:
            response = self._call(contract.VERSION_RESTORE, request)
            if progress is not None:
                progress(response["copied"], response["total"])
            if response["done"]:
                break
            request = contract.VersionRestoreRequest(restoring=response["id"])
        if missed := response["missed"]["count"]:
            first = ", ".join(response["missed"]["names"][:5])
            logger.warning("autoflow: %s was restored without %d items: %s", response["name"], missed, first)
        if erased := response.get("erased"):
            logger.warning("autoflow: %s: %s", response["name"], _count_erased(erased))
        return project_info_by_id(self._transport, response["id"])

    def items(
        self, version_id: int, dataset_id: int | None = None, annotations: bool = False
    ) -> Iterator[contract.VersionItem]:
        """Return the items of a version in the order of their ids; pages are requested as they are needed.

        Args:
            version_id: the version.
            dataset_id: only the items of one dataset.
            annotations: include the ``annotation`` of each item, in Supervisely's format.
        """
        after: int | None = 0
        while after is not None:
            request = contract.VersionItemsRequest(
                id=version_id, dataset_id=dataset_id, annotations=annotations, after=after
            )
            page = self._call(contract.VERSION_ITEMS, request)
            yield from page["items"]
            after = page["after"]

    def meta(self, version_id: int) -> contract.VersionMetaResponse:
        """Return a version's ``{"version", "project", "meta": {"classes", "tags"}, "datasets"}``."""
        return self._call(contract.VERSION_META, contract.VersionMetaRequest(id=version_id))

    def diff(
        self, from_id: int, to_id: int | None = None, *, limit: int = 100, after: int | None = None, labels: bool = True
    ) -> contract.VersionDiffResponse:
        """Return the differences between two versions of a project, or between a version and the present state.

        Args:
            from_id, to_id: the versions; None for the present state.
            limit: maximal number of changed items to list, at most 1000.
            after: continue after the last listed item: the ``after`` of the previous response.
            labels: count the added, removed and changed labels of all items.

        Returns:
            ``counts`` of items, labels, classes, tags and datasets; the names of changed classes, tags and datasets;
            and ``changes``, the changed items with their state before and after.
        """
        request = contract.VersionDiffRequest(from_=from_id, to=to_id, limit=limit, after=after or 0, labels=labels)
        return self._call(contract.VERSION_DIFF, request)

    def classes(self, from_id: int, to_id: int | None = None) -> list[ClassCounts]:
        """Return every class of two versions of a project, with the numbers of its labels and images in each.

        All labeled items of both are read, a thousand at a time.

        Args:
            from_id, to_id: the versions; None for the present state.

        Returns:
            ``{"id", "title", "color", "before", "after"}`` each; before and after are ``{"objects", "images"}``, or
            None of a version that has no such class.
        """
        return class_counts(self._transport, from_id, to_id)

    def tables(self, differences: contract.VersionDiffResponse) -> list[TableChange]:
        """Return rows and columns, before and after, of the changed CSV, TSV, Parquet and Arrow files of a `diff`.

        Parquet and Arrow are read by pyarrow, if it is installed where the server runs.
        """
        return list(table_changes(self._transport, differences))

    def delete(self, version_id: int) -> list[str]:
        """Delete a version, and return the models that were made from it; `collect` then frees content that nothing
        else uses.

        Raises:
            ServerError: an alias names a model that was made from it: move the alias first.
        """
        return self._call(contract.VERSION_DELETE, contract.VersionDeleteRequest(id=version_id))["models"]

    def models_made_from(self, version_id: int) -> list[str]:
        """Return references of the versions of models that were made from a version, as ``model:lemons@3``."""
        request = contract.VersionDeleteRequest(id=version_id, dry_run=True)
        return self._call(contract.VERSION_DELETE, request)["models"]

    def to_folder(
        self,
        version: Any,
        path: str | os.PathLike[str],
        mode: str = "auto",
        progress: Progress | None = None,
        *,
        folder_format: str | None = None,
        dataset: str | None = None,
        pattern: str | None = None,
        sample: int | None = None,
        strict: bool = False,
    ) -> str:
        """Write a version to a folder, see `autoflow.datasets.export.restore_to_folder`; return the folder's path.

        Args:
            version, path, mode, progress, folder_format, strict: as there.
            dataset, pattern, sample: write a part of the version, see `autoflow.datasets.version_reader.Selection`.
        """
        from autoflow.datasets.export import to_folder
        from autoflow.datasets.version_reader import Selection

        selection = Selection(dataset=dataset, pattern=pattern, sample=sample)
        return to_folder(
            self._transport,
            version,
            path,
            mode,
            progress,
            folder_format=folder_format,
            selection=selection,
            strict=strict,
        )

    def push(
        self,
        version_id: int,
        server_address: str,
        token: str | None = None,
        *,
        workspace_id: int | None = None,
        name: str | None = None,
        progress: Progress | None = None,
    ) -> VersionCopy:
        """Copy a version to another autoflow server, with the contents that it lacks, see `autoflow.transfer.versions`.

        Args:
            version_id: the version.
            server_address: URL of the server, or ``embedded``.
            token: its token. Default: the environment's token for that server.
            workspace_id: workspace of the new project there. Default: the first one.
            name: name of the new project. Default: that of this project; a number is appended if it is taken.
            progress: called with the number of items done and the total.

        Raises:
            TransferError: a server is a Supervisely instance, both are the same, or content cannot be copied.
            ServerError: a server failed or refused.
        """
        from autoflow.transfer.versions import copy_version

        target = connect(parse_address(server_address), token)
        return copy_version(
            self._transport, target, int(version_id), workspace_id=workspace_id, name=name, progress=progress
        )

    def pull(
        self,
        version_id: int,
        server_address: str,
        token: str | None = None,
        *,
        workspace_id: int | None = None,
        name: str | None = None,
        progress: Progress | None = None,
    ) -> VersionCopy:
        """Copy a version from another autoflow server to this one; arguments and errors as `push`."""
        from autoflow.transfer.versions import copy_version

        source = connect(parse_address(server_address), token)
        return copy_version(
            source, self._transport, int(version_id), workspace_id=workspace_id, name=name, progress=progress
        )

    def verify(
        self, level: int = 1, project_id: int | None = None, version_id: int | None = None
    ) -> list[admin.IntegrityProblem]:
        """Check the integrity of versions; return the problems, an empty list if there are none.

        Args:
            level: 1 checks database rows, 2 also the existence and size of files, 3 also their content.
            project_id, version_id: check the versions of one project, or one version.
        """
        request = admin.VerifyRequest(level=level, project_id=project_id, id=version_id)
        problems: list[admin.IntegrityProblem] = []
        while True:
            response = self._call(admin.VERIFY, request)
            problems += response["problems"]
            if response["done"]:
                return problems
            request = replace(request, state=response["state"])

    def collect(self, *, confirm: bool = False, empty_trash: bool = False) -> dict[str, int]:
        """Remove content that no version, project or file uses; return the removed numbers by kind.

        Args:
            confirm: allow the removal of a large share of all blobs.
            empty_trash: also empty the trash before its retention time has passed.

        Raises:
            ServerRefused: a large share would be removed, and `confirm` is not set (409).
        """
        request = admin.CollectRequest(confirm=confirm, empty_trash=empty_trash)
        while True:
            response = self._call(admin.COLLECT, request)
            if response["done"]:
                return response["counts"]
            request = replace(request, state=response["state"])

    def _call(self, method: Method[Request, Response], request: Request) -> Response:
        """Call a method that only an autoflow server has.

        Raises:
            ServerRefused: the server refused, or is a Supervisely instance, which has no such method.
        """
        try:
            return call(self._transport, method, request)
        except ServerRefused as refusal:
            if ServerConnector(self._transport).identify().own_methods:
                raise
            message = f"{method.name} needs an autoflow server, but {self._transport.origin} is a Supervisely instance"
            raise ServerRefused(message, status=refusal.status, details=refusal.details) from refusal


def _count_erased(count: int) -> str:
    return "1 image was erased" if count == 1 else f"{count:,} images were erased"


def project_info_by_id(transport: Transport, project_id: int) -> ProjectInfo:
    """Return an existing project."""
    return project_info(transport.call(methods.PROJECT_INFO, {"id": project_id}))
