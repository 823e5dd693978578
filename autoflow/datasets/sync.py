"""Bringing a project to the state of a folder, and only what differs.

What was put and by which mark the server knows it is kept in the cache. A project whose digest is the one it was left
with was changed by nobody; another is looked at whole, image by image. So a run that was killed, a cache that is lost
and a project that was edited all come to the same: the next run makes the project equal to the folder.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autoflow.api.models import ProjectInfo, project_info
from autoflow.api.pagination import batches, pages
from autoflow.datasets import formats, target
from autoflow.datasets.cache_store import Cache, Shelf, shelf
from autoflow.datasets.formats.base import Format, Listing
from autoflow.datasets.image_uploader import Filling, Todo
from autoflow.datasets.tree import Tree, is_text, walk
from autoflow.errors import FolderError, ServerError
from autoflow.transport.base import Transport
from autoflow.transport.embedded import ORIGIN as EMBEDDED
from autoflow.wire import methods

logger = logging.getLogger("autoflow")

ROUNDS = 3
REMOVED = 1000  # images of one request
DATASETS = 1000  # of one request
SHOWN = 5  # of what is left out, in a message

Progress = Callable[[str, int, int], Any]


class _Live:
    """What the project has: datasets by their paths, images by dataset and name, each with its number and mark."""

    def __init__(self, transport: Transport, project_id: int) -> None:
        told = list(pages(transport, methods.DATASET_LIST, {"projectId": project_id, "recursive": True}))
        by_number = {one["id"]: one for one in told}

        def path(number: int | None) -> tuple[str, ...]:
            if number is None:
                return ()
            return (*path(by_number[number]["parentId"]), by_number[number]["name"])

        self.datasets = {path(number): number for number in by_number}
        self.images: dict[tuple[int, str], tuple[int, str]] = {}
        after: int | None = 0
        while after is not None:
            page = transport.call(methods.FOLDER_ITEMS, {"projectId": project_id, "after": after})
            self.images.update({(dataset, name): (number, mark) for number, dataset, name, mark in page["items"]})
            after = page["after"]


class Sync:
    """One project and one folder.

    Args:
        transport: the server.
        project_id: the project.
        cache: what is known of both.
        tree: the folder.
        format: what it is read as.
        sealed: whether the files that tell the format are those of the last time.
        filling: the way of the images.
        mode: what else the whole depends on: another one than the last time's, and every image is put again.
        rehash: whether no stamp is believed.
        progress: is called with the word for what is counted, how many are done, and of how many.
    """

    def __init__(
        self,
        transport: Transport,
        project_id: int,
        cache: Cache,
        tree: Tree,
        format: Format,  # noqa: A002 - what it is
        filling: Filling,
        *,
        sealed: bool,
        mode: str,
        rehash: bool,
        progress: Progress | None,
    ) -> None:
        self._transport = transport
        self._project_id = project_id
        self._cache = cache
        self._tree = tree
        self._format = format
        self._filling = filling
        self._about = cache.about()
        self._context = self._about["context"] if sealed else f"{format.word} {format.context()}"
        self._again = rehash or (self._about.get("context"), self._about.get("mode")) != (self._context, mode)
        self._meta_is_known = sealed
        self._mode = mode
        self._progress = progress
        self._digest = ""
        self._disturbed = False
        self.changed = False

    def run(self, listing: Listing, **noted: Any) -> None:
        """Make the project equal to the folder.

        Args:
            listing: the folder's images.
            count_change: what is to be kept of the whole when that is done.

        Raises:
            FolderError: a file cannot be taken, or others change the project all the time.
        """
        for _ in range(ROUNDS):
            datasets = self._round(listing)
            if not self._disturbed:
                known = {"digest": self._digest, "context": self._context, "mode": self._mode, "datasets": datasets}
                if self.changed or any(self._about.get(name) != value for name, value in {**known, **noted}.items()):
                    self._cache.note(**known, **noted)
                return
            self._about["digest"] = ""
        raise FolderError(
            f"project {self._project_id} is being changed by others all the time: try again when they are done"
        )

    def _round(self, listing: Listing) -> dict[str, int]:
        """Do once what there is to do; gives the datasets by their paths."""
        self._digest = self._transport.call(methods.FOLDER_STATE, {"projectId": self._project_id})["digest"]
        self._disturbed = False
        live = None
        known = {tuple(path.split("/")): number for path, number in self._about.get("datasets", {}).items()}
        if self._about.get("digest") != self._digest:
            live = _Live(self._transport, self._project_id)
            self._meta_is_known = False
            known = dict(live.datasets)
        datasets = self._datasets(listing, known)
        todo, gone, stale = self._differences(listing, datasets, live)
        extra = sorted((path for path in known if "/".join(path) not in datasets), key=len)
        self._fill(todo, datasets, len(gone))
        self._remove(gone, [known[path] for path in extra])
        for dataset, names in stale.items():
            self._cache.drop(dataset, names)
        self._again = False  # in a further round what was put counts
        return datasets

    def _datasets(self, listing: Listing, known: dict[tuple[str, ...], int]) -> dict[str, int]:
        """The numbers of the folder's datasets, by their paths; those that are missing are made."""
        parts = [tuple(path.split("/")) for path in listing]
        wanted = sorted({path[:depth] for path in parts for depth in range(1, len(path) + 1)})
        if self._meta_is_known and all(path in known for path in wanted):
            return {"/".join(path): known[path] for path in wanted}
        for path in wanted:
            if not is_text(path[-1]):
                raise FolderError(f"the name of the folder {'/'.join(path)!r} is no text in UTF-8: rename it")
        numbers: list[int] = []
        for part in batches(wanted, DATASETS) if wanted else [wanted]:
            body = {
                "projectId": self._project_id,
                "meta": self._format.meta(),
                "datasets": [list(path) for path in part],
            }
            numbers += self._change(methods.FOLDER_SHAPE, body)["datasets"]
        self._meta_is_known = True
        return {"/".join(path): number for path, number in zip(wanted, numbers, strict=True)}

    def _differences(
        self, listing: Listing, datasets: dict[str, int], live: _Live | None
    ) -> tuple[list[Todo], list[int], dict[str, list[str]]]:
        """The images to put, the numbers of those to remove, and by dataset the names to forget."""
        todo: list[Todo] = []
        stale: dict[str, list[str]] = {}
        gone: list[int] = []
        left = dict(live.images) if live is not None else {}
        for dataset in {**listing, **dict.fromkeys(self._cache.datasets())}:
            rows = self._cache.dataset(dataset)
            number = datasets.get(dataset, 0)
            stamps = self._tree.stamp
            for name, item in listing.get(dataset, {}).items():
                row = rows.pop(name, None)
                there = left.pop((number, name), None) if live is not None else None
                if (
                    row is None
                    or self._again
                    or row.image != stamps(item.image)
                    or (item.stamp is not None and item.stamp != row.labels)
                    or (item.stamp is None and not row.labels)
                    or (live is not None and there != (row.id, row.mark))
                ):
                    todo.append(Todo(dataset, name, item, row))
            if rows:
                stale[dataset] = list(rows)
            if live is None:
                gone += [row.id for row in rows.values()]
        # of a project that others changed only what it has now counts: an image may have another's name by now
        gone += [number for number, _ in left.values()]
        return todo, gone, stale

    def _fill(self, todo: Sequence[Todo], datasets: dict[str, int], more: int) -> None:
        done = 0
        self._tell(done, len(todo) + more)
        for batch in self._filling.batches(iter(todo)):
            dataset = batch[0].todo.dataset
            self._begin()
            answer, rows = self._filling.put(datasets[dataset], batch)
            self._follow(answer)
            self._cache.keep(dataset, rows)
            done += len(batch)
            self._tell(done, len(todo) + more)

    def _remove(self, gone: Sequence[int], datasets: Sequence[int]) -> None:
        parts: list[tuple[Sequence[int], Sequence[int]]] = [(part, ()) for part in batches(gone, REMOVED)]
        for images, of in [*parts, *(((), part) for part in batches(datasets, DATASETS))]:
            body = {"projectId": self._project_id, "images": list(images), "datasets": list(of)}
            self._change(methods.FOLDER_REMOVE, body)

    def _change(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        self._begin()
        answer: dict[str, Any] = self._transport.call(method, body)
        self._follow(answer)
        return answer

    def _begin(self) -> None:
        """Before the first change: until all is done, what is known of the whole is nothing to go by."""
        if self.changed:
            return
        left = {"context": self._context, "mode": self._mode}
        stale = {name: "" for name, value in left.items() if self._about.get(name) != value}
        self._cache.note(digest="", seal=None, **stale)
        self.changed = True

    def _follow(self, answer: Any) -> None:
        self._disturbed = self._disturbed or answer["before"] != self._digest
        self._digest = answer["after"]

    def _tell(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress("images", done, total)


def from_folder(
    transport: Transport,
    path: str | os.PathLike[str],
    name: str | None = None,
    workspace_id: int | None = None,
    project_id: int | None = None,
    *,
    by_reference: bool = False,
    rehash: bool = False,
    follow_links: bool = False,
    progress: Progress | None = None,
) -> ProjectInfo:
    """Make a folder a project, or bring the project that it was made before to the state it has now.

    See `ProjectApi.from_folder`.
    """
    root = os.path.realpath(path)
    if not os.path.isdir(root):
        raise FolderError(f"{os.fspath(path)!r} is no folder")
    if by_reference and transport.origin != EMBEDDED:
        raise FolderError("by reference a folder becomes a project of the server on this machine only, not of a server")
    with contextlib.ExitStack() as stack:
        caches = stack.enter_context(shelf(transport.origin, root))
        found = target.find(transport, caches, name, workspace_id, project_id)
        tree = walk(root, follow=follow_links)
        _report(tree)
        cache = stack.enter_context(contextlib.closing(caches.open(found.id))) if found is not None else None
        known = cache.about() if cache is not None else {}
        seal = formats.seal(tree)
        sealed = known.get("format") if seal is not None and seal == known.get("seal") and not rehash else None
        folder = formats.read(tree, sealed)
        listing = folder.listing()
        if found is None:
            folder.meta()  # what cannot be read is told before anything is made
        project = found or target.create(transport, root, name, workspace_id)
        if cache is None:
            cache = stack.enter_context(contextlib.closing(caches.open(project.id)))
            cache.note(created=project.created_at, folder=os.fsencode(root).decode("utf-8", "replace"))
        sync = Sync(
            transport,
            project.id,
            cache,
            tree,
            folder,
            Filling(transport, tree, folder, by_reference=by_reference, rehash=rehash, follow=follow_links),
            sealed=sealed is not None,
            mode="reference" if by_reference else "copy",
            rehash=rehash,
            progress=progress,
        )
        with _whole(transport, caches, project.id, made=found is None, sync=sync):
            sync.run(listing, created=project.created_at, format=folder.word, seal=seal)
    return project_info(transport.call(methods.PROJECT_INFO, {"id": project.id})) if sync.changed else project


@contextlib.contextmanager
def _whole(transport: Transport, caches: Shelf, project_id: int, *, made: bool, sync: Sync) -> Iterator[None]:
    """Leave nothing half-done: a project made for the folder is removed again; of another it is said what it has."""
    try:
        yield
    except BaseException as error:
        if made:
            with contextlib.suppress(ServerError):
                transport.call("projects.archive", {"id": project_id})
                caches.remove(project_id)
            raise
        left = (
            f"project {project_id} is the folder's in part by now; its versions are whole, and making it from the "
            "folder again completes it"
        )
        if sync.changed and isinstance(error, FolderError):
            raise FolderError(f"{error} ({left})") from error
        if sync.changed:
            logger.warning("%s", left)
        raise


def _report(tree: Tree) -> None:
    """Say what of a folder is left out."""
    for paths, what in ((tree.links, "symbolic links, which are not followed"), (tree.odd, "no regular files")):
        if paths:
            shown = ", ".join(repr(path) for path in sorted(paths)[:SHOWN])
            more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
            logger.warning("%s: left out are %d %s: %s%s", tree.root, len(paths), what, shown, more)
