"""Bytes by their sha256, in a folder or in a bucket: written once, never overwritten.

A file's name is ``ab/<sha256>.<generation>``: a generation is used once, so that whoever removes one file can never
meet a newer upload of the same bytes. It begins with the key of the session that wrote it (`store.sessions`), so that
a file which no row names can be told to be a living writer's or nobody's.
"""

from __future__ import annotations

import os
from urllib.parse import unquote, urlsplit

from autoflow.server.blobs.content import CHUNK, Blobs, Content, Found, Received
from autoflow.server.blobs.folder import Folder

__all__ = ["CHUNK", "Blobs", "Content", "Folder", "Found", "Received", "open_blobs"]

SCHEME = "s3"


def open_blobs(url: str | os.PathLike[str]) -> Blobs:
    """The blobs at a url: ``s3://bucket/prefix``, ``file:///folder``, or a folder's path.

    Raises:
        ValueError: the url is none of these.
        ServerExtraMissing: S3 is asked for, and ``autoflow-lineage[s3]`` is not installed.
        ServerBusy: the bucket is not there, or does not let this machine in.
    """
    address = os.fspath(url)
    if "://" not in address:
        return Folder(os.path.abspath(address))
    parts = urlsplit(address)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return Folder(os.path.abspath(unquote(parts.path)))
    if parts.scheme == SCHEME and parts.netloc and not (parts.query or parts.fragment or "@" in parts.netloc):
        from autoflow.server.blobs.bucket import Bucket

        return Bucket(parts.netloc, parts.path.strip("/"))
    raise ValueError(f"blobs are kept in a folder or at s3://bucket/prefix, not at {address!r}")
