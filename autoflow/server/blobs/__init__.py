"""Bytes by their sha256, in a folder or in a bucket: written once, never overwritten.

A file's name is ``ab/<sha256>.<generation>``: a generation is used once, so that whoever removes one file can never
meet a newer upload of the same bytes. It begins with the key of the session that wrote it (`store.sessions`), so that
a file which no row names can be told to be a living writer's or nobody's.
"""

from __future__ import annotations

import os
from urllib.parse import unquote, urlsplit

from autoflow.server.blobs.content import CHUNK_BYTES, BlobFile, BlobStore, Content, ReceivedBlob
from autoflow.server.blobs.folder import FolderBlobStore

__all__ = ["CHUNK_BYTES", "BlobFile", "BlobStore", "Content", "FolderBlobStore", "ReceivedBlob", "open_blob_store"]

SCHEME = "s3"


def open_blob_store(url: str | os.PathLike[str]) -> BlobStore:
    """The blobs at a url: ``s3://bucket/prefix``, ``file:///folder``, or a folder's path.

    Raises:
        ValueError: the url is none of these.
        ServerExtraMissing: S3 is asked for, and ``autoflow-lineage[s3]`` is not installed.
        ServerBusy: the bucket is not there, or does not let this machine in.
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
    raise ValueError(f"blobs are kept in a folder or at s3://bucket/prefix, not at {address!r}")
