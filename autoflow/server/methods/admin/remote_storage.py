"""``remote-storage.*``: buckets of S3 connected to a team, which its apps list and read.

``AUTOFLOW_BUCKETS`` connects them, as ``<team id>=<bucket>``; the server reads them with its own credentials.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

from autoflow import settings
from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import teams
from autoflow.server.db.access import caller
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.operations import Batch, Download, Operation, OperationContext
from autoflow.server.request_parser import RequestParser, as_number

SCHEMES = ("s3", "minio")
LIMIT = 10_000  # entries of a list, the SDK's


class _Location(NamedTuple):
    """A path in a bucket that the caller may read."""

    scheme: str
    bucket: str
    path: str


@functools.lru_cache(maxsize=64)
def _open(bucket: str) -> Any:
    from autoflow.server.blobs.team_bucket import TeamBucket  # needs the extra `s3`

    return TeamBucket(bucket)


def _connected(context: OperationContext, request: RequestParser) -> list[str]:
    """Return the buckets of the team that a request names, or of all of the caller's."""
    team_id = as_number(request.fields.get("groupId"))
    with context.store.read() as conn:
        if team_id is not None:
            teams.get(conn, team_table, "team", team_id)
        own = caller(conn).teams
    allowed = {team_id} if team_id is not None else own
    buckets = (name for team, name in settings.buckets() if allowed is None or team in allowed)
    return list(dict.fromkeys(buckets))


def _locate(context: OperationContext, request: RequestParser, member: str = "path") -> _Location:
    """Return the location that a request names.

    Raises:
        Invalid: the path is no ``s3://bucket/path``.
        NotFound: the bucket is not connected to the team.
    """
    sent = request.text(member, max_length=limits.NAME)
    scheme, separator, rest = sent.partition("://")
    bucket, _, path = rest.partition("/")
    if not separator or scheme not in SCHEMES or not bucket:
        raise Invalid(f"{sent!r} is no path of a bucket: it must be s3://bucket/path")
    if bucket not in _connected(context, request):
        raise NotFound("bucket", bucket, f"bucket {bucket!r} is not connected to this team by AUTOFLOW_BUCKETS")
    return _Location(scheme, bucket, path)


def _flag(request: RequestParser, name: str) -> bool:
    """Return a boolean that is true by default; the SDK sends these requests by GET, where it is a text."""
    return str(request.fields.get(name, True)).lower() not in {"false", "0"}


def list_files(context: OperationContext, request: RequestParser) -> list[JsonObject]:
    """``remote-storage.list`` of a folder, which has a slash at its end, or of one object, by path.

    ``startAfter`` is the path of the last entry of the page before.
    """
    location = _locate(context, request)
    bucket = _open(location.bucket)
    wanted = {True: _flag(request, "files"), False: _flag(request, "folders")}
    if location.path and not location.path.endswith("/"):
        size = bucket.size(location.path)
        return [] if size is None else [_entry(location.path, size)]
    listing = bucket.list if _flag(request, "recursive") else bucket.list_direct
    after = str(request.fields.get("startAfter") or "").lstrip("/")
    entries = (entry for entry in listing(location.path, after) if wanted[entry.size is not None])
    limit = min(as_number(request.fields.get("limit")) or LIMIT, LIMIT)
    return [_entry(entry.path, entry.size) for entry in itertools.islice(entries, max(limit, 0))]


def _entry(path: str, size: int | None) -> JsonObject:
    prefix, _, name = path.rpartition("/")
    return {"type": "file" if size is not None else "folder", "prefix": prefix, "name": name, "size": size or 0}


def exists(context: OperationContext, request: RequestParser) -> JsonObject:
    """``remote-storage.exists``: whether there is an object at a path, or a folder; false without its bucket."""
    try:
        location = _locate(context, request)
    except NotFound as error:
        if error.details["type"] != "bucket":
            raise
        return {"exists": False}
    bucket = _open(location.bucket)
    path = location.path.rstrip("/")
    is_file = bool(path) and bucket.size(path) is not None
    return {"exists": is_file or next(bucket.list(path + "/" if path else ""), None) is not None}


def stat(context: OperationContext, request: RequestParser) -> JsonObject:
    """``remote-storage.stat``: the size of an object.

    Raises:
        NotFound: there is none.
    """
    location = _locate(context, request)
    size = _open(location.bucket).size(location.path)
    if size is None:
        raise NotFound("remote file", location.path)
    return {**_entry(location.path, size), "path": f"{location.scheme}://{location.bucket}/{location.path}"}


def list_providers(context: OperationContext, request: RequestParser) -> list[JsonObject]:
    """``remote-storage.supported_providers`` and ``remote-storage.available_providers``: S3, with the buckets."""
    buckets = _connected(context, request)
    protocols = [f"{scheme}:" for scheme in SCHEMES]
    provider = {"id": "s3", "name": "Amazon S3", "defaultProtocol": "s3:", "protocols": protocols, "buckets": buckets}
    return [provider] if buckets else []


def download(context: OperationContext, request: RequestParser) -> CompositeContent:
    """``remote-storage.download`` of an object by its ``link``."""
    location = _locate(context, request, "link")
    bucket = _open(location.bucket)
    size = bucket.size(location.path)
    if size is None:
        raise NotFound("remote file", location.path)
    from autoflow.server.blobs.team_bucket import BucketContent  # needs the extra `s3`

    return BucketContent(bucket, location.path, size)


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {}
QUERIES: Mapping[str, Batch] = {
    "remote-storage.supported_providers": list_providers,
    "remote-storage.available_providers": list_providers,
    "remote-storage.list": list_files,
    "remote-storage.exists": exists,
    "remote-storage.stat": stat,
}
DOWNLOADS: Mapping[str, Download] = {"remote-storage.download": download}
