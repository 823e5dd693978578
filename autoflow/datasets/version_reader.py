"""Reading a version, or a selection of its items, page by page."""

from __future__ import annotations

import fnmatch
import hashlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autoflow.api.pagination import batches
from autoflow.errors import FolderError
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.contract import versions as contract

PAGE = 500
UNLABELED_PAGE = 1000  # items of a page without annotations


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A part of a version's items; by default all of them.

    Args:
        dataset: only items of this dataset, named by its path such as ``train/cars``, and of those in it.
        pattern: only items whose path, or name, matches, as of `fnmatch`.
        sample: at most as many items. They are chosen by hashes of their paths: evenly, and alike in every version.
    """

    dataset: str | None = None
    pattern: str | None = None
    sample: int | None = None


ALL = Selection()


class VersionReader:
    """The content of a version.

    Args:
        transport: the server.
        version: the version's id.
        selection: the items to read.

    Attributes:
        meta: the version with its project, classes and tags.
        datasets: the datasets of the selection after those around them, parents before children.
        total: the number of items in them, of which the selection may have fewer.

    Raises:
        FolderError: the version has no such dataset.
        ServerRefused: there is no such version.
    """

    def __init__(self, transport: Transport, version: int, selection: Selection = ALL) -> None:
        self._transport = transport
        self._version = version
        self._selection = selection
        self.meta = call(transport, contract.VERSION_META, contract.VersionMetaRequest(id=version))
        self._selected = [dataset for dataset in self.meta["datasets"] if self._is_selected(dataset["path"])]
        if selection.dataset is not None and not self._selected:
            names = ", ".join(repr("/".join(dataset["path"])) for dataset in self.meta["datasets"][:20])
            raise FolderError(f"the version has no dataset {selection.dataset!r}; it has {names or 'none'}")
        around = {tuple(dataset["path"][:depth]) for dataset in self._selected for depth in range(len(dataset["path"]))}
        ids = {dataset["id"] for dataset in self._selected}
        self.datasets = [
            dataset for dataset in self.meta["datasets"] if dataset["id"] in ids or tuple(dataset["path"]) in around
        ]
        self.total = sum(dataset["itemsCount"] for dataset in self._selected)

    def _is_selected(self, path: list[str]) -> bool:
        if self._selection.dataset is None:
            return True
        required = self._selection.dataset.split("/")
        return path[: len(required)] == required

    def pages(self, *, annotations: bool = False, fingerprints: bool = False) -> Iterator[list[contract.VersionItem]]:
        """Yield the items of the selection in lists, in the order of their ids within a dataset."""
        pages = self._matching(annotations, fingerprints)
        if self._selection.sample is None:
            return pages
        items = heapq.nsmallest(self._selection.sample, (item for page in pages for item in page), key=_rank)
        return (list(batch) for batch in batches(sorted(items, key=lambda item: item["id"]), PAGE))

    def labeled(self, ids: Sequence[int]) -> Iterator[list[contract.VersionItem]]:
        """Yield the items with some ids in lists, with their annotations."""
        for batch in batches(sorted(ids), PAGE):
            request = contract.VersionItemsRequest(id=self._version, ids=list(batch), annotations=True)
            yield call(self._transport, contract.VERSION_ITEMS, request)["items"]

    def check_matched(self, count: int) -> None:
        """Check that the pattern of the selection has matched an item.

        Raises:
            FolderError: it has not.
        """
        if not count and self._selection.pattern is not None:
            raise FolderError(f"the version has no item that matches {self._selection.pattern!r}")

    def _matching(self, annotations: bool, fingerprints: bool) -> Iterator[list[contract.VersionItem]]:
        pattern = self._selection.pattern
        for page in self._all_pages(annotations, fingerprints):
            if pattern is not None:
                page = [item for item in page if _matches(item, pattern)]
            if page:
                yield page

    def _all_pages(self, annotations: bool, fingerprints: bool) -> Iterator[list[contract.VersionItem]]:
        dataset_ids: list[int | None] = [None]
        if self._selection.dataset is not None:
            dataset_ids = [dataset["id"] for dataset in self._selected]
        for dataset_id in dataset_ids:
            after: int | None = 0
            while after is not None:
                request = contract.VersionItemsRequest(
                    id=self._version,
                    after=after,
                    limit=PAGE if annotations else UNLABELED_PAGE,
                    annotations=annotations,
                    fingerprints=fingerprints,
                    dataset_id=dataset_id,
                )
                response = call(self._transport, contract.VERSION_ITEMS, request)
                yield response["items"]
                after = response["after"]


def path_of(item: contract.VersionItem) -> str:
    """Return the path of an item: the names of its datasets and its own."""
    return "/".join([*item["dataset"], item["name"]])


def _matches(item: contract.VersionItem, pattern: str) -> bool:
    return fnmatch.fnmatchcase(path_of(item), pattern) or fnmatch.fnmatchcase(item["name"], pattern)


def _rank(item: contract.VersionItem) -> bytes:
    return hashlib.sha256(path_of(item).encode("utf-8", "surrogatepass")).digest()
