"""Synchronisation of a project with a folder: only differences are transferred, and the project then equals the folder.

The cache stores what was uploaded, with the server's etag of each item. If the project's digest is the one of the last
import, nobody has changed it, and files are compared with the cache alone. Otherwise the project's items are listed and
compared one by one. A killed import, a lost cache and an edited project are therefore the same case: the next import
makes the project equal to the folder.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from autoflow.api.pagination import batches, list_pages
from autoflow.datasets.cache_store import Cache
from autoflow.datasets.formats import project_type_of
from autoflow.datasets.formats.base import DatasetFormat, Listing
from autoflow.datasets.image_uploader import BadFile, ImageUploader, PendingImage
from autoflow.datasets.import_options import ImportOptions
from autoflow.datasets.tree import Tree, is_text
from autoflow.errors import FolderError
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire import methods
from autoflow.wire.contract import folders as contract
from autoflow.wire.contract.method import Method

Request = TypeVar("Request")
Changed = TypeVar("Changed", contract.FolderShapeResponse, contract.FolderDigests)

logger = logging.getLogger("autoflow")

MAX_ROUNDS = 3
MAX_REMOVED = 1000  # images of one request
MAX_DATASETS = 1000  # of one request
MAX_BAD = 100  # files that a message names


class _ProjectContent:
    """The content of a project on the server: ids of datasets by path, ids and etags of images by dataset and name."""

    def __init__(self, transport: Transport, project_id: int) -> None:
        datasets = list(list_pages(transport, methods.DATASET_LIST, {"projectId": project_id, "recursive": True}))
        by_id = {dataset["id"]: dataset for dataset in datasets}

        def path(dataset_id: int | None) -> tuple[str, ...]:
            if dataset_id is None:
                return ()
            return (*path(by_id[dataset_id]["parentId"]), by_id[dataset_id]["name"])

        self.datasets = {path(dataset_id): dataset_id for dataset_id in by_id}
        self.images: dict[tuple[int, str], tuple[int, str]] = {}
        after: int | None = 0
        while after is not None:
            page = call(
                transport, contract.FOLDER_ITEMS, contract.FolderItemsRequest(project_id=project_id, after=after)
            )
            self.images.update(
                {(dataset_id, name): (image_id, etag) for image_id, dataset_id, name, etag in page["items"]}
            )
            after = page["after"]


class FolderSync:
    """Makes one project equal to one folder.

    Args:
        transport: the server.
        project_id: the project.
        cache: the cache of the last import.
        tree: the folder.
        folder: the folder, read in its format.
        uploader: uploads its images.
        unchanged: whether the folder's fingerprint is that of the last import.
        options: how the folder is read.
    """

    def __init__(
        self,
        transport: Transport,
        project_id: int,
        cache: Cache,
        tree: Tree,
        folder: DatasetFormat,
        uploader: ImageUploader,
        *,
        unchanged: bool,
        options: ImportOptions,
    ) -> None:
        self._transport = transport
        self._project_id = project_id
        self._cache = cache
        self._tree = tree
        self._folder = folder
        self._uploader = uploader
        self._state = cache.state()
        self._context = self._state["context"] if unchanged else f"{folder.name} {folder.context()}"
        cached_context = (self._state.get("context"), self._state.get("mode"))
        self._mode = "reference" if options.by_reference else "copy"  # all is uploaded again when it changes
        self._upload_all = options.rehash or cached_context != (self._context, self._mode)
        self._meta_is_current = unchanged
        self._skip_bad = options.skip_bad
        self._progress = options.progress
        self._digest = ""
        self._changed_by_others = False
        self.changed = False

    def run(self, listing: Listing, **state: Any) -> None:
        """Make the project equal to the folder.

        Args:
            listing: the folder's images.
            state: further values to store in the cache afterwards.

        Raises:
            FolderError: a file is not valid, or other clients keep changing the project.
        """
        for _ in range(MAX_ROUNDS):
            datasets = self._run_once(listing)
            if not self._changed_by_others:
                state |= {"digest": self._digest, "context": self._context, "mode": self._mode, "datasets": datasets}
                if self.changed or any(self._state.get(name) != value for name, value in state.items()):
                    self._cache.update_state(**state)
                return
            self._state["digest"] = ""
        raise FolderError(f"other clients keep changing project {self._project_id}: try again when they have finished")

    def _run_once(self, listing: Listing) -> dict[str, int]:
        """Transfer all differences; return the ids of the datasets by path."""
        self._digest = call(
            self._transport, contract.FOLDER_STATE, contract.FolderStateRequest(project_id=self._project_id)
        )["digest"]
        self._changed_by_others = False
        content = None
        existing = {tuple(path.split("/")): dataset_id for path, dataset_id in self._state.get("datasets", {}).items()}
        if self._state.get("digest") != self._digest:
            content = _ProjectContent(self._transport, self._project_id)
            self._meta_is_current = False
            existing = dict(content.datasets)
        datasets = self._ensure_datasets(listing, existing)
        pending, removed, stale = self._differences(listing, datasets, content)
        extra = sorted((path for path in existing if "/".join(path) not in datasets), key=len)
        self._uploader.bad.clear()
        self._upload(pending, datasets, len(removed))
        for dataset, name, bad_id in self._bad():
            stale.setdefault(dataset, []).append(name)
            removed += [bad_id] if bad_id is not None else []
        self._remove(removed, [existing[path] for path in extra])
        for dataset, names in stale.items():
            self._cache.remove(dataset, names)
        self._upload_all = False  # a further round compares with what was uploaded in this one
        return datasets

    def _ensure_datasets(self, listing: Listing, existing: dict[tuple[str, ...], int]) -> dict[str, int]:
        """Create missing datasets and update the project's meta; return the ids of the folder's datasets by path."""
        paths = [tuple(path.split("/")) for path in listing]
        required = sorted({path[:depth] for path in paths for depth in range(1, len(path) + 1)})
        if self._meta_is_current and all(path in existing for path in required):
            return {"/".join(path): existing[path] for path in required}
        for path in required:
            if not is_text(path[-1]):
                raise FolderError(f"the name of the folder {'/'.join(path)!r} is not valid UTF-8: rename it")
        dataset_ids: list[int] = []
        for batch in batches(required, MAX_DATASETS) if required else [required]:
            request = contract.FolderShapeRequest(
                project_id=self._project_id, meta=self._folder.meta(), datasets=[list(path) for path in batch]
            )
            dataset_ids += self._change(contract.FOLDER_SHAPE, request)["datasets"]
        self._meta_is_current = True
        return {"/".join(path): dataset_id for path, dataset_id in zip(required, dataset_ids, strict=True)}

    def _differences(
        self, listing: Listing, datasets: dict[str, int], content: _ProjectContent | None
    ) -> tuple[list[PendingImage], list[int], dict[str, list[str]]]:
        """Return the images to upload, the ids of those to remove, and by dataset the names to drop from the cache."""
        pending: list[PendingImage] = []
        stale: dict[str, list[str]] = {}
        removed: list[int] = []
        unmatched = dict(content.images) if content is not None else {}
        for dataset in {**listing, **dict.fromkeys(self._cache.datasets())}:
            cached_images = self._cache.images(dataset)
            dataset_id = datasets.get(dataset, 0)
            for name, item in listing.get(dataset, {}).items():
                cached = cached_images.pop(name, None)
                actual = unmatched.pop((dataset_id, name), None) if content is not None else None
                if (
                    cached is None
                    or self._upload_all
                    or cached.image != self._tree.stamp(item.image)
                    or (item.stamp is not None and item.stamp != cached.labels)
                    or (item.stamp is None and not cached.labels)
                    or (content is not None and actual != (cached.id, cached.etag))
                ):
                    existing = cached.id if content is None and cached is not None else actual and actual[0]
                    pending.append(PendingImage(dataset, name, item, cached, existing))
            if cached_images:
                stale[dataset] = list(cached_images)
            if content is None:
                removed += [cached.id for cached in cached_images.values()]
        # in a project that others changed, ids of the cache are not used: an image may have got another one's name
        removed += [image_id for image_id, _ in unmatched.values()]
        return pending, removed, stale

    def _upload(self, pending: Sequence[PendingImage], datasets: dict[str, int], to_remove: int) -> None:
        done = 0
        total = len(pending) + to_remove
        self._report(done, total)
        for batch in self._uploader.stored_batches(iter(pending)):
            dataset = batch.images[0].pending.dataset
            self._invalidate_state()
            response, cached = self._uploader.put(datasets[dataset], batch)
            if response is not None:
                self._track_digest(response)
                self._cache.store(dataset, cached)
            done += len(batch.images)
            self._report(done, total)

    def _bad(self) -> Iterator[tuple[str, str, int | None]]:
        """Yield dataset, name and id of the files that could not be imported, and are left out.

        Raises:
            FolderError: naming them, unless they are to be skipped.
        """
        bad = self._uploader.bad
        if bad and not self._skip_bad:
            raise FolderError(_bad_files(bad))
        for file in bad:
            logger.warning("%s: left out, as it cannot be imported: %s", self._tree.root, file.reason)
            yield file.pending.dataset, file.pending.name, file.pending.existing

    def _remove(self, image_ids: Sequence[int], dataset_ids: Sequence[int]) -> None:
        requests: list[tuple[Sequence[int], Sequence[int]]] = [(batch, ()) for batch in batches(image_ids, MAX_REMOVED)]
        requests += [((), batch) for batch in batches(dataset_ids, MAX_DATASETS)]
        for images, datasets in requests:
            request = contract.FolderRemoveRequest(
                project_id=self._project_id, images=list(images), datasets=list(datasets)
            )
            self._change(contract.FOLDER_REMOVE, request)

    def _change(self, method: Method[Request, Changed], request: Request) -> Changed:
        self._invalidate_state()
        response = call(self._transport, method, request)
        self._track_digest(response)
        return response

    def _invalidate_state(self) -> None:
        """Before the first change, clear the stored digest, so that an interrupted import is detected."""
        if self.changed:
            return
        current = {"context": self._context, "mode": self._mode}
        outdated = {name: "" for name, value in current.items() if self._state.get(name) != value}
        self._cache.update_state(digest="", fingerprint=None, **outdated)
        self.changed = True

    def _track_digest(
        self, response: contract.FolderShapeResponse | contract.FolderDigests | contract.FolderPutResponse
    ) -> None:
        """Detect changes by other clients: the digest before ours must be the one after our last change."""
        self._changed_by_others = self._changed_by_others or response["before"] != self._digest
        self._digest = response["after"]

    def _report(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(project_type_of(self._folder), done, total)


def _bad_files(bad: Sequence[BadFile]) -> str:
    """Return the message about files that cannot be imported; one alone needs no heading."""
    if len(bad) == 1:
        return bad[0].reason
    reasons = [f"  {file.reason}" for file in bad[:MAX_BAD]]
    more = [f"  and {len(bad) - MAX_BAD:,} more"] if len(bad) > MAX_BAD else []
    heading = f"{len(bad):,} files cannot be imported; --skip-bad (skip_bad=True) goes on without them:"
    return "\n".join([heading, *reasons, *more])
