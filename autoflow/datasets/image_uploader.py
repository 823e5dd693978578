"""Images of a folder on their way into a project: read, uploaded where the server has not got them, put."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, NamedTuple, TypeVar
from urllib.parse import quote

from autoflow.datasets.cache_store import Row
from autoflow.datasets.formats.base import Format, Item, compose
from autoflow.datasets.reading import LARGE, Content, read
from autoflow.datasets.tree import Tree, is_text, size_of
from autoflow.errors import FolderError, ServerRefused
from autoflow.transport.base import Transport
from autoflow.wire import methods
from autoflow.wire.parts import Part

IMAGES = 200  # of one request
BYTES = 16 * 1024 * 1024  # of the images of one request, but for a larger one alone
LABELS = 2 * 1024 * 1024  # of their labels

T = TypeVar("T")


class Todo(NamedTuple):
    """An image to be put.

    Args:
        dataset: the path of its dataset.
        name: its own.
        item: where it is.
        row: what is known of it.
    """

    dataset: str
    name: str
    item: Item
    row: Row | None


class Prepared(NamedTuple):
    """An image that was read."""

    todo: Todo
    path: str
    image: Content
    labels: Sequence[Content | None]

    @property
    def weight(self) -> int:
        """Bytes of it in memory."""
        return len(self.image.kept or b"")

    @property
    def stamp(self) -> bytes:
        """The stamp of its files of labels as they were read; empty when it is not to be trusted."""
        if not self.labels:
            return self.todo.item.stamp or b""
        if any(one is not None and not one.stamp for one in self.labels):
            return b""
        return compose([one.stamp if one is not None else None for one in self.labels])


class Filling:
    """The way from one folder to one server.

    Args:
        transport: the server.
        tree: the folder.
        format: what it is read as.
        by_reference: whether the bytes of images stay where they are.
        rehash: whether no stamp is believed.
        follow: whether symbolic links are followed.
    """

    def __init__(
        self,
        transport: Transport,
        tree: Tree,
        format: Format,  # noqa: A002 - what it is
        *,
        by_reference: bool,
        rehash: bool,
        follow: bool,
    ) -> None:
        self._transport = transport
        self._tree = tree
        self._format = format
        self._by_reference = by_reference
        self._rehash = rehash
        self._follow = follow

    def batches(self, todo: Iterable[Todo]) -> Iterator[list[Prepared]]:
        """Images read, some at a time, all of a batch of one dataset; the next batch is read meanwhile."""
        return ahead(self._batches(todo))

    def _batches(self, todo: Iterable[Todo]) -> Iterator[list[Prepared]]:
        batch: list[Prepared] = []
        weight = labels = 0
        for one in todo:
            prepared = self._prepare(one)
            told = sum(content.size for content in prepared.labels if content is not None)
            over = weight + prepared.weight > BYTES or labels + told > LABELS or len(batch) >= IMAGES
            if batch and (over or batch[0].todo.dataset != one.dataset):
                yield batch
                batch, weight, labels = [], 0, 0
            batch.append(prepared)
            weight += prepared.weight
            labels += told
        if batch:
            yield batch

    def _prepare(self, todo: Todo) -> Prepared:
        path = self._tree.path(todo.item.image)
        if not is_text(todo.name):
            raise FolderError(f"the name of {path!r} is no text in UTF-8: rename it")
        stamp = self._tree.stamp(todo.item.image)
        if todo.row is not None and stamp is not None and stamp == todo.row.image and not self._rehash:
            image = Content(todo.row.hash, size_of(stamp), stamp, None)
        else:
            image = read(path, follow=self._follow, keep=-1 if self._by_reference else LARGE)
        labels = [
            read(self._tree.path(label), follow=self._follow) if label is not None else None
            for label in todo.item.labels
        ]
        return Prepared(todo, path, image, labels)

    def put(self, dataset_id: int, batch: Sequence[Prepared]) -> tuple[Mapping[str, Any], list[tuple[str, Row]]]:
        """Put images into their dataset; gives the server's answer, and what is known of them now.

        Raises:
            FolderError: an image or its labels were not taken; nothing of the batch was put.
        """
        sizes = self._sizes(batch)
        images: list[dict[str, Any]] = []
        stamps = []
        for one in batch:
            width, height = sizes.get(one.image.hash, (0, 0))
            contents = [
                _bytes(label, place, self._tree) for label, place in zip(one.labels, one.todo.item.labels, strict=True)
            ]
            told = self._format.labels(one.todo.item, contents, width, height)
            image: dict[str, Any] = {"name": one.todo.name, "hash": one.image.hash}
            known = {"annotation": told.annotation, "meta": told.meta, "link": self._link(one)}
            images.append({**image, **{name: value for name, value in known.items() if value is not None}})
            stamps.append(told.stamp if told.stamp is not None else one.stamp)
        with self._naming(batch):
            answer = self._transport.call(methods.FOLDER_PUT, {"datasetId": dataset_id, "images": images})
        rows = [
            (one.todo.name, Row(one.image.stamp, stamp, one.image.hash, number, mark))
            for one, stamp, (number, mark) in zip(batch, stamps, answer["images"], strict=True)
        ]
        return answer, rows

    def _link(self, one: Prepared) -> str | None:
        return f"file://{quote(os.fsencode(one.path))}" if self._by_reference else None

    def _sizes(self, batch: Sequence[Prepared]) -> dict[str, tuple[int, int]]:
        """See that the server has the bytes; the sizes in pixels by the hashes, if the format needs them."""
        if self._by_reference:
            by_link = {str(self._link(one)): one.image.hash for one in batch}
            if not self._format.sized:
                return {}
            with self._naming(batch):
                told = self._transport.call(methods.FOLDER_LOOK, {"links": list(by_link)})["sizes"]
            return {by_link[link]: tuple(size) for link, size in told.items()}
        first = {one.image.hash: one for one in reversed(batch)}
        known = list(self._transport.call("images.internal.hashes.list", list(first)))
        missing = [one for content, one in first.items() if content not in set(known)]
        sizes = self._upload(missing) if missing else {}
        if known and self._format.sized:
            told = self._transport.call(methods.FOLDER_LOOK, {"hashes": known})["sizes"]
            sizes |= {content: tuple(size) for content, size in told.items()}
        return sizes

    @contextlib.contextmanager
    def _naming(self, batch: Sequence[Prepared]) -> Iterator[None]:
        """Name the file that a refusal is about."""
        try:
            yield
        except ServerRefused as refusal:
            path = self._meant(batch, str(refusal))
            if path is None:
                raise
            raise FolderError(f"{path!r}: {refusal}") from refusal

    def _meant(self, batch: Sequence[Prepared], words: str) -> str | None:
        if (found := re.search(r"images\[(\d+)\]", words)) is not None:
            return _told_in(batch[int(found[1])])
        links = {f"{self._link(one)} ": one.path for one in batch}
        return next((path for link, path in links.items() if link in words), None)

    def _upload(self, batch: Sequence[Prepared]) -> dict[str, tuple[int, int]]:
        with contextlib.ExitStack() as stack:
            parts = [
                Part(f"{place}-file", stack.enter_context(_opened(one)), str(place), "image/*")
                for place, one in enumerate(batch)
            ]
            answers = self._transport.upload("images.bulk.upload", parts)
        sizes = {}
        for one, answer in zip(batch, answers, strict=True):
            if answer.get("errors"):
                raise FolderError(f"{one.path!r} is no image that can be read: mend it, or move it away")
            if answer["hash"] != one.image.hash:
                raise FolderError(f"{one.path!r} changes while it is read: wait until that is done, and try again")
            sizes[one.image.hash] = (answer["width"], answer["height"])
        return sizes


def _opened(one: Prepared) -> BinaryIO:
    return io.BytesIO(one.image.kept) if one.image.kept is not None else open(one.path, "rb")


def _bytes(content: Content | None, place: str | None, tree: Tree) -> bytes | None:
    if content is not None and content.kept is None:
        raise FolderError(f"{tree.path(place or '')!r} has {content.size} bytes, which no labels of one image have")
    return content.kept if content is not None else None


def _told_in(one: Prepared) -> str:
    label = next((label for label in one.todo.item.labels if label is not None), None)
    root = one.path[: len(one.path) - len(one.todo.item.image)]
    return root + label if label is not None else one.path


def ahead(values: Iterator[T]) -> Iterator[T]:
    """The values, each made while the one before is used."""
    with ThreadPoolExecutor(1, "autoflow-folder") as pool:
        coming = pool.submit(next, values, None)
        while (value := coming.result()) is not None:
            coming = pool.submit(next, values, None)
            yield value
