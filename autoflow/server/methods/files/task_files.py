"""Files that an agent or an app adds to a task: ``tasks.files.bulk.*``. They are team files in a folder of the task."""

from __future__ import annotations

import functools
import json
import mimetypes
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from sqlalchemy import Connection

from autoflow.server.blobs import ReceivedBlob
from autoflow.server.db import blobs, files, scopes, tasks
from autoflow.server.db.scopes import Scope
from autoflow.server.errors import Invalid
from autoflow.server.operations import Operation, OperationContext, Upload, UploadQuery
from autoflow.server.request_parser import RequestParser
from autoflow.server.uploads.upload_session import upload_session
from autoflow.wire.contract.method import Success
from autoflow.wire.parts import Part

FOLDER = "/task-files"
_FILE = "-file"  # ends the name of the field with a file's bytes; the field before it has its path and hash as JSON


def _path(task_id: int, name: str) -> str:
    return files.normalize_path(f"{FOLDER}/{task_id}/{name}").rstrip("/")


def _mime(path: str) -> str:
    return mimetypes.guess_type(path)[0] or "application/octet-stream"


def add_by_hash(conn: Connection, request: RequestParser) -> Success:
    """``tasks.files.bulk.add-by-hash``: files whose bytes are stored, by ``name`` and ``hash``.

    Raises:
        Invalid: the bytes of a file have not been uploaded.
    """
    task = tasks.get(conn, request.number("taskId"))
    tasks.check_author(conn, task["id"])
    entries = [(entry.text("hash"), entry.text("name")) for entry in request.objects("files")]
    blob_rows = blobs.acquire(conn, [blob_hash for blob_hash, _ in entries])
    for blob_hash, name in entries:
        if blob_hash not in blob_rows:
            raise Invalid(f'"hash": {blob_hash} of {name!r} has not been uploaded')
        row, path = blob_rows[blob_hash], _path(task["id"], name)
        files.add(conn, task["team_id"], path, ReceivedBlob(blob_hash, row["size"], row["generation"]), _mime(path))
    return {"success": True}


def _uploads(parts: Iterable[Part]) -> Iterator[tuple[RequestParser, BinaryIO]]:
    """Yield the description and the content of each file."""
    described: dict[str, str] = {}
    for part in parts:
        if isinstance(part.value, str):
            described[part.field + _FILE] = part.value
            continue
        try:
            description = json.loads(described.pop(part.field, "null"))
        except ValueError:
            description = None
        yield RequestParser(description, f"{part.field.removesuffix(_FILE)}."), part.value


def upload(context: OperationContext, parts: Iterable[Part], query: UploadQuery) -> Success:
    """``tasks.files.bulk.upload``: the files of a form; the task is that of ``x-task-id``, as the form names none.

    Raises:
        Invalid: a file does not have the hash that was sent with it.
    """
    number = RequestParser(query).number("taskId")
    with upload_session(context) as session:
        with context.store.read() as conn:
            task = tasks.get(conn, number)
            tasks.check_author(conn, task["id"])
        received = []
        for description, stream in _uploads(parts):
            path, expected = _path(task["id"], description.text("fullpath")), description.text("hash")
            file = session.receive(stream)
            if file.hash != expected:
                raise Invalid(f"{path} arrived with the hash {file.hash} instead of {expected}: upload it again")
            received.append((path, file))
        with session.transaction(functools.partial(_scopes, task["team_id"])) as conn:
            for path, file in received:
                session.register(conn, [(file, {})])
                files.add(conn, task["team_id"], path, file, _mime(path))
    return {"success": True}


def _scopes(team_id: int, _conn: Connection) -> set[Scope]:
    return {scopes.files(team_id)}


WRITES: Mapping[str, Operation] = {"tasks.files.bulk.add-by-hash": add_by_hash}
READS: Mapping[str, Operation] = {}
UPLOADS: Mapping[str, Upload] = {"tasks.files.bulk.upload": upload}
