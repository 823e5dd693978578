"""`api.image`: images of datasets. Contents that the server has are not uploaded again."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

from autoflow.api.file_io import group_files, hash_of, open_files, save
from autoflow.api.models import ImageInfo, image_info
from autoflow.api.pagination import Filters, batches, get_or_none, list_pages, where
from autoflow.errors import ServerRefused
from autoflow.transport.base import Transport
from autoflow.wire.parts import Part

# Limits of one request.
MAX_HASHES = 900
MAX_IMAGES = 50
MAX_TAGGED = 100
MAX_BYTES = 20 * 1024 * 1024  # exceeded by one larger image only

Metas = Sequence[Mapping[str, Any] | None]


class ImageApi:
    """Images of one server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    # -- upload

    def upload_path(self, dataset_id: int, name: str, path: str, meta: Mapping[str, Any] | None = None) -> ImageInfo:
        """Upload a file as an image of a dataset."""
        return self.upload_paths(dataset_id, [name], [path], metas=[meta])[0]

    def upload_paths(
        self,
        dataset_id: int,
        names: Sequence[str],
        paths: Sequence[str],
        progress_cb: Callable[[int], Any] | None = None,
        metas: Metas | None = None,
    ) -> list[ImageInfo]:
        """Upload files as images of a dataset, in order; `progress_cb` is called with the number of images per request.

        Raises:
            ValueError: the numbers of names, paths and metas differ.
            ServerRefused: a name is taken, or a file is not an image.
        """
        _same_length(names, paths, metas)
        hashes = []
        for path in paths:
            with open_files([path]) as (stream,):
                hashes.append(hash_of(stream))
        missing = self._missing(hashes)
        path_by_hash = {content: path for content, path in zip(hashes, paths, strict=True) if content in missing}
        missing_hashes, files = list(path_by_hash), list(path_by_hash.values())
        for group in group_files(files, MAX_BYTES, MAX_IMAGES):
            with open_files([files[position] for position in group]) as streams:
                self._upload_contents([missing_hashes[position] for position in group], streams)
        return self.upload_hashes(dataset_id, names, hashes, progress_cb, metas)

    def upload_bytes(
        self, dataset_id: int, name: str, content: bytes, meta: Mapping[str, Any] | None = None
    ) -> ImageInfo:
        """Upload encoded bytes (such as PNG or JPEG) as an image of a dataset."""
        content_hash = hash_of(io.BytesIO(content))
        if self._missing([content_hash]):
            self._upload_contents([content_hash], [io.BytesIO(content)])
        return self.upload_hashes(dataset_id, [name], [content_hash], metas=[meta])[0]

    def upload_hashes(
        self,
        dataset_id: int,
        names: Sequence[str],
        hashes: Sequence[str],
        progress_cb: Callable[[int], Any] | None = None,
        metas: Metas | None = None,
    ) -> list[ImageInfo]:
        """Create images of a dataset from contents that the server has already."""
        _same_length(names, hashes, metas)
        images = [{"title": name, "hash": content_hash} for name, content_hash in zip(names, hashes, strict=True)]
        for image, meta in zip(images, metas or [], strict=False):
            if meta:
                image["meta"] = dict(meta)  # type: ignore[assignment]
        created: list[ImageInfo] = []
        for batch in batches(images, MAX_IMAGES):
            response = self._transport.call("images.bulk.add", {"datasetId": dataset_id, "images": list(batch)})
            created += [image_info(entry) for entry in response]
            if progress_cb is not None:
                progress_cb(len(batch))
        return created

    def _missing(self, hashes: Sequence[str]) -> set[str]:
        """Return the hashes of contents that the server lacks."""
        missing = set(hashes)
        for batch in batches(sorted(missing), MAX_HASHES):
            missing -= set(self._transport.call("images.internal.hashes.list", list(batch)))
        return missing

    def _upload_contents(self, hashes: Sequence[str], streams: Sequence[BinaryIO]) -> None:
        parts = [Part(f"{number}-file", stream, str(number), "image/*") for number, stream in enumerate(streams)]
        response = self._transport.upload("images.bulk.upload", parts)
        for content_hash, result in zip(hashes, response, strict=True):
            if result.get("hash") != content_hash:
                raise ServerRefused(f"an image was rejected: {result.get('errors')}", status=400, details=result)

    # -- list and download

    def get_list(
        self,
        dataset_id: int | None = None,
        filters: Filters | None = None,
        project_id: int | None = None,
        recursive: bool = False,
    ) -> list[ImageInfo]:
        """Return the images of a dataset (if recursive, also of datasets in it), or of a project."""
        payload = {
            "datasetId": dataset_id,
            "projectId": project_id,
            "filter": list(filters or ()),
            "recursive": recursive,
        }
        return [image_info(entry) for entry in list_pages(self._transport, "images.list", payload)]

    def get_info_by_id(self, id: int) -> ImageInfo | None:  # noqa: A002 - the SDK's name
        """Return an image by its id, None if there is none."""
        return get_or_none(self._transport, "images.info", {"id": id}, image_info)

    def get_info_by_name(self, dataset_id: int, name: str) -> ImageInfo | None:
        """Return an image of a dataset by its name, None if there is none."""
        return next(iter(self.get_list(dataset_id, [where("name", name)])), None)

    def download_path(self, id: int, path: str) -> None:  # noqa: A002 - the SDK's name
        """Download an image to a local path."""
        save(self._transport.download("images.download", {"id": id}), path)

    def download_bytes(self, id: int) -> bytes:  # noqa: A002 - the SDK's name
        """Return the encoded bytes of an image."""
        return b"".join(self._transport.download("images.download", {"id": id}))

    # -- change

    def add_tag(self, image_id: int, tag_id: int, value: str | float | None = None) -> None:
        """Add a tag of the project's meta to an image."""
        self.add_tag_batch([image_id], tag_id, value)

    def add_tag_batch(self, image_ids: Sequence[int], tag_id: int, value: str | float | None = None) -> None:
        """Add a tag of the project's meta to images."""
        for batch in batches(image_ids, MAX_TAGGED):
            payload: dict[str, Any] = {"tagId": tag_id, "ids": list(batch)}
            if value is not None:
                payload["value"] = value
            self._transport.call("image-tags.bulk.add-to-image", payload)

    def remove_batch(self, ids: Sequence[int]) -> None:
        """Remove images."""
        for batch in batches(ids, MAX_IMAGES):
            self._transport.call("images.bulk.remove", {"imageIds": list(batch)})


def _same_length(names: Sequence[Any], others: Sequence[Any], metas: Metas | None) -> None:
    if len(names) != len(others) or (metas is not None and len(metas) != len(names)):
        raise ValueError("the numbers of names, images and metas must be equal")
