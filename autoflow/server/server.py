"""The server in one object: methods of the wire, by name, over one store and one folder of blobs.

The same object answers the embedded transport and the HTTP routes. An operation runs in one transaction (a batch of
records: each record in one): it is answered whole, or it has changed nothing and raises `ServerRefused` (never) or
`ServerBusy` (try again).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from autoflow.errors import ServerRefused
from autoflow.server import limits
from autoflow.server.authorization import Tokens
from autoflow.server.blobs import BlobStore, Content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import counters, unsupported_methods
from autoflow.server.db.access import LOCAL, Caller
from autoflow.server.db.engine import Store
from autoflow.server.db.sessions import UploadLeases
from autoflow.server.errors import Invalid, UnknownMethod
from autoflow.server.location import locate
from autoflow.server.maintenance.blob_usage import Scope
from autoflow.server.maintenance.integrity_check import IntegrityCheck
from autoflow.server.methods import pages
from autoflow.server.methods.admin import apps, instance, reproduction_tokens, search, tasks, upkeep
from autoflow.server.methods.files import files
from autoflow.server.methods.images import figure_edits, figures, geometries, images, labels, previews, tags
from autoflow.server.methods.labeling import jobs
from autoflow.server.methods.lineage import edges, file_history, graph, graph_view, records, trace
from autoflow.server.methods.projects import classes, clones, datasets, projects, stats
from autoflow.server.methods.versions import diff, folder_contents, folders, restore, snapshots, versions
from autoflow.server.operations import Batch, Download, Operation, OperationContext, Upload
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
    files,
    folders,
    tasks,
    apps,
    jobs,
    versions,
    snapshots,
    diff,
    restore,
    edges,
    records,
    reproduction_tokens,
    graph,
    graph_view,
    trace,
    file_history,
    pages,
    search,
    upkeep,
)

READS: dict[str, Operation] = {name: run for family in _FAMILIES for name, run in family.READS.items()}
WRITES: dict[str, Operation] = {name: run for family in _FAMILIES for name, run in family.WRITES.items()}
BATCHES: dict[str, Batch] = {
    **records.BATCHES,
    **versions.BATCHES,
    **restore.BATCHES,
    **clones.BATCHES,
    **images.BATCHES,
    **upkeep.BATCHES,
    **folders.BATCHES,
    **folder_contents.BATCHES,
}
UPLOADS: dict[str, Upload] = {**images.UPLOADS, **geometries.UPLOADS, **files.UPLOADS}
DOWNLOADS: dict[str, Download] = {
    **images.DOWNLOADS,
    **geometries.DOWNLOADS,
    **files.DOWNLOADS,
    **previews.DOWNLOADS,
    **pages.DOWNLOADS,
    **folder_contents.DOWNLOADS,
}
METHODS = {*READS, *WRITES, *BATCHES, *UPLOADS, *DOWNLOADS}


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """Around an operation: what is nested deeper than the interpreter can follow is the request's fault.

    Raises:
        Invalid: something is.
    """
    try:
        yield
    except RecursionError:
        raise Invalid("something in the request, or in what it is about, is nested too deep") from None


def _taken(method: str) -> str:
    return "a multipart form with files" if method in UPLOADS else "a JSON body"


class Health(NamedTuple):
    """What the last check of the database and of all versions found, and when; None while there was none."""

    checked_at: str | None = None
    problems: int = 0


class Server:
    """One server, as one process uses it; safe from any thread, and beside other processes on the same folder."""

    def __init__(self, store: Store, blobs: BlobStore) -> None:
        self._store = store
        self._place = OperationContext(store, blobs, UploadLeases(store))
        self.tokens = Tokens(store)
        self.health = Health()

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
        """Open the server kept in a folder, made when missing.

        Args:
            folder: where the blobs are, and the database unless `database` says otherwise.
            database: SQLAlchemy's url of the database; by default a SQLite file in the folder.
            blobs: where the bytes are, see `blobs.open_blob_store`; by default in the folder.
            migrate: whether a PostgreSQL database of an older autoflow is migrated, as a SQLite file always is.
            notes: a folder in which this machine keeps which stores it had, see `witnesses.MachineWitness`.
            lazy: whether the database is opened by the first call, which then raises what opening it raises.

        Raises:
            StoreUnavailable: the database is damaged, lost, or not the one that was here.
            ServerBusy: the folder or the database cannot be used now.
            ValueError, ServerExtraMissing: the url is none that is known here, or its driver is not installed.
        """
        place = locate(folder, database, blobs, notes)
        store = Store(place.url, migrate=migrate, witnesses=place.witnesses, remedy=place.remedy, lazy=lazy)
        return cls(store, place.blobs)

    def ready(self) -> dict[str, Any]:
        """Say that the store can be used, and what was found when it was last checked.

        Raises:
            StoreUnavailable, ServerBusy: it cannot be used.
        """
        with self._store.read() as conn:
            counters.value(conn, counters.CHANGE)
        return {"ready": True, **self.health._asdict()}

    def integrity_check(self) -> IntegrityCheck:
        """Return what checks the database and the rows of all versions."""
        return IntegrityCheck(self._place, 1, Scope())

    @property
    def store(self) -> Store:
        """Its database."""
        return self._store

    @property
    def database(self) -> str:
        """The database's url, as it may be shown: without a password."""
        return self._store.address

    def call(self, method: str, body: Mapping[str, Any] | Sequence[Any], caller: Caller = LOCAL) -> Any:
        """Answer a method with a JSON body.

        Args:
            method: its name on the wire.
            body: as sent.
            caller: who asks; what other teams have is not there for them.

        Raises:
            ServerRefused: 400, 404 or 409 with a message that says what was wrong; nothing was changed.
            NotAllowed: 403, the token is restricted to methods that this is none of.
            ServerBusy: the database does not take it now.
        """
        sent = RequestParser({"items": body} if isinstance(body, (list, tuple)) else body)
        limits.check_body(sent.fields, writes=method not in READS)
        store = self._store.for_caller(caller)
        if method in WRITES or method in BATCHES:
            reproduction_tokens.check_writable(method, caller)
        with _bounded():
            if method in READS:
                with store.read() as conn:
                    return READS[method](conn, sent)
            if method in WRITES:
                with store.write() as conn:
                    return WRITES[method](conn, sent)
            if method in BATCHES:
                return BATCHES[method](self._place._replace(store=store), sent)
        raise self._none(method, caller)

    def upload(
        self,
        method: str,
        parts: Iterable[Part],
        query: Mapping[str, str | int] | None = None,
        caller: Caller = LOCAL,
    ) -> Any:
        """Answer a multipart upload; parts are read one after the other, each once.

        Raises:
            ServerRefused, ServerBusy: as `call`.
        """
        if method not in UPLOADS:
            raise self._none(method, caller)
        reproduction_tokens.check_writable(method, caller)
        with _bounded():
            return UPLOADS[method](self._for(caller), parts, query or {})

    def download(self, method: str, body: Mapping[str, Any], caller: Caller = LOCAL) -> Iterator[bytes]:
        """Answer with bytes, in chunks; what is wrong with the request is raised here, not at the first chunk.

        Raises:
            ServerRefused, ServerBusy: as `call`.
        """
        return iter(self.content(method, body, caller))

    def content(self, method: str, body: Mapping[str, Any], caller: Caller = LOCAL) -> Content | CompositeContent:
        """As `download`, with what is known of the file, and any part of it.

        Raises:
            ServerRefused, ServerBusy: as `call`.
        """
        if method not in DOWNLOADS:
            raise self._none(method, caller)
        sent = RequestParser(body)
        limits.check_body(sent.fields)
        with _bounded():
            return DOWNLOADS[method](self._for(caller), sent)

    def _for(self, caller: Caller) -> OperationContext:
        return self._place._replace(store=self._store.for_caller(caller))

    def _none(self, method: str, caller: Caller) -> ServerRefused:
        """The refusal of a method that is not asked for this way, or not there; then it is counted."""
        if method in METHODS:
            return Invalid(f"{method} takes {_taken(method)}")
        with self._store.write(caller, count_change=False) as conn:
            unsupported_methods.count(conn, method)
        return UnknownMethod(method)

    def close(self) -> None:
        """Give the database's connections back; a later call opens new ones."""
        self._store.close()
