"""Team files: ``file-storage.*``. Uploading to an existing path makes a new file; the old one keeps its number."""

from __future__ import annotations

import functools
import mimetypes
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server.blobs import Content, ReceivedBlob, composite_content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import access, audit, files, scopes, teams
from autoflow.server.db.schema import teams as team_table
from autoflow.server.db.scopes import Scope
from autoflow.server.errors import Conflict, Invalid, NotFound
from autoflow.server.lineage import model_protection
from autoflow.server.methods.versions import versions_json
from autoflow.server.operations import Download, Operation, OperationContext, Upload, UploadQuery, by_name
from autoflow.server.paging import per_page
from autoflow.server.request_parser import RequestParser
from autoflow.server.uploads.upload_session import UploadSession, upload_session
from autoflow.server.versions import archives, reservations
from autoflow.wire import methods
from autoflow.wire.contract.method import Success
from autoflow.wire.parts import Part

_ANY = "application/octet-stream"


def _shape(conn: Connection, row: RowMapping) -> JsonObject:
    return {
        "id": row["id"],
        "teamId": row["team_id"],
        "userId": row["user_id"],
        "name": row["name"],
        "hash": row["hash"],
        "path": row["path"],
        "storagePath": row["path"],
        "fullStorageUrl": access.absolute_url(conn, f"/storage/files/{row['id']}"),
        "meta": {"mime": row["mime"], "ext": posixpath.splitext(row["name"])[1][1:], "size": row["size"]},
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "isDir": False,
    }


def _folder(team_id: int, path: str) -> JsonObject:
    name = posixpath.basename(path.rstrip("/"))
    return {"id": None, "teamId": team_id, "name": name, "path": path, "meta": {}, "isDir": True}


def _direct(conn: Connection, file_rows: Iterable[RowMapping], team_id: int, folder: str) -> Iterator[JsonObject]:
    """Yield the files directly in a folder, and each of its direct subfolders once."""
    folders = set()
    for row in file_rows:
        step, slash, _rest = row["path"][len(folder) :].partition("/")
        if not slash:
            yield _shape(conn, row)
        elif step not in folders:
            folders.add(step)
            yield _folder(team_id, f"{folder}{step}/")


def _team(conn: Connection, request: RequestParser) -> int:
    return int(teams.get(conn, team_table, "team", request.number("teamId"))["id"])


def list_files(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``file-storage.list``: the file at a path, and the contents of the folder of that name; without ``recursive``
    only its direct entries, folders included. The SDK also asks for a file with a slash after it.
    """
    team_id = _team(conn, request)
    path = files.normalize_path(request.text("path")).rstrip("/")
    if (project_id := archives.project_of_map(conn, team_id, path)) is not None:
        return (
            [versions_json.to_wire(conn, team_id, project_id, path)] if archives.versions_map(conn, project_id) else []
        )
    own = files.current(conn, team_id, path)
    folder = path + "/"
    file_rows = files.list_folder(conn, team_id, folder)
    inside = [_shape(conn, row) for row in file_rows]
    if not request.flag("recursive", default=True):
        inside = list(_direct(conn, file_rows, team_id, folder))
    return ([_shape(conn, own)] if own is not None else []) + inside


def list_entries(conn: Connection, request: RequestParser) -> JsonObject:
    """``file-storage.v2.list`` of a folder: ``{"entities", "continuationToken"}``, by path; each says its ``type``.

    ``files`` and ``folders`` select entries; with ``recursive``, files of subfolders are listed instead of folders.
    """
    team_id = _team(conn, request)
    folder = files.normalize_path(request.text("path")).rstrip("/") + "/"
    after, limit = (
        request.text("continuationToken", ""),
        per_page(RequestParser({"per_page": request.optional_number("limit")})),
    )
    file_rows = files.list_folder(conn, team_id, folder)
    deep = request.flag("recursive", default=True)
    entries = (_shape(conn, row) for row in file_rows) if deep else _direct(conn, file_rows, team_id, folder)
    included = {False: request.flag("files", default=True), True: request.flag("folders", default=True)}
    matching = [entry for entry in entries if included[entry["isDir"]] and entry["path"] > after]
    page = [{**entry, "type": "folder" if entry["isDir"] else "file"} for entry in matching[:limit]]
    return {"entities": page, "continuationToken": page[-1]["path"] if len(matching) > limit else None}


def file(conn: Connection, request: RequestParser) -> JsonObject:
    """``file-storage.info`` by id."""
    return _shape(conn, files.get(conn, request.number("id")))


def _remove(conn: Connection, team_id: int, path: str) -> None:
    """Remove the file at a path or, if there is none, the folder of that name with its contents.

    Raises:
        Invalid: the path is the root, which is every file of the team.
        Conflict: a version, or a model's alias, needs it.
        NotFound: there is neither.
    """
    if path == "/":
        raise Invalid("the root folder cannot be removed: name a file, or a folder in it")
    version = archives.find_version_of_file(conn, team_id, path)
    if version is not None:
        raise Conflict(f"{path} cannot be removed: version {version['id']} of project {version['project_id']} needs it")
    file_ids = files.retire(conn, team_id, path) if not path.endswith("/") else []
    if file_ids:
        audit.record(conn, "file.delete", f"file:{file_ids[0]}", team_id=team_id, name=path)
    else:
        folder = path.rstrip("/") + "/"
        file_ids = files.retire_folder(conn, team_id, folder)
        audit.record(conn, "file.delete", folder, team_id=team_id, name=f"{len(file_ids):,} files")
    if not file_ids:
        raise NotFound("file", path)
    model_protection.check_files(conn, team_id, file_ids, path)


def remove(conn: Connection, request: RequestParser) -> Success:
    """``file-storage.remove`` by path."""
    _remove(conn, _team(conn, request), files.normalize_path(request.text("path")))
    return {"success": True}


def remove_many(conn: Connection, request: RequestParser) -> Success:
    """``file-storage.bulk.remove`` by paths; all of them or none."""
    team_id = _team(conn, request)
    paths = [files.normalize_path(RequestParser({"path": path}).text("path")) for path in request.array("paths")]
    for path in dict.fromkeys(paths):
        _remove(conn, team_id, path)
    return {"success": True}


def _uploads(parts: Iterable[Part]) -> Iterator[tuple[str, BinaryIO, str]]:
    """Yield path, content and type of each file; the SDK sends its name and folder as the fields before it."""
    fields: dict[str, str] = {}
    for part in parts:
        if isinstance(part.value, str):
            fields[part.field] = part.value
            continue
        fields_parser = RequestParser({"name": fields.get("name") or part.filename, "path": fields.get("path")})
        name = fields_parser.text("name")
        if "/" in name or name in {".", ".."}:
            raise Invalid(f"{name!r} is not a file name")
        path = files.normalize_path(fields_parser.text("path") + "/" + name)
        yield path, part.value, part.content_type or mimetypes.guess_type(name)[0] or _ANY
        fields = {}


def upload(context: OperationContext, parts: Iterable[Part], query: UploadQuery) -> list[JsonObject]:
    """``file-storage.bulk.upload?teamId=``: all files or none, answered in the order sent.

    A ``versions.json`` is ignored, and an archive never replaces another one (`versions.archives`).
    """
    with upload_session(context) as session:
        with context.store.read() as conn:
            team_id = _team(conn, RequestParser(query))
        received = [(path, session.receive(stream), mime) for path, stream, mime in _uploads(parts)]
        with session.transaction(functools.partial(_scopes, team_id, [path for path, _, _ in received])) as conn:
            return [_put(conn, session, team_id, *file) for file in received]


def _scopes(team_id: int, paths: Iterable[str], conn: Connection) -> set[Scope]:
    """Return the scopes of an upload: the team's files, and the projects whose reservations archives renew."""
    parsed = (archives.parse_archive_path(conn, team_id, path) for path in paths)
    return {scopes.files(team_id), *(scopes.project(archive[0]) for archive in parsed if archive is not None)}


def upload_one(context: OperationContext, parts: Iterable[Part], query: UploadQuery) -> JsonObject:
    """``file-storage.upload?teamId=``: one file, in a form; or the body itself, its ``path`` in the query."""
    uploaded = upload(context, _single_file_parts(parts, query), query)
    if not uploaded:
        raise Invalid("there is no file in the form")
    return uploaded[0]


def _single_file_parts(parts: Iterable[Part], query: UploadQuery) -> Iterator[Part]:
    """Yield the parts of a form with one file, preceded by its path if the query has it."""
    sent, count = RequestParser(query), 0
    if sent.has("path"):
        folder, _, name = sent.text("path").rpartition("/")
        yield from (Part("name", name), Part("path", folder + "/"))
    for part in parts:
        count += not isinstance(part.value, str)
        if count > 1:
            raise Invalid("there are two files in the form")
        yield part


def _put(
    conn: Connection, session: UploadSession, team_id: int, path: str, received: ReceivedBlob, mime: str
) -> JsonObject:
    """Make an uploaded file the current one of its path."""
    archive = archives.parse_archive_path(conn, team_id, path)
    if archive is not None:
        project_id, name = archive
        if name == archives.MAP:
            return versions_json.to_wire(conn, team_id, project_id, path)
        reservations.renew(conn, project_id)
        path = archives.unused_path(conn, team_id, path)
    session.register(conn, [(received, {})])
    return _shape(conn, files.get(conn, files.add(conn, team_id, path, received, mime)))


def download(context: OperationContext, request: RequestParser) -> Content | CompositeContent:
    """``file-storage.download`` of a team's path, or by ``id``, which also finds replaced files.

    A path that ends with a slash is a folder: a tar of its contents.
    """
    with context.store.read() as conn:
        if request.has("id"):
            row = files.get(conn, request.number("id"))
        else:
            team_id, path = _team(conn, request), files.normalize_path(request.text("path"))
            if (project_id := archives.project_of_map(conn, team_id, path)) is not None:
                return versions_json.content(conn, project_id)
            if path.endswith("/"):
                return _folder_content(context, path, files.list_folder(conn, team_id, path))
            current = files.current(conn, team_id, path)
            if current is None:
                raise NotFound("file", path)
            row = current
    return _content(context, row)


def _content(context: OperationContext, row: RowMapping) -> Content:
    return Content(context.blobs, row["hash"], row["generation"], row["size"], row["name"], row["mime"])


def _folder_content(context: OperationContext, folder: str, file_rows: list[RowMapping]) -> CompositeContent:
    if not file_rows:
        raise NotFound("folder", folder)
    top = posixpath.basename(folder.rstrip("/"))
    inside = ((posixpath.join(top, row["path"][len(folder) :]), _content(context, row)) for row in file_rows)
    return composite_content.tar_content(inside, f"{top or 'files'}.tar")


READS: Mapping[str, Operation] = {
    methods.FILE_LIST: list_files,
    methods.FILE_INFO: file,
    "file-storage.v2.list": list_entries,
}
WRITES: Mapping[str, Operation] = {"file-storage.remove": remove, "file-storage.bulk.remove": remove_many}
UPLOADS: Mapping[str, Upload] = {"file-storage.bulk.upload": upload, "file-storage.upload": upload_one}
DOWNLOADS: Mapping[str, Download] = {"file-storage.download": download, **by_name(versions_json.download)}
