"""`api.dataset`: datasets of projects."""

from __future__ import annotations

from typing import Any

from autoflow.api.models import DatasetInfo, dataset_info
from autoflow.api.pagination import Filters, get_or_none, list_pages, unused_name, where
from autoflow.transport.base import Transport
from autoflow.wire import methods


class DatasetApi:
    """Datasets of one server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        project_id: int,
        name: str,
        description: str | None = "",
        change_name_if_conflict: bool = False,
        parent_id: int | None = None,
        custom_data: dict[str, Any] | None = None,
    ) -> DatasetInfo:
        """Create a dataset, in a project or in another dataset of it.

        Raises:
            ServerRefused: the name is taken there and `change_name_if_conflict` is not set.
        """
        if change_name_if_conflict:
            name = unused_name(
                name, lambda candidate: self.get_info_by_name(project_id, candidate, parent_id) is not None
            )
        payload: dict[str, Any] = {
            "projectId": project_id,
            "name": name,
            "description": description,
            "parentId": parent_id,
        }
        if custom_data is not None:
            payload["customData"] = custom_data
        return dataset_info(self._transport.call("datasets.add", payload))

    def get_info_by_id(self, id: int) -> DatasetInfo | None:  # noqa: A002 - the SDK's name
        """Return a dataset by its id, None if there is none."""
        return get_or_none(self._transport, methods.DATASET_INFO, {"id": id}, dataset_info)

    def get_info_by_name(self, project_id: int, name: str, parent_id: int | None = None) -> DatasetInfo | None:
        """Return a dataset of a project or of another dataset by its name, None if there is none."""
        return next(iter(self.get_list(project_id, [where("name", name)], parent_id=parent_id)), None)

    def get_list(
        self,
        project_id: int,
        filters: Filters | None = None,
        recursive: bool = False,
        parent_id: int | None = None,
    ) -> list[DatasetInfo]:
        """Return the top-level datasets of a project; with `recursive` all; with `parent_id` those in that dataset."""
        conditions = list(filters or ())
        if parent_id is not None:
            conditions.append(where("parentId", parent_id))
            recursive = True
        payload = {"projectId": project_id, "filter": conditions, "recursive": recursive}
        return [dataset_info(entry) for entry in list_pages(self._transport, methods.DATASET_LIST, payload)]
