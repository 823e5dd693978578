"""The server as one object: the methods of the wire by name, over one store and one blob store.

The embedded transport and the HTTP routes call the same object. An operation runs in one transaction: it succeeds as a
whole, or it changes nothing and raises `ServerRefused` (it will fail again) or `ServerBusy` (it may succeed later). A
batch uses several transactions, each of which does so.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from autoflow.errors import ServerBusy, ServerRefused
from autoflow.process.os_user import user_at_host
from autoflow.server import limits
from autoflow.server.authorization import Tokens, for_writing
from autoflow.server.blobs import BlobStore, Content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import unsupported_methods
from autoflow.server.db.access import LOCAL, Caller
from autoflow.server.db.engine import Store
from autoflow.server.db.upload_leases import UploadLeases
from autoflow.server.errors import Invalid, UnknownMethod
from autoflow.server.location import locate
from autoflow.server.maintenance.blob_usage import Scope
from autoflow.server.maintenance.erasure import job as erasure_job
from autoflow.server.maintenance.erasure import retention
from autoflow.server.maintenance.integrity_check import IntegrityCheck
from autoflow.server.methods import pages, write_scopes
from autoflow.server.methods.admin import (
    activity,
    agents,
    app_commands,
    apps,
    audit,
    ecosystem,
    erase,
    instance,
    members,
    membership,
    remote_storage,
    reports,
    reproduction_tokens,
    search,
    store_transfers,
    task_data,
    task_log,
    tasks,
    upkeep,
    webhooks,
)
from autoflow.server.methods.annotated import file_descriptions, objects
from autoflow.server.methods.files import files, task_files
from autoflow.server.methods.images import (
    figure_edits,
    figures,
    file_ranges,
    geometries,
    images,
    labels,
    previews,
    tags,
)
from autoflow.server.methods.labeling import issues, jobs, queues, reviews
from autoflow.server.methods.lineage import (
    edges,
    file_history,
    graph,
    graph_view,
    impact,
    models,
    records,
    run_comparison,
    run_search,
    trace,
)
from autoflow.server.methods.point_clouds import point_clouds, related_images
from autoflow.server.methods.projects import classes, clones, collections, datasets, projects, stats
from autoflow.server.methods.versions import (
    class_counts,
    diff,
    folder_contents,
    folders,
    restore,
    snapshots,
    tables,
    transfers,
    versions,
)
from autoflow.server.methods.videos import videos
from autoflow.server.methods.volumes import volumes
from autoflow.server.operations import Batch, Download, Operation, OperationContext, Upload
from autoflow.server.readiness import Health, Readiness
from autoflow.server.reproduction_requests import ReproductionRequests
from autoflow.server.request_parser import RequestParser
from autoflow.wire.parts import Part

_FAMILIES = (
    instance,
    projects,
    clones,
    stats,
    datasets,
    images,
    labels,
    figures,
    figure_edits,
    geometries,
    classes,
    tags,
    collections,
    objects,
    videos,
    point_clouds,
    related_images,
    volumes,
    files,
    task_files,
    folders,
    tasks,
    task_log,
    task_data,
    apps,
    ecosystem,
    agents,
    remote_storage,
    activity,
    membership,
    jobs,
    reviews,
    queues,
    issues,
    reports,
    versions,
    snapshots,
    diff,
    class_counts,
    restore,
    transfers,
    store_transfers,
    edges,
    records,
    reproduction_tokens,
    members,
    audit,
    webhooks,
    graph,
    graph_view,
    trace,
    impact,
    models,
    run_search,
    run_comparison,
    file_history,
    pages,
    search,
    upkeep,
    erase,
)

READS: dict[str, Operation] = {name: run for family in _FAMILIES for name, run in family.READS.items()}
WRITES: dict[str, Operation] = {name: run for family in _FAMILIES for name, run in family.WRITES.items()}
BATCHES: dict[str, Batch] = {
    **edges.BATCHES,
    **records.BATCHES,
    **versions.BATCHES,
    **restore.BATCHES,
    **transfers.BATCHES,
    **clones.BATCHES,
    **images.BATCHES,
    **file_ranges.BATCHES,
    **videos.BATCHES,
    **point_clouds.BATCHES,
    **volumes.BATCHES,
    **file_descriptions.BATCHES,
    **upkeep.BATCHES,
    **app_commands.BATCHES,
    **erase.BATCHES,
    **folders.BATCHES,
    **folder_contents.BATCHES,
}
QUERIES: dict[str, Batch] = {**tables.QUERIES, **remote_storage.QUERIES}
UPLOADS: dict[str, Upload] = {
    **images.UPLOADS,
    **geometries.UPLOADS,
    **videos.UPLOADS,
    **point_clouds.UPLOADS,
    **volumes.UPLOADS,
    **files.UPLOADS,
    **task_files.UPLOADS,
    **folders.UPLOADS,
}
DOWNLOADS: dict[str, Download] = {
    **images.DOWNLOADS,
    **file_ranges.DOWNLOADS,
    **geometries.DOWNLOADS,
    **videos.DOWNLOADS,
    **point_clouds.DOWNLOADS,
    **related_images.DOWNLOADS,
    **volumes.DOWNLOADS,
    **files.DOWNLOADS,
    **agents.DOWNLOADS,
    **remote_storage.DOWNLOADS,
    **previews.DOWNLOADS,
    **pages.DOWNLOADS,
    **folder_contents.DOWNLOADS,
}
READING = READS.keys() | QUERIES.keys() | DOWNLOADS.keys()
METHODS = {*READING, *WRITES, *BATCHES, *UPLOADS}


@contextlib.contextmanager
def _translate_recursion() -> Iterator[None]:
    """Turn an operation's RecursionError into an error of the request.

    Raises:
        Invalid: a value is nested too deep for the interpreter.
    """
    try:
        yield
    except RecursionError:
        raise Invalid("a value in the request, or in the data it reads, is nested too deep") from None


def _permitted(method: str, caller: Caller) -> Caller:
    """Return the caller of a method with those teams alone in which they may call it.

    This is the only check of roles and scopes: a method is in `READING`, or it writes.

    Raises:
        Forbidden: the caller may call it in no team.
    """
    if method in READING or method not in METHODS:
        return caller
    reproduction_tokens.check_writable(method, caller)
    return for_writing(method, caller)


def _expected_body(method: str) -> str:
    return "a multipart form with files" if method in UPLOADS else "a JSON body"


class Server:
    """A server; safe to use from any thread, beside other processes on the same store."""

    def __init__(self, store: Store, blobs: BlobStore) -> None:
        self._store = store
        self._context = OperationContext(store, blobs, UploadLeases(store))
        self.tokens = Tokens(store)
        self.health = Health()
        self._readiness = Readiness(store, blobs)
        self._process_user: Caller | None = None

    @classmethod
    def open(
        cls,
        folder: str | os.PathLike[str],
        database: str | None = None,
        *,
        blobs: str | None = None,
        migrate: bool = False,
        notes: str | None = None,
        lazy: bool = False,
    ) -> Server:
        """Open the server of a folder, and create the folder if it is missing.

        Args:
            folder: holds the blobs, and the database unless `database` names another.
            database: the SQLAlchemy url of the database; by default a SQLite file in the folder.
            blobs: the url of the blob store, see `blobs.open_blob_store`; by default in the folder.
            migrate: whether a PostgreSQL database of an older autoflow is migrated, as a SQLite file always is.
            notes: a folder in which this machine remembers its stores, see `witnesses.MachineWitness`.
            lazy: whether the first call opens the database, and raises the errors of opening it.

        Raises:
            StoreUnavailable: the database is damaged, lost, or another store's.
            ServerBusy: the folder or the database cannot be used now.
            ValueError, ServerExtraMissing: the url is not supported, or its driver is not installed.
        """
        location = locate(folder, database, blobs, notes)
        store = Store(location.url, migrate=migrate, witnesses=location.witnesses, remedy=location.remedy, lazy=lazy)
        return cls(store, location.blobs)

    def ready(self) -> dict[str, Any]:
        """Return whether the store can be used, with the state of each part and of the last integrity check."""
        return self._readiness.report(self.health)

    def integrity_check(self) -> IntegrityCheck:
        """Return a check of the database and of the rows of all versions."""
        return IntegrityCheck(self._context, 1, Scope())

    def process_user(self) -> Caller:
        """Return the caller for the operating system's user of this process, who becomes a user of the store.

        While the store cannot be written, it is the local user under that name.
        """
        if self._process_user is None:
            login = user_at_host()
            try:
                user_id = self.tokens.ensure_local_user(login)
            except ServerBusy:
                return LOCAL._replace(login=login)
            self._process_user = LOCAL._replace(user=user_id, login=login)
        return self._process_user

    def complete_erasures(self, seconds: float) -> None:
        """Work for about some seconds on erasures that were interrupted.

        Raises:
            ServerBusy: something cannot be deleted now.
        """
        with self._store.read() as conn:
            pending = erasure_job.abandoned(conn)
        for erasure_id in pending:
            erasure_job.Erasure(self._store, self._context.blobs, erasure_id).work(seconds)

    def apply_retention(self, seconds: float) -> None:
        """Apply the rules of retention that were not applied for a day; see `retention.apply_daily`.

        Raises:
            ServerBusy: something cannot be removed now.
        """
        retention.apply_daily(self._store, self._context.blobs, seconds)

    def is_retention_due(self) -> bool:
        """Return whether a team has rules of retention that were not applied for a day."""
        return bool(retention.due_teams(self._store))

    @property
    def store(self) -> Store:
        """The database."""
        return self._store

    @property
    def database(self) -> str:
        """The database's url without its password."""
        return self._store.address

    def call(self, method: str, body: Mapping[str, Any] | Sequence[Any], caller: Caller = LOCAL) -> Any:
        """Answer a method with a JSON body.

        Args:
            method: its name on the wire.
            body: the decoded JSON.
            caller: the user; rows of other teams are invisible.

        Raises:
            ServerRefused: the request is wrong, see `server.errors`; nothing was changed.
            ServerBusy: the database or the storage cannot serve it now; nothing was changed.
        """
        if caller.view is not None:
            return self._reproduced(caller).call(method, body)
        request = RequestParser({"items": body} if isinstance(body, (list, tuple)) else body)
        limits.check_body(request.fields, writes=method not in READING)
        store = self._store.for_caller(_permitted(method, caller))
        with _translate_recursion():
            if method in READS:
                with store.read() as conn:
                    return READS[method](conn, request)
            if method in WRITES:
                with store.write(scope=write_scopes.resolver(method, request)) as conn:
                    return WRITES[method](conn, request)
            if method in BATCHES or method in QUERIES:
                operation = BATCHES.get(method) or QUERIES[method]
                return operation(self._context._replace(store=store), request)
        raise self._wrong_method(method, caller)

    def upload(
        self,
        method: str,
        parts: Iterable[Part],
        query: Mapping[str, str | int] | None = None,
        caller: Caller = LOCAL,
    ) -> Any:
        """Answer a multipart upload; the parts are read one after the other, each once.

        Raises:
            ServerRefused, ServerBusy: as `call`.
        """
        if method not in UPLOADS:
            raise self._wrong_method(method, caller)
        if caller.view is not None and method in files.UPLOADS:
            reproduced = self._reproduced(caller)
            parts, query = reproduced.upload(parts, query or {})
            return reproduced.shown(method, self.upload(method, parts, query, caller._replace(view=None)))
        context = self._context_for(_permitted(method, caller))
        with _translate_recursion():
            return UPLOADS[method](context, parts, query or {})

    def download(self, method: str, body: Mapping[str, Any], caller: Caller = LOCAL) -> Iterator[bytes]:
        """Answer with bytes, in chunks; errors of the request are raised here, not at the first chunk.

        Raises:
            ServerRefused, ServerBusy: as `call`.
        """
        return iter(self.content(method, body, caller))

    def content(self, method: str, body: Mapping[str, Any], caller: Caller = LOCAL) -> Content | CompositeContent:
        """Return a download with its name, type and size, and access to any range of its bytes.

        Raises:
            ServerRefused, ServerBusy: as `call`.
        """
        if method not in DOWNLOADS:
            raise self._wrong_method(method, caller)
        if caller.view is not None:
            body, caller = self._reproduced(caller).content(method, body), caller._replace(view=None)
        request = RequestParser(body)
        limits.check_body(request.fields)
        with _translate_recursion():
            return DOWNLOADS[method](self._context_for(caller), request)

    def _reproduced(self, caller: Caller) -> ReproductionRequests:
        """Return the requests of a caller who sees the recorded data of a reproduction."""
        assert caller.view is not None
        plain = caller._replace(view=None)
        return ReproductionRequests(caller.view, lambda method, body: self.call(method, body, plain))

    def _context_for(self, caller: Caller) -> OperationContext:
        return self._context._replace(store=self._store.for_caller(caller))

    def _wrong_method(self, method: str, caller: Caller) -> ServerRefused:
        """Return the error for a method that is called in the wrong way, or unsupported; count unsupported ones."""
        if method in METHODS:
            return Invalid(f"{method} takes {_expected_body(method)}")
        with self._store.write(caller, count_change=False) as conn:
            unsupported_methods.count(conn, method)
        return UnknownMethod(method)

    def close(self) -> None:
        """Close the database's connections; a later call opens new ones."""
        self._store.close()
