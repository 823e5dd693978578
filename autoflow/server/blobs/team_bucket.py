"""Buckets of S3 that the apps of a team read, by obstore (``autoflow-lineage[s3]``); nothing is written to them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.blobs.content import CHUNK_BYTES
from autoflow.server.errors import StorageFailed

try:
    import obstore
    from obstore import exceptions as failures

    from autoflow.server.blobs.bucket import describe_error, open_bucket
except ImportError as missing:
    raise ServerExtraMissing(f"buckets of S3 need more: {install('s3')} ({missing})") from missing


class BucketEntry(NamedTuple):
    """An object, or a folder: a common prefix of objects.

    Args:
        path: in the bucket, without a slash at its end.
        size: in bytes, None for a folder.
    """

    path: str
    size: int | None


class TeamBucket:
    """A bucket, read with the server's own credentials.

    Args:
        name: its name.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        with self._translate_errors():
            self._store = open_bucket(name)

    def list(self, folder: str, after: str = "") -> Iterator[BucketEntry]:
        """Yield the objects of a folder (empty, or with a slash at its end) and its subfolders, by path.

        Args:
            folder: the path of the folder.
            after: the path of the last object that is left out.
        """
        with self._translate_errors():
            for page in obstore.list(self._store, prefix=folder or None, offset=after or None):
                for entry in page:
                    yield BucketEntry(entry["path"], entry["size"])

    def list_direct(self, folder: str, after: str = "") -> Iterator[BucketEntry]:
        """Yield the objects and folders directly in a folder, by path; see `list`."""
        with self._translate_errors():
            listed = obstore.list_with_delimiter(self._store, prefix=folder or None)
        entries = [BucketEntry(path.rstrip("/"), None) for path in listed["common_prefixes"]]
        entries += [BucketEntry(entry["path"], entry["size"]) for entry in listed["objects"]]
        yield from (entry for entry in sorted(entries) if entry.path > after)

    def size(self, path: str) -> int | None:
        """Return the size of an object in bytes, None if there is none."""
        with self._translate_errors():
            try:
                return int(obstore.head(self._store, path)["size"])
            except FileNotFoundError:
                return None

    def read(self, path: str, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes of an object from `start` to before `stop`, in chunks."""
        if start >= stop:
            return
        with self._translate_errors():
            response = obstore.get(self._store, path, options={"range": (start, stop)})
            for chunk in response.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

    @contextlib.contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise obstore's errors as `StorageFailed`."""
        try:
            yield
        except (failures.BaseError, OSError) as error:
            raise StorageFailed(f"the server cannot read s3://{self._name}: {describe_error(error)}") from error


class BucketContent(CompositeContent):
    """An object of a bucket as a response body."""

    def __init__(self, bucket: TeamBucket, path: str, size: int) -> None:
        super().__init__([], path.rpartition("/")[2], "application/octet-stream")
        self.size = size
        self._bucket = bucket
        self._path = path

    def iter_range(self, start: int, stop: int) -> Iterator[bytes]:
        """See `CompositeContent.iter_range`."""
        return self._bucket.read(self._path, start, stop)
