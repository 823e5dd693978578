"""Upload of a folder's items: read them, upload the contents that the server lacks, and create or update items."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote

from autoflow.datasets.cache_store import CachedImage
from autoflow.datasets.formats import project_type_of
from autoflow.datasets.formats.base import DatasetFormat, Item, combine_stamps
from autoflow.datasets.formats.files import Files
from autoflow.datasets.left_out import listed
from autoflow.datasets.reading import LARGE, Content, prefetch, read
from autoflow.datasets.tree import Tree, is_text, stamp_size
from autoflow.errors import FolderError, ServerRefused
from autoflow.transport.base import Transport
from autoflow.transport.typed import call, upload
from autoflow.wire.content_hash import hex_of
from autoflow.wire.contract.folders import (
    FOLDER_LOOK,
    FOLDER_PUT,
    FOLDER_UPLOAD,
    FolderImage,
    FolderLookRequest,
    FolderPutRequest,
    FolderPutResponse,
)
from autoflow.wire.parts import Part

# Limits of one request.
MAX_IMAGES = 500
MAX_IMAGE_BYTES = 16 * 1024 * 1024  # exceeded by one larger image only
MAX_LABEL_BYTES = 2 * 1024 * 1024


class PendingImage(NamedTuple):
    """An image that has to be uploaded.

    Args:
        dataset: path of its dataset.
        name: its name.
        item: its files.
        cached: the image as it was uploaded last, None if it is new.
        existing: its id in the project, None if it is new there.
    """

    dataset: str
    name: str
    item: Item
    cached: CachedImage | None
    existing: int | None = None


class BadFile(NamedTuple):
    """A file that cannot be imported, and why."""

    pending: PendingImage
    reason: str


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


class StoredBatch(NamedTuple):
    """Images of one dataset whose bytes the server has.

    Args:
        images: the images.
        sizes: their sizes in pixels by hash, 0 if no format needs them; those of refused images are absent.
    """

    images: list[ReadImage]
    sizes: dict[str, tuple[int, int]]


class ImageUploader:
    """Uploads images of one folder to one server.

    Args:
        transport: the server.
        tree: the folder.
        folder: the folder, read in its format.
        by_reference: leave the bytes of images where they are.
        rehash: read all files, whatever their stamps.
        follow: follow symbolic links.
        strict: reject a file of whose labels anything is not kept.

    Attributes:
        bad: the files that could not be imported so far.
        lost: what of labels was not kept so far, as numbers by what it is.
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
        strict: bool = False,
    ) -> None:
        self._transport = transport
        self._tree = tree
        self._folder = folder
        self._by_reference = by_reference
        self._rehash = rehash
        self._follow = follow
        self._strict = strict
        self._is_files = project_type_of(folder) == Files.name
        self.bad: list[BadFile] = []
        self.lost: Counter[str] = Counter()
        self._refused: dict[str, str] = {}  # what follows a file's path in the message, by its hash

    def stored_batches(self, pending: Iterable[PendingImage]) -> Iterator[StoredBatch]:
        """Read images in batches, each of one dataset, and upload their bytes.

        While a batch is used, the bytes of the next one are uploaded, and the one after it is read.
        """
        return prefetch(StoredBatch(batch, self._upload_contents(batch)) for batch in prefetch(self._batches(pending)))

    def _batches(self, pending: Iterable[PendingImage]) -> Iterator[list[ReadImage]]:
        batch: list[ReadImage] = []
        image_bytes = label_bytes = 0
        for entry in pending:
            try:
                image = self._read(entry)
            except FolderError as error:
                self.bad.append(BadFile(entry, str(error)))
                continue
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

    def put(
        self, dataset_id: int, batch: StoredBatch
    ) -> tuple[FolderPutResponse | None, list[tuple[str, CachedImage]]]:
        """Create or update the images of a batch in a dataset, but those that are rejected, which become `bad`.

        Returns:
            The response, None if all were rejected, and the rows for the cache.
        """
        sizes = batch.sizes
        entries: list[tuple[ReadImage, FolderImage, bytes]] = []
        for image in batch.images:
            if image.image.hash not in sizes:
                self._reject(image, f"{image.path!r}{self._refused[image.image.hash]}")
                continue
            try:
                entries.append((image, *self._entry(image, *sizes[image.image.hash])))
            except FolderError as error:
                self._reject(image, str(error))
        response = None
        while entries and response is None:
            request = FolderPutRequest(dataset_id=dataset_id, images=[entry for _, entry, _ in entries])
            try:
                response = call(self._transport, FOLDER_PUT, request)
            except ServerRefused as refusal:
                position = self._position([image for image, _, _ in entries], str(refusal))
                if position is None:
                    raise
                rejected, _, _ = entries.pop(position)
                self._reject(rejected, f"{_label_path(rejected)!r}: {refusal}")
        if response is None:
            return None, []
        cached = [
            (image.pending.name, CachedImage(image.image.stamp, stamp, image.image.hash, image_id, etag))
            for (image, _, stamp), (image_id, etag) in zip(entries, response["images"], strict=True)
        ]
        return response, cached

    def _entry(self, image: ReadImage, width: int, height: int) -> tuple[FolderImage, bytes]:
        """Return an image as it is sent, and the stamp of its labels."""
        contents = [
            _label_data(content, path, self._tree)
            for content, path in zip(image.labels, image.pending.item.labels, strict=True)
        ]
        labels = self._folder.labels(image.pending.item, contents, width, height)
        if labels.lost and self._strict:
            raise FolderError(
                f"{_label_path(image)!r} has {listed(labels.lost)}: correct them, or import without strict"
            )
        self.lost.update(labels.lost or {})
        entry = FolderImage(
            name=image.pending.name,
            hash=image.image.hash,
            link=self._link(image),
            annotation=labels.annotation,
            meta=labels.meta,
        )
        return entry, labels.stamp if labels.stamp is not None else image.label_stamp

    def _reject(self, image: ReadImage, reason: str) -> None:
        self.bad.append(BadFile(image.pending, reason))

    def _link(self, image: ReadImage) -> str | None:
        return f"file://{quote(os.fsencode(image.path))}" if self._by_reference else None

    def _upload_contents(self, batch: Sequence[ReadImage]) -> dict[str, tuple[int, int]]:
        """Upload the contents that the server lacks; return the size in pixels by hash, 0 if no format needs it.

        Contents that were refused are absent; `_refused` has the reasons by hash.
        """
        if self._by_reference:
            return self._linked(batch)
        by_hash = {image.image.hash: image for image in reversed(batch)}
        present = dict.fromkeys(self._transport.call("images.internal.hashes.list", list(by_hash)), (0, 0))
        if present and not self._is_files:  # bytes that were stored as another file are not known to be an image
            present = call(self._transport, FOLDER_LOOK, FolderLookRequest(hashes=list(present)))["sizes"]
        missing = [image for content_hash, image in by_hash.items() if content_hash not in present]
        return {**present, **(self._upload_files(missing) if missing else {})}

    def _linked(self, batch: Sequence[ReadImage]) -> dict[str, tuple[int, int]]:
        """Return the sizes of files that stay where they are."""
        if not self._folder.needs_image_size:
            return {image.image.hash: (0, 0) for image in batch}
        images = list(batch)
        while images:
            hash_by_link = {str(self._link(image)): image.image.hash for image in images}
            try:
                response = call(self._transport, FOLDER_LOOK, FolderLookRequest(links=list(hash_by_link)))
            except ServerRefused as refusal:
                position = self._position(images, str(refusal))
                if position is None:
                    raise
                self._refused[images.pop(position).image.hash] = f": {refusal}"
                continue
            return {hash_by_link[link]: size for link, size in response["sizes"].items()}
        return {}

    def _position(self, images: Sequence[ReadImage], message: str) -> int | None:
        """Return the position of the image that a message of the server names by its position, sha256 or link."""
        if (match := re.search(r"images\[(\d+)\]", message)) is not None:
            return int(match[1])
        for position, image in enumerate(images):
            link = self._link(image)
            if (link is not None and f"{link} " in message) or hex_of(image.image.hash) in message:
                return position
        return None

    def _upload_files(self, batch: Sequence[ReadImage]) -> dict[str, tuple[int, int]]:
        """Upload files, each read from its disk as it is sent; return the sizes of those that were accepted."""
        try:
            with contextlib.ExitStack() as stack:
                parts = [
                    Part(f"{index}-file", stack.enter_context(_open(image)), str(index), "application/octet-stream")
                    for index, image in enumerate(batch)
                ]
                results = self._send(parts)
        except ServerRefused as refusal:
            position = self._position(batch, str(refusal))
            if position is None:
                raise
            self._refused[batch[position].image.hash] = f": {refusal}"
            rest = [*batch[:position], *batch[position + 1 :]]
            return self._upload_files(rest) if rest else {}
        sizes = {}
        for image, result in zip(batch, results, strict=True):
            if result.get("errors"):
                self._refused[image.image.hash] = " is not a valid image: repair it, or move it out of the folder"
            elif result["hash"] != image.image.hash:
                self._refused[image.image.hash] = (
                    " changes while it is read: wait until it is written completely, and try again"
                )
            else:
                sizes[image.image.hash] = (result.get("width", 0), result.get("height", 0))
        return sizes

    def _send(self, parts: Sequence[Part]) -> Sequence[Mapping[str, Any]]:
        if self._is_files:
            return upload(self._transport, FOLDER_UPLOAD, parts)["files"]
        results: Sequence[Mapping[str, Any]] = self._transport.upload("images.bulk.upload", parts)
        return results


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
