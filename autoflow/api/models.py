"""Entities of the data API, as named tuples with the fields of the SDK in the SDK's order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class ProjectInfo(NamedTuple):
    """A project."""

    id: int
    name: str
    description: str | None = None
    size: int | None = None
    readme: str | None = None
    workspace_id: int | None = None
    images_count: int | None = None
    items_count: int | None = None
    datasets_count: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    type: str | None = None
    reference_image_url: str | None = None
    custom_data: dict[str, Any] | None = None
    backup_archive: dict[str, Any] | None = None
    team_id: int | None = None
    settings: dict[str, Any] | None = None
    import_settings: dict[str, Any] | None = None
    version: dict[str, Any] | None = None
    created_by_id: int | None = None
    embeddings_enabled: bool | None = None
    embeddings_updated_at: str | None = None
    embeddings_in_progress: bool | None = None
    local_entities_count: int | None = None
    remote_entities_count: int | None = None


class DatasetInfo(NamedTuple):
    """A dataset."""

    id: int
    name: str
    description: str | None = None
    size: int | None = None
    project_id: int | None = None
    images_count: int | None = None
    items_count: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    reference_image_url: str | None = None
    team_id: int | None = None
    workspace_id: int | None = None
    parent_id: int | None = None
    custom_data: dict[str, Any] | None = None
    created_by: int | None = None


class FileInfo(NamedTuple):
    """A file in Team Files; `hash` is base64(sha256)."""

    team_id: int
    id: int
    user_id: int | None = None
    name: str | None = None
    hash: str | None = None
    path: str | None = None
    storage_path: str | None = None
    mime: str | None = None
    ext: str | None = None
    sizeb: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    full_storage_url: str | None = None
    is_dir: bool | None = None


class ImageInfo(NamedTuple):
    """An image; `hash` is base64(sha256) of its bytes, None for one that is a link."""

    id: int
    name: str
    link: str | None = None
    hash: str | None = None
    mime: str | None = None
    ext: str | None = None
    size: int | None = None
    width: int | None = None
    height: int | None = None
    labels_count: int | None = None
    dataset_id: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    meta: dict[str, Any] | None = None
    path_original: str | None = None
    full_storage_url: str | None = None
    tags: list[dict[str, Any]] | None = None
    created_by: int | None = None
    related_data_id: int | None = None
    download_id: str | None = None
    offset_start: int | None = None
    offset_end: int | None = None
    ai_search_meta: dict[str, Any] | None = None
    embeddings_updated_at: str | None = None
    project_id: int | None = None
    description: str | None = None
    parent_id: int | None = None


def wire_name(field: str) -> str:
    """Convert a field name to the wire's: ``created_by_id`` to ``createdById``."""
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _to_int(value: Any) -> int | None:
    """Convert a size, which some servers send as text."""
    return int(value) if isinstance(value, (int, float)) or (isinstance(value, str) and value.isdigit()) else None


def read_fields(fields: tuple[str, ...], response: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of fields in a response, None for those that it lacks."""
    return {field: response.get(wire_name(field)) for field in fields}


def project_info(response: Mapping[str, Any]) -> ProjectInfo:
    """Read a project from a response."""
    values = read_fields(ProjectInfo._fields, response)
    values["created_by_id"] = response.get("createdBy", values["created_by_id"])
    return ProjectInfo(**_with_counts(values))


def dataset_info(response: Mapping[str, Any]) -> DatasetInfo:
    """Read a dataset from a response."""
    return DatasetInfo(**_with_counts(read_fields(DatasetInfo._fields, response)))


def _with_counts(values: dict[str, Any]) -> dict[str, Any]:
    """Convert the size, and fill in the number of items, which older servers send as the number of images only."""
    values["size"] = _to_int(values["size"])
    if values["items_count"] is None:
        values["items_count"] = values["images_count"]
    return values


def file_info(response: Mapping[str, Any]) -> FileInfo:
    """Read a file from a response, which has its type and size in ``meta``."""
    meta = response.get("meta") or {}
    values = read_fields(FileInfo._fields, response)
    values.update(mime=meta.get("mime"), ext=meta.get("ext"), sizeb=_to_int(meta.get("size")))
    return FileInfo(**values)


def image_info(response: Mapping[str, Any]) -> ImageInfo:
    """Read an image from a response; a missing extension is taken from the MIME type."""
    values = read_fields(ImageInfo._fields, response)
    values["size"] = _to_int(values["size"])
    if values["ext"] is None and values["mime"]:
        values["ext"] = values["mime"].rpartition("/")[2]
    return ImageInfo(**values)
