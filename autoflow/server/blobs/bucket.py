"""A blob store in a bucket of S3, or of a compatible service, by obstore (``autoflow-lineage[s3]``).

Configured by the usual variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, and AWS_ENDPOINT_URL for other
services than Amazon's, with ``http://`` for an endpoint without TLS. A small file is uploaded by one conditional
request, several at a time; a large one is written to a temporary file, then uploaded in parts: its name contains its
hash, which is known at the end, and a bucket cannot rename.
"""

from __future__ import annotations

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
from autoflow.server.blobs.bucket_versions import BucketVersions
from autoflow.server.blobs.content import (
    CHUNK_BYTES,
    MARK,
    QUARANTINE,
    TRASH,
    TRIAL,
    BlobFile,
    Probe,
    ReceivedBlob,
    blob_path,
    hash_from_name,
    is_erased,
)
from autoflow.server.errors import Busy, StorageFailed, StorageFull
from autoflow.wire.content_hash import Digest, encode_hash

try:
    import obstore
    from obstore import exceptions as failures
    from obstore.store import S3Store
except ImportError as missing:
    raise ServerExtraMissing(f"blobs in S3 need more: {install('s3')} ({missing})") from missing

PART_BYTES = 8 * CHUNK_BYTES  # larger files are uploaded in parts of this size
PARTS_AT_ONCE = 4  # of one file
UPLOADS_AT_ONCE = 8  # of small files
REQUEST_TIMEOUT = 30  # seconds for a request with its retries
MAX_RETRIES = 4
_WITHOUT_TLS = "http://"


def open_bucket(bucket: str) -> S3Store:
    """Return obstore's client of a bucket."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT") or ""
    return S3Store(
        bucket,
        client_options={
            "allow_http": endpoint.startswith(_WITHOUT_TLS),
            "timeout": "1 day",  # for a whole file; a transfer that stalls ends by `read_timeout`
            "read_timeout": timedelta(seconds=REQUEST_TIMEOUT),
        },
        retry_config={"max_retries": MAX_RETRIES, "retry_timeout": timedelta(seconds=REQUEST_TIMEOUT)},
    )


class BucketBlobStore:
    """A blob store in a bucket, below a prefix.

    Raises:
        ServerBusy: the bucket does not exist, or denies access to these credentials.
    """

    def __init__(self, bucket: str, prefix: str) -> None:
        self._url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        with self._translate_errors("open", Busy):
            self._store = open_bucket(bucket)
            next(iter(obstore.list(self._store, prefix=self._prefix or None, chunk_size=1)), None)
        self._uploads = _UploadPool()

    @property
    def address(self) -> str:
        """See `BlobStore`."""
        return self._url

    def receive(self, stream: BinaryIO, generation: str, probe: Probe | None = None) -> ReceivedBlob:
        """See `BlobStore`; the upload of a small file may still be in progress, until `sync`."""
        digest = hashlib.sha256()
        head = _read(stream, digest.update, PART_BYTES)
        rest = stream.read(CHUNK_BYTES)
        if not rest:
            received = _received(digest, len(head), generation, probe, io.BytesIO(head))
            path = self._path(received.hash, generation)
            self._uploads.submit(generation, lambda: self._put(path, head))
            return received
        with _spool() as file:
            size = 0
            for chunk in _chunks(head, rest, stream):
                if size >= len(head):
                    digest.update(chunk)
                size += len(chunk)
                with _translate_disk_errors():
                    file.write(chunk)
            file.seek(0)
            received = _received(digest, size, generation, probe, file)
            file.seek(0)
            with self._translate_errors("write to", StorageFull):
                path = self._path(received.hash, generation)
                obstore.put(
                    self._store, path, file, use_multipart=True, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
                )
        return received

    def _put(self, path: str, content: bytes) -> None:
        # a retry after a lost response conflicts with its own file: no other upload uses this generation
        with contextlib.suppress(failures.AlreadyExistsError):
            obstore.put(self._store, path, content, mode="create")

    def sync(self, received: Sequence[ReceivedBlob]) -> None:
        """See `BlobStore`; a completed upload is durable."""
        for blob in received:
            with self._translate_errors("write to", StorageFull):
                self._uploads.wait(blob.generation)

    def discard(self, received: ReceivedBlob) -> None:
        """See `BlobStore`."""
        with contextlib.suppress(failures.BaseError, OSError, ServerBusy):
            self._uploads.wait(received.generation)
        with contextlib.suppress(failures.BaseError, OSError):
            obstore.delete(self._store, self._path(received.hash, received.generation))

    def read(self, blob_hash: str, generation: str, start: int, stop: int) -> Iterator[bytes]:
        """See `BlobStore`."""
        if start >= stop:
            return
        with self._translate_errors("read"):
            path = self._path(blob_hash, generation)
            try:
                response = obstore.get(self._store, path, options={"range": (start, stop)})
            except FileNotFoundError:
                if not self._restore_from_trash(path):
                    raise
                response = obstore.get(self._store, path, options={"range": (start, stop)})
            for chunk in response.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

    def size(self, blob_hash: str, generation: str) -> int | None:
        """See `BlobStore`."""
        with self._translate_errors("read"):
            path = self._path(blob_hash, generation)
            try:
                return int(obstore.head(self._store, path)["size"])
            except FileNotFoundError:
                return int(obstore.head(self._store, path)["size"]) if self._restore_from_trash(path) else None

    def _restore_from_trash(self, path: str) -> bool:
        """Move a file back if it is in the trash; return whether it was."""
        days = obstore.list_with_delimiter(self._store, prefix=self._prefix + TRASH)["common_prefixes"]
        for day in days:
            with contextlib.suppress(FileNotFoundError):
                trashed = f"{day.rstrip('/')}/{path.rpartition('/')[2]}"
                obstore.copy(self._store, trashed, path)
                obstore.delete(self._store, trashed)
                return True
        return False

    def trash(self, path: str, day: str) -> None:
        """See `BlobStore`."""
        target = f"{self._prefix}{TRASH}{day}/{path.rpartition('/')[2]}"
        with self._translate_errors("move"), contextlib.suppress(FileNotFoundError):
            obstore.copy(self._store, self._prefix + path, target)
            obstore.delete(self._store, self._prefix + path)

    def empty_trash(self, before: str, limit: int) -> int:
        """See `BlobStore`."""
        trash = self._prefix + TRASH
        expired: list[str] = []
        with self._translate_errors("remove"):
            for page in obstore.list(self._store, prefix=trash):
                paths = [entry["path"] for entry in page]
                expired += [path for path in paths if path[len(trash) :].partition("/")[0] < before]
                if len(expired) >= limit or len(expired) < len(paths):
                    break
            if expired:
                obstore.delete(self._store, expired[:limit])
        return len(expired[:limit])

    def erase(self, blob_hash: str, keeps: Callable[[str], bool]) -> int:
        """See `BlobStore`; the older versions of objects need the permission to list and delete these."""
        name = blob_path(blob_hash, "").partition("/")[2]
        prefixes = [self._path(blob_hash, ""), self._prefix + QUARANTINE + name, self._prefix + TRASH]
        removed = 0
        with self._translate_errors("remove"):
            for prefix in prefixes:
                for page in obstore.list(self._store, prefix=prefix.rpartition("/")[0] + "/"):
                    paths = [entry["path"] for entry in page if is_erased(entry["path"], blob_hash, keeps)]
                    for path in paths:
                        with contextlib.suppress(FileNotFoundError):
                            obstore.delete(self._store, path)
                    removed += len(paths)
            versions = BucketVersions(self._bucket)
            for prefix in prefixes:
                for path, version in list(versions.list(prefix)):
                    if is_erased(path, blob_hash, keeps):
                        versions.delete(path, version)
        return removed

    def remove(self, path: str) -> None:
        """See `BlobStore`."""
        with self._translate_errors("remove"), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, self._prefix + path)

    def quarantine(self, blob_hash: str, generation: str) -> None:
        """See `BlobStore`."""
        path = blob_path(blob_hash, generation)
        aside = self._prefix + QUARANTINE + path.partition("/")[2]
        with self._translate_errors("move"), contextlib.suppress(FileNotFoundError):
            obstore.copy(self._store, self._prefix + path, aside)
            obstore.delete(self._store, self._prefix + path)

    def read_mark(self) -> bytes | None:
        """See `BlobStore`."""
        with self._translate_errors("read"):
            try:
                return bytes(obstore.get(self._store, self._prefix + MARK).bytes())
            except FileNotFoundError:
                return None

    def write_mark(self, mark: bytes) -> None:
        """See `BlobStore`."""
        with self._translate_errors("write to", StorageFull):
            obstore.put(self._store, self._prefix + MARK, mark)

    def check_writable(self) -> None:
        """See `BlobStore`; one object is overwritten, as deleting may not be permitted."""
        with self._translate_errors("write to", StorageFull):
            obstore.put(self._store, self._prefix + TRIAL, b"")

    def files(self, after: str = "") -> Iterator[BlobFile]:
        """See `BlobStore`."""
        offset = self._prefix + after if after else None
        with self._translate_errors("list"):
            for page in obstore.list(self._store, prefix=self._prefix or None, offset=offset):
                for entry in page:
                    path = entry["path"][len(self._prefix) :]
                    blob_hash = hash_from_name(path.partition("/")[2])
                    if blob_hash is not None and not path.startswith(QUARANTINE):
                        yield BlobFile(path, blob_hash, path.partition(".")[2])

    def _path(self, blob_hash: str, generation: str) -> str:
        return self._prefix + blob_path(blob_hash, generation)

    @contextlib.contextmanager
    def _translate_errors(
        self, action: str, error_type: type[Busy | StorageFailed | StorageFull] = StorageFailed
    ) -> Iterator[None]:
        """Raise obstore's errors as the server's, with their likely cause."""
        try:
            yield
        except (failures.BaseError, OSError) as error:
            raise error_type(f"the server cannot {action} {self._url}: {describe_error(error)}") from error


def describe_error(error: Exception) -> str:
    """Return the likely cause of an obstore error, on one line."""
    text = " ".join(str(error).split())
    for code, explanation in _EXPLANATIONS:
        if code in text:
            return f"{explanation} ({text[:200]})"
    return text[:400]


_EXPLANATIONS = (
    ("NoSuchBucket", "there is no such bucket; create it first"),
    ("InvalidAccessKeyId", "AWS_ACCESS_KEY_ID is unknown to this endpoint"),
    ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY does not match AWS_ACCESS_KEY_ID"),
    ("AccessDenied", "these credentials lack the permission"),
    ("169.254.169.254", "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ("URL scheme is not allowed", "to use an endpoint without TLS, set AWS_ENDPOINT_URL to an http:// address"),
)


class _UploadPool:
    """Uploads in progress, by generation: up to `UPLOADS_AT_ONCE`, in threads of this process."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._pool: ThreadPoolExecutor | None = None
        self._pid = 0
        self._slots = threading.BoundedSemaphore(UPLOADS_AT_ONCE)
        self._uploads: dict[str, Future[Any]] = {}

    def submit(self, generation: str, upload: Callable[[], object]) -> None:
        """Start an upload; wait while all slots are in use."""
        with self._lock:
            if self._pool is None or self._pid != os.getpid():
                self._pool = ThreadPoolExecutor(UPLOADS_AT_ONCE, "autoflow-blobs")
                self._slots = threading.BoundedSemaphore(UPLOADS_AT_ONCE)
                self._pid = os.getpid()
            pool, slots = self._pool, self._slots
        slots.acquire()
        future = pool.submit(upload)
        future.add_done_callback(lambda _: slots.release())
        self._uploads[generation] = future

    def wait(self, generation: str) -> None:
        """Wait for an upload and raise its error, if any; return at once if it is not in progress."""
        future = self._uploads.pop(generation, None)
        if future is not None:
            future.result()


def _received(digest: Digest, size: int, generation: str, probe: Probe | None, file: BinaryIO) -> ReceivedBlob:
    return ReceivedBlob(encode_hash(digest), size, generation, probe(file) if probe is not None else None)


def _read(stream: BinaryIO, update: Callable[[bytes], object], limit: int) -> bytes:
    """Read up to `limit` bytes of a stream, calling `update` with each chunk."""
    chunks = []
    remaining = limit
    while remaining and (chunk := stream.read(min(CHUNK_BYTES, remaining))):
        update(chunk)
        chunks.append(chunk)
        remaining -= len(chunk)
    return b"".join(chunks)


def _chunks(head: bytes, rest: bytes, stream: BinaryIO) -> Iterator[bytes]:
    yield head
    while rest:
        yield rest
        rest = stream.read(CHUNK_BYTES)


def _spool() -> Any:
    with _translate_disk_errors():
        return tempfile.TemporaryFile(prefix="autoflow-")


@contextlib.contextmanager
def _translate_disk_errors() -> Iterator[None]:
    """Raise errors of this machine's own disk as `StorageFull`."""
    try:
        yield
    except OSError as error:
        raise StorageFull(f"the server cannot write a temporary file for the upload: {error}") from error
