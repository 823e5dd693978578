"""`api.dataset`: datasets of projects."""

from __future__ import annotations

from typing import Any

from autoflow.api.models import DatasetInfo, dataset_info
from autoflow.api.pagination import Filters, free_name, maybe, pages, where
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
        """Make a dataset, in a project or in another dataset of it.

        Raises:
            ServerRefused: the name is taken there and was not to be changed.
        """
        if change_name_if_conflict:
            name = free_name(name, lambda wanted: self.get_info_by_name(project_id, wanted, parent_id) is not None)
        body: dict[str, Any] = {
            "projectId": project_id,
            "name": name,
            "description": description,
            "parentId": parent_id,
        }
        if custom_data is not None:
            body["customData"] = custom_data
        return dataset_info(self._transport.call("datasets.add", body))

    def get_info_by_id(self, id: int) -> DatasetInfo | None:  # noqa: A002 - the SDK's name
        """A dataset by its number, None when there is none."""
        return maybe(self._transport, methods.DATASET_INFO, {"id": id}, dataset_info)

    def get_info_by_name(self, project_id: int, name: str, parent_id: int | None = None) -> DatasetInfo | None:
        """A dataset by its name, at a project's top or in another dataset; None when there is none."""
        return next(iter(self.get_list(project_id, [where("name", name)], parent_id=parent_id)), None)

    def get_list(
        self,
        project_id: int,
        filters: Filters | None = None,
        recursive: bool = False,
        parent_id: int | None = None,
    ) -> list[DatasetInfo]:
        """The datasets at a project's top, or all of them, or those in another dataset."""
        conditions = list(filters or ())
        if parent_id is not None:
            conditions.append(where("parentId", parent_id))
            recursive = True
        body = {"projectId": project_id, "filter": conditions, "recursive": recursive}
        return [dataset_info(told) for told in pages(self._transport, methods.DATASET_LIST, body)]
