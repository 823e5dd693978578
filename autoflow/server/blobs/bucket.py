"""Blobs in a bucket of S3, or of whatever speaks as it does, by obstore (``autoflow-lineage[s3]``).

Where and as whom is said by the usual variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, and
AWS_ENDPOINT_URL for what is not Amazon's; an endpoint without TLS has to be given as ``http://``. Small files go up in
one conditional request each, several at a time; large ones by way of a temporary file, in parts: a name holds the hash
of the whole, and a bucket renames nothing.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any, BinaryIO

from autoflow.distribution import install
from autoflow.errors import ServerBusy, ServerExtraMissing
from autoflow.process.forks import ProcessLock
from autoflow.server.blobs.content import (
    CHUNK_BYTES,
    MARK,
    QUARANTINE,
    TRASH,
    BlobFile,
    Probe,
    ReceivedBlob,
    blob_path,
    hash_from_name,
)
from autoflow.server.errors import Busy, StorageFailed, StorageFull

try:
    import obstore
    from obstore import exceptions as failures
    from obstore.store import S3Store
except ImportError as missing:
    raise ServerExtraMissing(f"blobs in S3 need more: {install('s3')} ({missing})") from missing

PART_BYTES = 8 * CHUNK_BYTES  # what is larger goes up in parts of this size
PARTS_AT_ONCE = 4  # of one file, at a time
UPLOADS_AT_ONCE = 8  # small files on their way
REQUEST_TIMEOUT = 30  # seconds for a request that fails, tries included
MAX_RETRIES = 4
_LOCAL = "http://"


class BucketBlobStore:
    """The blobs in a bucket, below a prefix.

    Raises:
        ServerBusy: the bucket is not there, or lets nobody in with these credentials.
    """

    def __init__(self, bucket: str, prefix: str) -> None:
        self._url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._under = f"{prefix}/" if prefix else ""
        endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT") or ""
        with self._failing("open", Busy):
            self._store = S3Store(
                bucket,
                client_options={
                    "allow_http": endpoint.startswith(_LOCAL),
                    "timeout": "1 day",  # of a whole file: silence ends sooner
                    "read_timeout": timedelta(seconds=REQUEST_TIMEOUT),
                },
                retry_config={"max_retries": MAX_RETRIES, "retry_timeout": timedelta(seconds=REQUEST_TIMEOUT)},
            )
            next(iter(obstore.list(self._store, prefix=self._under or None, chunk_size=1)), None)
        self._sending = _UploadPool()

    @property
    def address(self) -> str:
        """See `Blobs`."""
        return self._url

    def receive(self, stream: BinaryIO, generation: str, probe: Probe | None = None) -> ReceivedBlob:
        """See `Blobs`; a small file may still be on its way then, until it is settled."""
        digest = hashlib.sha256()
        head = _read(stream, digest.update, PART_BYTES)
        rest = stream.read(CHUNK_BYTES)
        if not rest:
            received = _received(digest.digest(), len(head), generation, probe, io.BytesIO(head))
            path = self._path(received.hash, generation)
            self._sending.begin(generation, lambda: self._put(path, head))
            return received
        with _spool() as file:
            size = 0
            for chunk in _chunks(head, rest, stream):
                if size >= len(head):
                    digest.update(chunk)
                size += len(chunk)
                with _disk():
                    file.write(chunk)
            file.seek(0)
            received = _received(digest.digest(), size, generation, probe, file)
            file.seek(0)
            with self._failing("keep", StorageFull):
                path = self._path(received.hash, generation)
                obstore.put(
                    self._store, path, file, use_multipart=True, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
                )
        return received

    def _put(self, path: str, content: bytes) -> None:
        # a try whose answer was lost finds itself: nobody else writes under this generation
        with contextlib.suppress(failures.AlreadyExistsError):
            obstore.put(self._store, path, content, mode="create")

    def sync(self, received: Sequence[ReceivedBlob]) -> None:
        """See `Blobs`; what a bucket has taken is durable."""
        for one in received:
            with self._failing("keep", StorageFull):
                self._sending.end(one.generation)

    def discard(self, received: ReceivedBlob) -> None:
        """See `Blobs`."""
        with contextlib.suppress(failures.BaseError, OSError, ServerBusy):
            self._sending.end(received.generation)
        with contextlib.suppress(failures.BaseError, OSError):
            obstore.delete(self._store, self._path(received.hash, received.generation))

    def read(self, content: str, generation: str, start: int, stop: int) -> Iterator[bytes]:
        """See `Blobs`."""
        if start >= stop:
            return
        with self._failing("read"):
            path = self._path(content, generation)
            try:
                found = obstore.get(self._store, path, options={"range": (start, stop)})
            except FileNotFoundError:
                if not self._bring_back(path):
                    raise
                found = obstore.get(self._store, path, options={"range": (start, stop)})
            for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

    def size(self, content: str, generation: str) -> int | None:
        """See `Blobs`."""
        with self._failing("look at"):
            path = self._path(content, generation)
            try:
                return int(obstore.head(self._store, path)["size"])
            except FileNotFoundError:
                return int(obstore.head(self._store, path)["size"]) if self._bring_back(path) else None

    def _bring_back(self, path: str) -> bool:
        """Move a file back that is in the trash; gives whether it was."""
        days = obstore.list_with_delimiter(self._store, prefix=self._under + TRASH)["common_prefixes"]
        for day in days:
            with contextlib.suppress(FileNotFoundError):
                trashed = f"{day.rstrip('/')}/{path.rpartition('/')[2]}"
                obstore.copy(self._store, trashed, path)
                obstore.delete(self._store, trashed)
                return True
        return False

    def trash(self, path: str, day: str) -> None:
        """See `Blobs`."""
        target = f"{self._under}{TRASH}{day}/{path.rpartition('/')[2]}"
        with self._failing("move"), contextlib.suppress(FileNotFoundError):
            obstore.copy(self._store, self._under + path, target)
            obstore.delete(self._store, self._under + path)

    def empty_trash(self, before: str, limit: int) -> int:
        """See `Blobs`."""
        trash = self._under + TRASH
        doomed: list[str] = []
        with self._failing("remove"):
            for page in obstore.list(self._store, prefix=trash):
                paths = [one["path"] for one in page]
                doomed += [path for path in paths if path[len(trash) :].partition("/")[0] < before]
                if len(doomed) >= limit or len(doomed) < len(paths):
                    break
            if doomed:
                obstore.delete(self._store, doomed[:limit])
        return len(doomed[:limit])

    def remove(self, path: str) -> None:
        """See `Blobs`."""
        with self._failing("remove"), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, self._under + path)

    def quarantine(self, content: str, generation: str) -> None:
        """See `Blobs`."""
        path = blob_path(content, generation)
        aside = self._under + QUARANTINE + path.partition("/")[2]
        with self._failing("move"), contextlib.suppress(FileNotFoundError):
            obstore.copy(self._store, self._under + path, aside)
            obstore.delete(self._store, self._under + path)

    def read_mark(self) -> bytes | None:
        """See `Blobs`."""
        with self._failing("read"):
            try:
                return bytes(obstore.get(self._store, self._under + MARK).bytes())
            except FileNotFoundError:
                return None

    def write_mark(self, mark: bytes) -> None:
        """See `Blobs`."""
        with self._failing("mark", StorageFull):
            obstore.put(self._store, self._under + MARK, mark)

    def files(self, after: str = "") -> Iterator[BlobFile]:
        """See `Blobs`."""
        offset = self._under + after if after else None
        with self._failing("list"):
            for page in obstore.list(self._store, prefix=self._under or None, offset=offset):
                for one in page:
                    path = one["path"][len(self._under) :]
                    content = hash_from_name(path.partition("/")[2])
                    if content is not None and not path.startswith(QUARANTINE):
                        yield BlobFile(path, content, path.partition(".")[2])

    def _path(self, content: str, generation: str) -> str:
        return self._under + blob_path(content, generation)

    @contextlib.contextmanager
    def _failing(self, what: str, kind: type[Busy | StorageFailed | StorageFull] = StorageFailed) -> Iterator[None]:
        """Say what a failure of the bucket means to who asked."""
        try:
            yield
        except (failures.BaseError, OSError) as error:
            raise kind(f"the server cannot {what} {self._url}: {_describe(error)}") from error


def _describe(error: Exception) -> str:
    """What a failure of obstore's comes from, in a line."""
    text = " ".join(str(error).split())
    for sign, words in _EXPLANATIONS:
        if sign in text:
            return f"{words} ({text[:200]})"
    return text[:400]


_EXPLANATIONS = (
    ("NoSuchBucket", "there is no such bucket; make it first"),
    ("InvalidAccessKeyId", "AWS_ACCESS_KEY_ID is not known there"),
    ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY is not the one of AWS_ACCESS_KEY_ID"),
    ("AccessDenied", "its owner does not allow that to these credentials"),
    ("169.254.169.254", "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ("URL scheme is not allowed", "an endpoint without TLS has to be given as http:// in AWS_ENDPOINT_URL"),
)


class _UploadPool:
    """Uploads that are on their way, by generation; as many as `UPLOADS_AT_ONCE`, in threads of this process."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._pool: ThreadPoolExecutor | None = None
        self._pid = 0
        self._room = threading.BoundedSemaphore(UPLOADS_AT_ONCE)
        self._under_way: dict[str, Future[Any]] = {}

    def begin(self, generation: str, send: Callable[[], object]) -> None:
        """Begin one, when there is room."""
        with self._lock:
            if self._pool is None or self._pid != os.getpid():
                self._pool = ThreadPoolExecutor(UPLOADS_AT_ONCE, "autoflow-blobs")
                self._room = threading.BoundedSemaphore(UPLOADS_AT_ONCE)
                self._pid = os.getpid()
            pool, room = self._pool, self._room
        room.acquire()
        future = pool.submit(send)
        future.add_done_callback(lambda _: room.release())
        self._under_way[generation] = future

    def end(self, generation: str) -> None:
        """Wait for one, and raise what it raised; one that is not under way is done."""
        future = self._under_way.pop(generation, None)
        if future is not None:
            future.result()


def _received(digest: bytes, size: int, generation: str, probe: Probe | None, file: BinaryIO) -> ReceivedBlob:
    return ReceivedBlob(base64.b64encode(digest).decode(), size, generation, probe(file) if probe is not None else None)


def _read(stream: BinaryIO, update: Callable[[bytes], object], most: int) -> bytes:
    """At most so many bytes of a stream."""
    chunks = []
    left = most
    while left and (chunk := stream.read(min(CHUNK_BYTES, left))):
        update(chunk)
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)


def _chunks(head: bytes, rest: bytes, stream: BinaryIO) -> Iterator[bytes]:
    yield head
    while rest:
        yield rest
        rest = stream.read(CHUNK_BYTES)


def _spool() -> Any:
    with _disk():
        return tempfile.TemporaryFile(prefix="autoflow-")


@contextlib.contextmanager
def _disk() -> Iterator[None]:
    """Around what needs room on this machine's own disk."""
    try:
        yield
    except OSError as error:
        raise StorageFull(f"the server cannot keep the file on its way: {error}") from error
