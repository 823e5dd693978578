"""Team files: ``file-storage.*``. Uploading to a path that is taken makes a new file; the old one keeps its number."""

from __future__ import annotations

import mimetypes
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from sqlalchemy import Connection, RowMapping

from autoflow.server.blobs import Content, ReceivedBlob, composite_content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import access, files, teams
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import Conflict, Invalid, NotFound
from autoflow.server.methods.versions import versions_json
from autoflow.server.operations import Download, Operation, OperationContext, Upload, by_name
from autoflow.server.paging import per_page
from autoflow.server.request_parser import RequestParser
from autoflow.server.uploads.upload_session import UploadSession, upload_session
from autoflow.server.versions import archives, reservations
from autoflow.wire import methods
from autoflow.wire.parts import Part

_ANY = "application/octet-stream"


def _shape(conn: Connection, row: RowMapping) -> dict[str, Any]:
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


def _folder(team_id: int, path: str) -> dict[str, Any]:
    name = posixpath.basename(path.rstrip("/"))
    return {"id": None, "teamId": team_id, "name": name, "path": path, "meta": {}, "isDir": True}


def _direct(conn: Connection, found: Iterable[RowMapping], team_id: int, folder: str) -> Iterator[dict[str, Any]]:
    """The files right in a folder, and each folder right in it once."""
    seen = set()
    for row in found:
        step, slash, _rest = row["path"][len(folder) :].partition("/")
        if not slash:
            yield _shape(conn, row)
        elif step not in seen:
            seen.add(step)
            yield _folder(team_id, f"{folder}{step}/")


def _team(conn: Connection, request: RequestParser) -> int:
    return int(teams.get(conn, team_table, "team", request.number("teamId"))["id"])


def list_files(conn: Connection, request: RequestParser) -> list[dict[str, Any]]:
    """``file-storage.list``: a path's own file, and what is in the folder of that name; without ``recursive`` only
    what is right in it, folders included. The SDK asks for a file with a slash after it, too.
    """
    team_id = _team(conn, request)
    path = files.normalize_path(request.text("path")).rstrip("/")
    if (project_id := archives.project_of_map(conn, team_id, path)) is not None:
        return (
            [versions_json.to_wire(conn, team_id, project_id, path)] if archives.versions_map(conn, project_id) else []
        )
    own = files.current(conn, team_id, path)
    folder = path + "/"
    found = files.list_folder(conn, team_id, folder)
    inside = [_shape(conn, row) for row in found]
    if not request.flag("recursive", default=True):
        inside = list(_direct(conn, found, team_id, folder))
    return ([_shape(conn, own)] if own is not None else []) + inside


def list_entries(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``file-storage.v2.list`` of a folder: ``{"entities", "continuationToken"}``, by path; each says its ``type``.

    ``files`` and ``folders`` say which are wanted; those deeper inside come with ``recursive``, files alone.
    """
    team_id = _team(conn, request)
    folder = files.normalize_path(request.text("path")).rstrip("/") + "/"
    after, limit = (
        request.text("continuationToken", ""),
        per_page(RequestParser({"per_page": request.optional_number("limit")})),
    )
    found = files.list_folder(conn, team_id, folder)
    deep = request.flag("recursive", default=True)
    entries = (_shape(conn, row) for row in found) if deep else _direct(conn, found, team_id, folder)
    wanted = {False: request.flag("files", default=True), True: request.flag("folders", default=True)}
    kept = [entry for entry in entries if wanted[entry["isDir"]] and entry["path"] > after]
    page = [{**entry, "type": "folder" if entry["isDir"] else "file"} for entry in kept[:limit]]
    return {"entities": page, "continuationToken": page[-1]["path"] if len(kept) > limit else None}


def file(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``file-storage.info`` by id."""
    return _shape(conn, files.get(conn, request.number("id")))


def _remove(conn: Connection, team_id: int, path: str) -> None:
    """Remove a file, or a folder with all that is in it; not what a version needs."""
    held = archives.find_version_of_file(conn, team_id, path)
    if held is not None:
        raise Conflict(f"{path} cannot be removed: version {held['id']} of project {held['project_id']} needs it")
    removed = 0 if path.endswith("/") else files.retire(conn, team_id, path)
    removed += files.retire_folder(conn, team_id, path.rstrip("/") + "/")
    if not removed:
        raise NotFound("file", path)


def remove(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``file-storage.remove`` by path."""
    _remove(conn, _team(conn, request), files.normalize_path(request.text("path")))
    return {"success": True}


def remove_many(conn: Connection, request: RequestParser) -> dict[str, Any]:
    """``file-storage.bulk.remove`` by paths; all of them or none."""
    team_id = _team(conn, request)
    paths = [files.normalize_path(RequestParser({"path": path}).text("path")) for path in request.array("paths")]
    for path in dict.fromkeys(paths):
        _remove(conn, team_id, path)
    return {"success": True}


def _uploads(parts: Iterable[Part]) -> Iterator[tuple[str, BinaryIO, str]]:
    """Path, content and type of each file; its name and folder are the fields before it, as the SDK sends them."""
    fields: dict[str, str] = {}
    for part in parts:
        if isinstance(part.value, str):
            fields[part.field] = part.value
            continue
        sent = RequestParser({"name": fields.get("name") or part.filename, "path": fields.get("path")})
        name = sent.text("name")
        if "/" in name or name in {".", ".."}:
            raise Invalid(f"{name!r} is no file's name")
        path = files.normalize_path(sent.text("path") + "/" + name)
        yield path, part.value, part.content_type or mimetypes.guess_type(name)[0] or _ANY
        fields = {}


def upload(context: OperationContext, parts: Iterable[Part], query: Mapping[str, Any]) -> list[dict[str, Any]]:
    """``file-storage.bulk.upload?teamId=``: all files or none, answered in the order sent.

    A map of versions is passed over, and an archive never takes another's place (`store.archives`).
    """
    with upload_session(context) as session:
        with context.store.read() as conn:
            team_id = _team(conn, RequestParser(query))
        received = [(path, session.receive(stream), mime) for path, stream, mime in _uploads(parts)]
        with session.transaction() as conn:
            return [_put(conn, session, team_id, *file) for file in received]


def upload_one(context: OperationContext, parts: Iterable[Part], query: Mapping[str, Any]) -> dict[str, Any]:
    """``file-storage.upload?teamId=``: one file, in a form; or the body itself, its ``path`` in the query."""
    told = upload(context, _one(parts, query), query)
    if not told:
        raise Invalid("there is no file in the form")
    return told[0]


def _one(parts: Iterable[Part], query: Mapping[str, Any]) -> Iterator[Part]:
    """The parts of a form with one file, whose place is known."""
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
) -> dict[str, Any]:
    """Make one uploaded file a path's current one."""
    place = archives.parse_archive_path(conn, team_id, path)
    if place is not None:
        project_id, name = place
        if name == archives.MAP:
            return versions_json.to_wire(conn, team_id, project_id, path)
        reservations.renew(conn, project_id)
        path = archives.unused_path(conn, team_id, path)
    session.register(conn, [(received, {})])
    return _shape(conn, files.get(conn, files.add(conn, team_id, path, received, mime)))


def download(context: OperationContext, request: RequestParser) -> Content | CompositeContent:
    """``file-storage.download`` of a team's path, or by ``id``: then also of a file that is current no more.

    A path with a slash after it is a folder's: a tar of all that is in it.
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


def _folder_content(context: OperationContext, folder: str, found: list[RowMapping]) -> CompositeContent:
    if not found:
        raise NotFound("folder", folder)
    top = posixpath.basename(folder.rstrip("/"))
    inside = ((posixpath.join(top, row["path"][len(folder) :]), _content(context, row)) for row in found)
    return composite_content.tar_content(inside, f"{top or 'files'}.tar")


READS: Mapping[str, Operation] = {
    methods.FILE_LIST: list_files,
    methods.FILE_INFO: file,
    "file-storage.v2.list": list_entries,
}
WRITES: Mapping[str, Operation] = {"file-storage.remove": remove, "file-storage.bulk.remove": remove_many}
UPLOADS: Mapping[str, Upload] = {"file-storage.bulk.upload": upload, "file-storage.upload": upload_one}
DOWNLOADS: Mapping[str, Download] = {"file-storage.download": download, **by_name(versions_json.download)}
