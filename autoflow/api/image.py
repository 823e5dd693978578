"""`api.image`: images of datasets. Bytes the server has already are not sent again."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

from autoflow.api.file_io import grouped, hash_of, opened, save
from autoflow.api.models import ImageInfo, image_info
from autoflow.api.pagination import Filters, batches, maybe, pages, where
from autoflow.errors import ServerRefused
from autoflow.transport.base import Transport
from autoflow.wire.parts import Part

HASHES = 900
IMAGES = 50
TAGS = 100
GROUP = 20 * 1024 * 1024  # bytes of one request, but for a larger image alone

Metas = Sequence[Mapping[str, Any] | None]


class ImageApi:
    """Images of one server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    # -- into the server

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
        """Upload files as images of a dataset, in order; `progress_cb` is called with how many were made more.

        Raises:
            ValueError: names, paths and metas are not as many.
            ServerRefused: a name is taken, or a file is no image.
        """
        _same_length(names, paths, metas)
        hashes = []
        for path in paths:
            with opened([path]) as (stream,):
                hashes.append(hash_of(stream))
        missing = self._missing(hashes)
        first = {content: path for content, path in zip(hashes, paths, strict=True) if content in missing}
        unknown, files = list(first), list(first.values())
        for group in grouped(files, GROUP, IMAGES):
            with opened([files[position] for position in group]) as streams:
                self._send([unknown[position] for position in group], streams)
        return self.upload_hashes(dataset_id, names, hashes, progress_cb, metas)

    def upload_bytes(
        self, dataset_id: int, name: str, content: bytes, meta: Mapping[str, Any] | None = None
    ) -> ImageInfo:
        """Upload an image's encoded bytes (a PNG's, a JPEG's) as an image of a dataset."""
        name_of_content = hash_of(io.BytesIO(content))
        if self._missing([name_of_content]):
            self._send([name_of_content], [io.BytesIO(content)])
        return self.upload_hashes(dataset_id, [name], [name_of_content], metas=[meta])[0]

    def upload_hashes(
        self,
        dataset_id: int,
        names: Sequence[str],
        hashes: Sequence[str],
        progress_cb: Callable[[int], Any] | None = None,
        metas: Metas | None = None,
    ) -> list[ImageInfo]:
        """Make images of a dataset of contents the server has already; no bytes are sent."""
        _same_length(names, hashes, metas)
        images = [{"title": name, "hash": content} for name, content in zip(names, hashes, strict=True)]
        for image, meta in zip(images, metas or [], strict=False):
            if meta:
                image["meta"] = dict(meta)  # type: ignore[assignment]
        made: list[ImageInfo] = []
        for batch in batches(images, IMAGES):
            told = self._transport.call("images.bulk.add", {"datasetId": dataset_id, "images": list(batch)})
            made += [image_info(one) for one in told]
            if progress_cb is not None:
                progress_cb(len(batch))
        return made

    def _missing(self, hashes: Sequence[str]) -> set[str]:
        missing = set(hashes)
        for batch in batches(sorted(missing), HASHES):
            missing -= set(self._transport.call("images.internal.hashes.list", list(batch)))
        return missing

    def _send(self, hashes: Sequence[str], streams: Sequence[BinaryIO]) -> None:
        parts = [Part(f"{number}-file", stream, str(number), "image/*") for number, stream in enumerate(streams)]
        told = self._transport.upload("images.bulk.upload", parts)
        for content, answer in zip(hashes, told, strict=True):
            if answer.get("hash") != content:
                raise ServerRefused(f"an image was not taken: {answer.get('errors')}", status=400, details=answer)

    # -- out of it

    def get_list(
        self,
        dataset_id: int | None = None,
        filters: Filters | None = None,
        project_id: int | None = None,
        recursive: bool = False,
    ) -> list[ImageInfo]:
        """The images of a dataset (recursive: and of those in it), or of a project."""
        body = {"datasetId": dataset_id, "projectId": project_id, "filter": list(filters or ()), "recursive": recursive}
        return [image_info(told) for told in pages(self._transport, "images.list", body)]

    def get_info_by_id(self, id: int) -> ImageInfo | None:  # noqa: A002 - the SDK's name
        """An image by its number, None when there is none."""
        return maybe(self._transport, "images.info", {"id": id}, image_info)

    def get_info_by_name(self, dataset_id: int, name: str) -> ImageInfo | None:
        """A dataset's image by its name, None when there is none."""
        return next(iter(self.get_list(dataset_id, [where("name", name)])), None)

    def download_path(self, id: int, path: str) -> None:  # noqa: A002 - the SDK's name
        """Save an image's bytes to a path on this machine."""
        save(self._transport.download("images.download", {"id": id}), path)

    def download_bytes(self, id: int) -> bytes:  # noqa: A002 - the SDK's name
        """An image's encoded bytes."""
        return b"".join(self._transport.download("images.download", {"id": id}))

    # -- changing what is there

    def add_tag(self, image_id: int, tag_id: int, value: str | float | None = None) -> None:
        """Put a tag of the project's meta on an image."""
        self.add_tag_batch([image_id], tag_id, value)

    def add_tag_batch(self, image_ids: Sequence[int], tag_id: int, value: str | float | None = None) -> None:
        """Put a tag of the project's meta on images."""
        for batch in batches(image_ids, TAGS):
            body: dict[str, Any] = {"tagId": tag_id, "ids": list(batch)}
            if value is not None:
                body["value"] = value
            self._transport.call("image-tags.bulk.add-to-image", body)

    def remove_batch(self, ids: Sequence[int]) -> None:
        """Remove images."""
        for batch in batches(ids, IMAGES):
            self._transport.call("images.bulk.remove", {"imageIds": list(batch)})


def _same_length(names: Sequence[Any], others: Sequence[Any], metas: Metas | None) -> None:
    if len(names) != len(others) or (metas is not None and len(metas) != len(names)):
        raise ValueError("there must be as many names as images, and as metas if there are any")
