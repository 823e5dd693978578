"""Upload of a folder's images: read them, upload the contents that the server lacks, and create or update images."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple
from urllib.parse import quote

from autoflow.datasets.cache_store import CachedImage
from autoflow.datasets.formats.base import DatasetFormat, Item, combine_stamps
from autoflow.datasets.reading import LARGE, Content, prefetch, read
from autoflow.datasets.tree import Tree, is_text, stamp_size
from autoflow.errors import FolderError, ServerRefused
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.contract.folders import (
    FOLDER_LOOK,
    FOLDER_PUT,
    FolderImage,
    FolderLookRequest,
    FolderPutRequest,
    FolderPutResponse,
)
from autoflow.wire.parts import Part

# Limits of one request.
MAX_IMAGES = 200
MAX_IMAGE_BYTES = 16 * 1024 * 1024  # exceeded by one larger image only
MAX_LABEL_BYTES = 2 * 1024 * 1024


class PendingImage(NamedTuple):
    """An image that has to be uploaded.

    Args:
        dataset: path of its dataset.
        name: its name.
        item: its files.
        cached: the image as it was uploaded last, None if it is new.
    """

    dataset: str
    name: str
    item: Item
    cached: CachedImage | None


class ReadImage(NamedTuple):
    """A pending image with the contents of its files."""

    pending: PendingImage
    path: str
    image: Content
    labels: Sequence[Content | None]

    @property
    def memory(self) -> int:
        """Number of bytes of the image that are in memory."""
        return len(self.image.data or b"")

    @property
    def label_stamp(self) -> bytes:
        """Stamp of its label files as they were read; empty if it is not to be trusted."""
        if not self.labels:
            return self.pending.item.stamp or b""
        if any(content is not None and not content.stamp for content in self.labels):
            return b""
        return combine_stamps([content.stamp if content is not None else None for content in self.labels])


class ImageUploader:
    """Uploads images of one folder to one server.

    Args:
        transport: the server.
        tree: the folder.
        folder: the folder, read in its format.
        by_reference: leave the bytes of images where they are.
        rehash: read all files, whatever their stamps.
        follow: follow symbolic links.
    """

    def __init__(
        self,
        transport: Transport,
        tree: Tree,
        folder: DatasetFormat,
        *,
        by_reference: bool,
        rehash: bool,
        follow: bool,
    ) -> None:
        self._transport = transport
        self._tree = tree
        self._folder = folder
        self._by_reference = by_reference
        self._rehash = rehash
        self._follow = follow

    def read_batches(self, pending: Iterable[PendingImage]) -> Iterator[list[ReadImage]]:
        """Read images in batches, each of one dataset; the next batch is read while the current one is used."""
        return prefetch(self._batches(pending))

    def _batches(self, pending: Iterable[PendingImage]) -> Iterator[list[ReadImage]]:
        batch: list[ReadImage] = []
        image_bytes = label_bytes = 0
        for entry in pending:
            image = self._read(entry)
            size = sum(content.size for content in image.labels if content is not None)
            is_full = (
                image_bytes + image.memory > MAX_IMAGE_BYTES
                or label_bytes + size > MAX_LABEL_BYTES
                or len(batch) >= MAX_IMAGES
            )
            if batch and (is_full or batch[0].pending.dataset != entry.dataset):
                yield batch
                batch, image_bytes, label_bytes = [], 0, 0
            batch.append(image)
            image_bytes += image.memory
            label_bytes += size
        if batch:
            yield batch

    def _read(self, pending: PendingImage) -> ReadImage:
        path = self._tree.path(pending.item.image)
        if not is_text(pending.name):
            raise FolderError(f"the name of {path!r} is not valid UTF-8: rename the file")
        stamp = self._tree.stamp(pending.item.image)
        cached = pending.cached
        if cached is not None and stamp is not None and stamp == cached.image and not self._rehash:
            image = Content(cached.hash, stamp_size(stamp), stamp, None)
        else:
            image = read(path, follow=self._follow, max_kept=-1 if self._by_reference else LARGE)
        labels = [
            read(self._tree.path(label), follow=self._follow) if label is not None else None
            for label in pending.item.labels
        ]
        return ReadImage(pending, path, image, labels)

    def upload(
        self, dataset_id: int, batch: Sequence[ReadImage]
    ) -> tuple[FolderPutResponse, list[tuple[str, CachedImage]]]:
        """Create or update the images of a batch in a dataset; return the response and the rows for the cache.

        Raises:
            FolderError: an image or its labels were rejected; no image of the batch was changed.
        """
        sizes = self._upload_contents(batch)
        images: list[FolderImage] = []
        stamps = []
        for image in batch:
            width, height = sizes.get(image.image.hash, (0, 0))
            contents = [
                _label_data(content, path, self._tree)
                for content, path in zip(image.labels, image.pending.item.labels, strict=True)
            ]
            labels = self._folder.labels(image.pending.item, contents, width, height)
            images.append(
                FolderImage(
                    name=image.pending.name,
                    hash=image.image.hash,
                    link=self._link(image),
                    annotation=labels.annotation,
                    meta=labels.meta,
                )
            )
            stamps.append(labels.stamp if labels.stamp is not None else image.label_stamp)
        with self._naming_file(batch):
            response = call(self._transport, FOLDER_PUT, FolderPutRequest(dataset_id=dataset_id, images=images))
        cached = [
            (image.pending.name, CachedImage(image.image.stamp, stamp, image.image.hash, image_id, etag))
            for image, stamp, (image_id, etag) in zip(batch, stamps, response["images"], strict=True)
        ]
        return response, cached

    def _link(self, image: ReadImage) -> str | None:
        return f"file://{quote(os.fsencode(image.path))}" if self._by_reference else None

    def _upload_contents(self, batch: Sequence[ReadImage]) -> dict[str, tuple[int, int]]:
        """Upload the contents that the server lacks; return the sizes in pixels by hash, if the format needs them."""
        needs_size = self._folder.needs_image_size
        if self._by_reference:
            hash_by_link = {str(self._link(image)): image.image.hash for image in batch}
            if not needs_size:
                return {}
            with self._naming_file(batch):
                response = call(self._transport, FOLDER_LOOK, FolderLookRequest(links=list(hash_by_link)))
            return {hash_by_link[link]: size for link, size in response["sizes"].items()}
        by_hash = {image.image.hash: image for image in reversed(batch)}
        present = list(self._transport.call("images.internal.hashes.list", list(by_hash)))
        missing = [image for content_hash, image in by_hash.items() if content_hash not in set(present)]
        sizes = self._upload_files(missing) if missing else {}
        if present and needs_size:
            response = call(self._transport, FOLDER_LOOK, FolderLookRequest(hashes=present))
            sizes |= response["sizes"]
        return sizes

    @contextlib.contextmanager
    def _naming_file(self, batch: Sequence[ReadImage]) -> Iterator[None]:
        """Add the path of the file to an error of the server that refers to an image by its position or link."""
        try:
            yield
        except ServerRefused as refusal:
            path = self._path_in_message(batch, str(refusal))
            if path is None:
                raise
            raise FolderError(f"{path!r}: {refusal}") from refusal

    def _path_in_message(self, batch: Sequence[ReadImage], message: str) -> str | None:
        if (match := re.search(r"images\[(\d+)\]", message)) is not None:
            return _label_path(batch[int(match[1])])
        links = {f"{self._link(image)} ": image.path for image in batch}
        return next((path for link, path in links.items() if link in message), None)

    def _upload_files(self, batch: Sequence[ReadImage]) -> dict[str, tuple[int, int]]:
        with contextlib.ExitStack() as stack:
            parts = [
                Part(f"{index}-file", stack.enter_context(_open(image)), str(index), "image/*")
                for index, image in enumerate(batch)
            ]
            response = self._transport.upload("images.bulk.upload", parts)
        sizes = {}
        for image, result in zip(batch, response, strict=True):
            if result.get("errors"):
                raise FolderError(f"{image.path!r} is not a valid image: repair it, or move it out of the folder")
            if result["hash"] != image.image.hash:
                raise FolderError(
                    f"{image.path!r} changes while it is read: wait until it is written completely, and try again"
                )
            sizes[image.image.hash] = (result["width"], result["height"])
        return sizes


def _open(image: ReadImage) -> BinaryIO:
    return io.BytesIO(image.image.data) if image.image.data is not None else open(image.path, "rb")


def _label_data(content: Content | None, path: str | None, tree: Tree) -> bytes | None:
    if content is not None and content.data is None:
        raise FolderError(
            f"{tree.path(path or '')!r} has {content.size} bytes, more than the {LARGE} allowed for labels"
        )
    return content.data if content is not None else None


def _label_path(image: ReadImage) -> str:
    """Return the path of an image's first label file, else of the image."""
    label = next((label for label in image.pending.item.labels if label is not None), None)
    root = image.path[: len(image.path) - len(image.pending.item.image)]
    return root + label if label is not None else image.path
