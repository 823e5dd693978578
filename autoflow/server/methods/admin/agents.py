"""``agents.*``: a folder of the server's machine, offered as the storage of an agent (``agent://<id>/path``).

``AUTOFLOW_AGENT_FOLDER`` names it; without it there are no agents. Each team has one agent, whose id is the team's and
whose storage is the subfolder of that name, so that no team sees another's files. Nothing outside of that subfolder is
listed or read, not by a symbolic link either.
"""

from __future__ import annotations

import mimetypes
import os
import posixpath
import stat
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone

from sqlalchemy import Connection

from autoflow import settings
from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.blobs import composite_content
from autoflow.server.blobs.composite_content import CompositeContent
from autoflow.server.db import teams
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.operations import Download, Operation, OperationContext
from autoflow.server.paging import ListPage, page_of_entities
from autoflow.server.request_parser import RequestParser, as_text

CHUNK = 1 << 20


class LocalFile(CompositeContent):
    """A regular file of the agent's storage, read while it is sent."""

    def __init__(self, path: str, size: int) -> None:
        name = os.path.basename(path)
        super().__init__([], name, mimetypes.guess_type(name)[0] or "application/octet-stream")
        self.size = size
        self._path = path

    def iter_range(self, start: int, stop: int) -> Iterator[bytes]:
        """See `CompositeContent.iter_range`; a file that became shorter ends early."""
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            while start < stop and (chunk := os.pread(descriptor, min(CHUNK, stop - start), start)):
                yield chunk
                start += len(chunk)
        finally:
            os.close(descriptor)


def _storage(conn: Connection, agent_id: int) -> str:
    """Return the folder of an agent.

    Raises:
        NotFound: none is offered, or the agent is another team's.
    """
    folder = settings.agent_folder()
    if folder is None:
        raise NotFound("agent", agent_id)
    teams.get(conn, team_table, "agent", agent_id)
    return os.path.join(os.path.realpath(folder), str(agent_id))


def _resolve(storage: str, path: str) -> str:
    """Return the real path of an entry.

    Raises:
        NotFound: it is not in the storage.
    """
    try:
        real = os.path.realpath(os.path.join(storage, path.lstrip("/")))
    except (ValueError, OSError):
        raise NotFound("path", path) from None
    if os.path.commonpath([storage, real]) != storage:
        raise NotFound("path", path)
    return real


def _to_wire(conn: Connection, team_id: int) -> JsonObject:
    team = teams.get(conn, team_table, "agent", team_id)
    return {
        "id": team["id"],
        "name": f"Storage of {team['name']}",
        "token": "",
        "status": "running",
        "userId": teams.FIRST_USER,
        "teamId": team["id"],
        "capabilities": {"types": []},
        "createdAt": team["created_at"],
        "updatedAt": team["updated_at"],
        "isPublic": False,
        "type": "sly_agent",
        "disabled": False,
        "version": "",
        "gpuInfo": None,
    }


def available(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``agents.available`` in a team: none can run apps, and none is offered without a storage."""
    team_id = teams.get(conn, team_table, "team", request.number("teamId"))["id"]
    runs_apps = request.has("type") or request.flag("needGPU", default=False)
    return [] if settings.agent_folder() is None or runs_apps else [_to_wire(conn, team_id)]


def list_agents(conn: Connection, request: RequestParser) -> ListPage:
    """``agents.list`` of a team."""
    team_id = teams.get(conn, team_table, "team", request.number("teamId"))["id"]
    return page_of_entities([] if settings.agent_folder() is None else [_to_wire(conn, team_id)], request)


def agent(conn: Connection, request: RequestParser) -> JsonObject:
    """``agents.info`` by id."""
    _storage(conn, request.number("id"))
    return _to_wire(conn, request.number("id"))


def list_storage(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``agents.storage.list``: the entries of a folder, by name; those that are neither file nor folder are left out.

    The path of a file has that file, and one of nothing no entry: the SDK asks so whether a path exists.

    Raises:
        NotFound: the path leads out of the storage.
        Invalid: the folder has too many entries.
    """
    agent_id = request.number("id")
    storage, path = _storage(conn, agent_id), request.text("path", max_length=limits.NAME)
    try:
        with os.scandir(_resolve(storage, path)) as scan:
            names = sorted(entry.name for _, entry in zip(range(limits.LIST_ENTRIES + 1), scan, strict=False))
    except OSError:
        own = _entry(storage, agent_id, posixpath.join("/", path.rstrip("/")))
        return [own] if own is not None else []
    if len(names) > limits.LIST_ENTRIES:
        raise Invalid(f"{path} has more than {limits.LIST_ENTRIES} entries")
    entries = []
    for name in names:
        entry = None if as_text(name) is None else _entry(storage, agent_id, posixpath.join("/", path, name))
        if entry is not None:
            entries.append(entry)
    return entries


def _entry(storage: str, agent_id: int, path: str) -> JsonObject | None:
    try:
        status = os.stat(_resolve(storage, path))
    except (OSError, NotFound):
        return None
    is_folder = stat.S_ISDIR(status.st_mode)
    if not is_folder and not stat.S_ISREG(status.st_mode):
        return None
    name = posixpath.basename(path)
    changed = datetime.fromtimestamp(status.st_mtime, timezone.utc).isoformat(timespec="milliseconds")
    return {
        "id": 0,
        "teamId": agent_id,
        "userId": teams.FIRST_USER,
        "type": "directory" if is_folder else "file",
        "name": name,
        "path": f"agent://{agent_id}{path}",
        "storagePath": path,
        "hash": "",
        "size": 0 if is_folder else status.st_size,
        "meta": {
            "mime": mimetypes.guess_type(name)[0] or "",
            "ext": posixpath.splitext(name)[1][1:],
            "size": 0 if is_folder else status.st_size,
        },
        "fullStorageUrl": "",
        "createdAt": changed.replace("+00:00", "Z"),
        "updatedAt": changed.replace("+00:00", "Z"),
        "isDir": is_folder,
    }


def _files_of(folder: str) -> Iterator[tuple[str, LocalFile]]:
    """Yield the regular files of a folder and its subfolders by their paths, below the folder's name; no links.

    Raises:
        Invalid: they are too many.
    """
    count = 0
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(parent, name)
            try:
                status = os.lstat(path)
            except OSError:
                continue
            if not stat.S_ISREG(status.st_mode):
                continue
            count += 1
            if count > limits.LIST_ENTRIES:
                raise Invalid(f"{os.path.basename(folder)} has more than {limits.LIST_ENTRIES} files")
            yield os.path.relpath(path, os.path.dirname(folder)), LocalFile(path, status.st_size)


def download(context: OperationContext, request: RequestParser) -> CompositeContent:
    """``agents.storage.download`` of a file; of a folder, with a slash at its end, a tar of its files."""
    path = request.text("path", max_length=limits.NAME)
    with context.store.read() as conn:
        real = _resolve(_storage(conn, request.number("id")), path)
    try:
        status = os.stat(real)
    except OSError:
        raise NotFound("file", path) from None
    if path.endswith("/") and stat.S_ISDIR(status.st_mode):
        return composite_content.tar_content(_files_of(real), f"{os.path.basename(real)}.tar")
    if not stat.S_ISREG(status.st_mode):
        raise NotFound("file", path)
    return LocalFile(real, status.st_size)


READS: Mapping[str, Operation] = {
    "agents.available": available,
    "agents.info": agent,
    "agents.list": list_agents,
    "agents.storage.list": list_storage,
}
WRITES: Mapping[str, Operation] = {}
DOWNLOADS: Mapping[str, Download] = {"agents.storage.download": download}
