"""Content-addressed storage of files in a folder or a bucket: written once, never overwritten.

A file's name is ``ab/<sha256>.<generation>``. A generation is used once, so that deleting a file never deletes a newer
upload of the same bytes. It begins with the key of its writer's upload lease (`db.upload_leases`): a file that no row
names is garbage once that lease has ended.
"""

from __future__ import annotations

import os
from urllib.parse import unquote, urlsplit

from autoflow.server.blobs.content import CHUNK_BYTES, BlobFile, BlobStore, Content, ReceivedBlob
from autoflow.server.blobs.folder import FolderBlobStore

__all__ = ["CHUNK_BYTES", "BlobFile", "BlobStore", "Content", "FolderBlobStore", "ReceivedBlob", "open_blob_store"]

SCHEME = "s3"


def open_blob_store(url: str | os.PathLike[str]) -> BlobStore:
    """Open the blob store at a url: ``s3://bucket/prefix``, ``file:///folder``, or a folder's path.

    Raises:
        ValueError: the url is none of these.
        ServerExtraMissing: the url is of S3, and ``autoflow-lineage[s3]`` is not installed.
        ServerBusy: the bucket does not exist, or denies access.
    """
    address = os.fspath(url)
    if "://" not in address:
        return FolderBlobStore(os.path.abspath(address))
    parts = urlsplit(address)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return FolderBlobStore(os.path.abspath(unquote(parts.path)))
    if parts.scheme == SCHEME and parts.netloc and not (parts.query or parts.fragment or "@" in parts.netloc):
        from autoflow.server.blobs.bucket import BucketBlobStore

        return BucketBlobStore(parts.netloc, parts.path.strip("/"))
    raise ValueError(f"blobs are stored in a folder or at s3://bucket/prefix, not at {address!r}")
