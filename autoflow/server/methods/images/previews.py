"""Thumbnails of images, made on request.

Decoding is done by the bounded processes of `media.decoder`, one job for all requests of the same thumbnail. An image
that does not fit their bounds is remembered, so that it is not tried again and again.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from concurrent import futures
from concurrent.futures import Future
from typing import BinaryIO, NamedTuple, cast

from sqlalchemy import RowMapping

from autoflow.errors import ServerBusy
from autoflow.process.forks import ProcessLock
from autoflow.process.lru_cache import LruCache
from autoflow.server.blobs import Content, FolderBlobStore, composite_content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import blobs, items
from autoflow.server.errors import Busy, NotFound, StorageFailed
from autoflow.server.media.decoder import Undecodable
from autoflow.server.media.thumbnails import ThumbnailSpec
from autoflow.server.operations import Download, OperationContext, by_name, implements_download
from autoflow.server.project_types import registry
from autoflow.server.project_types.base import ProjectType
from autoflow.wire.contract.admin import PREVIEWS, PreviewRequest

SIDE = 320  # pixels of the longer side
LONGEST = 2000  # pixels of a side, whatever is asked for
LARGEST = 256 * 1024 * 1024  # bytes of a file that is decoded
WAIT = 60.0  # seconds for a thumbnail that another request is having made
CACHED = 2000  # thumbnails a process remembers, of some ten kilobytes each
LARGEST_CACHED = 64 * 1024  # bytes of one that is remembered
REFUSED = 10_000  # images without a thumbnail that a process remembers


class _Key(NamedTuple):
    project_type: ProjectType
    hash: str
    spec: ThumbnailSpec


Made = tuple[str, bytes]


class Thumbnails:
    """The thumbnails of a process: those made, those being made, and the images of which none can be made."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._made: LruCache[_Key, Made] = LruCache(CACHED)
        self._refused: LruCache[tuple[ProjectType, str], str] = LruCache(REFUSED)
        self._pending: dict[tuple[int, _Key], Future[Made]] = {}  # by process: no thread works on after a fork

    def of(self, context: OperationContext, project_type: ProjectType, blob: RowMapping, spec: ThumbnailSpec) -> Made:
        """Return type and bytes of a blob's thumbnail.

        Raises:
            Undecodable: the blob is no image, or one that takes too much to decode.
            ServerBusy: the blob cannot be read, or no process is free to decode it.
        """
        key = _Key(project_type, blob["hash"], spec)
        pending_key = os.getpid(), key
        with self._lock:
            reason = self._refused.get(key[:2])
            if reason is not None:
                raise Undecodable(reason)
            made = self._made.get(key)
            if made is not None:
                return made
            pending = self._pending.get(pending_key)
            own: Future[Made] | None = None
            if pending is None:
                own = self._pending[pending_key] = Future()
        if own is None:
            return self._awaited(cast("Future[Made]", pending))
        try:
            made = self._make(context, blob, key)
        except BaseException as error:
            known = isinstance(error, (Undecodable, ServerBusy))
            own.set_exception(error if known else StorageFailed("the thumbnail could not be made"))
            raise
        else:
            own.set_result(made)
            return made
        finally:
            with self._lock:
                del self._pending[pending_key]

    def forget(self, hashes: Collection[str]) -> None:
        """Discard the thumbnails of contents that are erased."""
        with self._lock:
            self._made.discard(lambda key: key.hash in hashes)
            self._refused.discard(lambda key: key[1] in hashes)

    def _awaited(self, pending: Future[Made]) -> Made:
        try:
            return pending.result(WAIT)
        except futures.TimeoutError:  # the built-in one only since Python 3.11
            raise Busy("the thumbnail is still being made", retry_after=1) from None

    def _make(self, context: OperationContext, blob: RowMapping, key: _Key) -> Made:
        try:
            if blob["size"] > LARGEST:
                raise Undecodable(f"its file is larger than {LARGEST >> 20} MiB")
            with blob_file(context, blob) as file:
                made = key.project_type.preview(file, key.spec)
        except Undecodable as error:
            with self._lock:
                self._refused.put(key[:2], str(error))
            raise
        if len(made[1]) <= LARGEST_CACHED:
            with self._lock:
                self._made.put(key, made)
        return made


_thumbnails = Thumbnails()


def forget(hashes: Collection[str]) -> None:
    """Discard the thumbnails that this process remembers of contents that are erased."""
    _thumbnails.forget(hashes)


@contextlib.contextmanager
def blob_file(context: OperationContext, blob: RowMapping) -> Iterator[BinaryIO]:
    """A blob's bytes as a file with a descriptor: a temporary one unless the blobs are in a folder."""
    if isinstance(context.blobs, FolderBlobStore):
        try:
            file = open(context.blobs.path(blob["hash"], blob["generation"]), "rb", buffering=0)
        except OSError as error:
            raise StorageFailed(f"the server cannot read the file: {error}") from error
        with file:
            yield cast(BinaryIO, file)
        return
    with tempfile.TemporaryFile(prefix="autoflow-") as copy:
        for chunk in Content(context.blobs, blob["hash"], blob["generation"], blob["size"], "", None):
            copy.write(chunk)
        copy.flush()
        yield cast(BinaryIO, copy)


def _spec(request: PreviewRequest) -> ThumbnailSpec:
    """Return the thumbnail that a request names; by default the one that a grid shows."""
    sides = [request.width, request.height]
    width, height = (SIDE, SIDE) if sides == [None, None] else (min(side or 0, LONGEST) for side in sides)
    if not width and not height:  # only its type and quality are another
        width = height = LONGEST
    quality = 80 if request.quality is None else min(max(request.quality, 1), 100)
    return ThumbnailSpec(width, height, request.resize, quality, request.ext)


@implements_download(PREVIEWS)
def preview(context: OperationContext, request: PreviewRequest) -> CompositeContent:
    """``autoflow.previews`` of an image by ``id``: ``GET /storage/previews/<id>``, or as ``preview_url`` of the SDK has
    it, with ``width``, ``height``, ``resize``, ``quality`` and ``ext``.

    Raises:
        NotFound: there is no such image, or no thumbnail can be made of it.
        ServerBusy: 503, too many images are being decoded.
    """
    number, spec = request.id, _spec(request)
    with context.store.read() as conn:
        row = items.find(conn, [number])[number]
        project_type = registry.of_project(conn, row["project_id"])
        blob_row = blobs.find(conn, [row["hash"]]).get(row["hash"]) if row["hash"] is not None else None
    return _response(context, project_type, blob_row, spec, number)


def picture_of(
    context: OperationContext, project_type: ProjectType, blob_row: RowMapping | None, side: int, number: int
) -> CompositeContent:
    """Return a thumbnail of at most `side` pixels a side of a blob's row, which item `number` is made of.

    Raises:
        ServerRefused, ServerBusy: as `preview`.
    """
    return _response(context, project_type, blob_row, ThumbnailSpec(side, side), number)


def _response(
    context: OperationContext,
    project_type: ProjectType,
    blob_row: RowMapping | None,
    spec: ThumbnailSpec,
    number: int,
) -> CompositeContent:
    try:
        if blob_row is None:
            raise Undecodable("its bytes are not stored here")
        mime, data = _thumbnails.of(context, project_type, blob_row, spec)
    except Undecodable as error:
        message = f"there is no preview of {project_type.item} {number}: {error}"
        raise NotFound(f"preview of {project_type.item}", number, message) from None
    return composite_content.text_content(data, f"picture.{mime.rpartition('/')[2]}", mime)


DOWNLOADS: Mapping[str, Download] = by_name(preview)
