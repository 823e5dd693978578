"""What the wire tells of entities, as named tuples whose fields and order are the SDK's."""

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


def _wire_name(field: str) -> str:
    """``created_by_id`` is ``createdById``: the way the wire writes a name."""
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _number(value: Any) -> int | None:
    """Sizes come as text from some servers."""
    return int(value) if isinstance(value, (int, float)) or (isinstance(value, str) and value.isdigit()) else None


def _known(fields: tuple[str, ...], told: Mapping[str, Any]) -> dict[str, Any]:
    return {field: told.get(_wire_name(field)) for field in fields}


def project_info(told: Mapping[str, Any]) -> ProjectInfo:
    """Read a project as the wire tells it."""
    known = _known(ProjectInfo._fields, told)
    known["created_by_id"] = told.get("createdBy", known["created_by_id"])
    known["size"] = _number(known["size"])
    if known["items_count"] is None:
        known["items_count"] = known["images_count"]
    return ProjectInfo(**known)


def dataset_info(told: Mapping[str, Any]) -> DatasetInfo:
    """Read a dataset as the wire tells it."""
    known = _known(DatasetInfo._fields, told)
    known["size"] = _number(known["size"])
    if known["items_count"] is None:
        known["items_count"] = known["images_count"]
    return DatasetInfo(**known)


def file_info(told: Mapping[str, Any]) -> FileInfo:
    """Read a file as the wire tells it: type and size stand in its ``meta``."""
    meta = told.get("meta") or {}
    known = _known(FileInfo._fields, told)
    known.update(mime=meta.get("mime"), ext=meta.get("ext"), sizeb=_number(meta.get("size")))
    return FileInfo(**known)


def image_info(told: Mapping[str, Any]) -> ImageInfo:
    """Read an image as the wire tells it; its extension is its type's when the wire has none."""
    known = _known(ImageInfo._fields, told)
    known["size"] = _number(known["size"])
    if known["ext"] is None and known["mime"]:
        known["ext"] = known["mime"].rpartition("/")[2]
    return ImageInfo(**known)
