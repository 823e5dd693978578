"""Answers that the SDK gets with the token of a reproduction, as plain values."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import supervisely as sly


def reproduced(api: sly.Api, project: int, path: str) -> dict[str, Any]:
    """Read a project by number, by name and in a list, and a file by its path; write both."""
    with tempfile.TemporaryDirectory() as folder:
        local = os.path.join(folder, "file")

        def content() -> str:
            api.file.download(1, path, local)
            with open(local) as file:
                return file.read()

        recorded = content()
        with open(local, "w") as file:
            file.write("own")
        uploaded = api.file.upload(1, local, path).path
        own = content()
    created = api.project.create(1, "predictions", change_name_if_conflict=True)
    (dataset,) = api.dataset.get_list(project)
    return {
        "by number": api.project.get_info_by_id(project).name,
        "by name": api.project.get_info_by_name(1, "lemons").id,
        "listed": sorted(entry.name for entry in api.project.get_list(1)),
        "dataset": (dataset.name, api.dataset.get_info_by_id(dataset.id).project_id),
        "files": [recorded, uploaded, own, *(entry.path for entry in api.file.list2(1, os.path.dirname(path)))],
        "created": [created.name, api.project.get_info_by_name(1, "predictions").id == created.id],
    }
