"""`api.file`: Team Files."""

from __future__ import annotations

import mimetypes
import posixpath
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

from autoflow.api.file_io import group_files, open_files, save
from autoflow.api.models import FileInfo, file_info
from autoflow.api.pagination import get_or_none
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire import methods
from autoflow.wire.contract.lineage import FILE_HISTORY, FileHistoryRequest, HistoryFile
from autoflow.wire.parts import Part

MAX_BYTES = 20 * 1024 * 1024  # of one request; exceeded by one larger file only
MAX_FILES = 100  # of one request, all open at once


class FileApi:
    """Team files of one server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload(self, team_id: int, src: str, dst: str) -> FileInfo:
        """Upload a file to a path; an existing file there is replaced, and keeps its id."""
        return self.upload_bulk(team_id, [src], [dst])[0]

    def upload_bulk(
        self,
        team_id: int,
        src_paths: Sequence[str],
        dst_paths: Sequence[str],
        progress_cb: Callable[[int], Any] | None = None,
    ) -> list[FileInfo]:
        """Upload files, several per request; `progress_cb` is called with the number of bytes of each request.

        Raises:
            ValueError: the numbers of sources and destinations differ.
        """
        if len(src_paths) != len(dst_paths):
            raise ValueError(f"got {len(dst_paths)} destinations for {len(src_paths)} sources")
        uploaded: list[FileInfo] = []
        for group in group_files(src_paths, MAX_BYTES, MAX_FILES):
            with open_files([src_paths[position] for position in group]) as streams:
                parts: list[Part] = []
                for position, stream in zip(group, streams, strict=True):
                    folder, name = posixpath.split(dst_paths[position])
                    mime = mimetypes.guess_type(src_paths[position])[0]
                    parts += [
                        Part("name", name),
                        Part("path", folder.rstrip("/") + "/"),
                        Part("file", stream, name, mime),
                    ]
                response = self._transport.upload("file-storage.bulk.upload", parts, {"teamId": team_id})
                if progress_cb is not None:
                    progress_cb(sum(stream.tell() for stream in streams))
            uploaded += [file_info(entry) for entry in response]
        return uploaded

    def download(self, team_id: int, remote_path: str, local_save_path: str) -> None:
        """Download a team file to a local path."""
        payload = {"teamId": team_id, "path": remote_path}
        save(self._transport.download("file-storage.download", payload), local_save_path)

    def history(self, path: str, *, team_id: int | None = None) -> list[HistoryFile]:
        """Return the files that a path has had, the latest first, each with the tasks that wrote it.

        They stay readable by `download_version` after the path got another file.

        Args:
            path: the path; or ``file:7``, for the path that this file is or was at.
            team_id: team of the path. Default: the first team.
        """
        number = _file_number(path)
        request = FileHistoryRequest(path=path if number is None else None, team_id=team_id, id=number)
        return call(self._transport, FILE_HISTORY, request)["files"]

    def get_version(
        self, path: str, *, version: int | None = None, sha256: str | None = None, team_id: int | None = None
    ) -> HistoryFile:
        """Return one of the files that a path has had; by default the current one, or the file of ``file:7``.

        Args:
            path, team_id: as of `history`.
            version: its number among the files of the path, from 1.
            sha256: its SHA-256 in hexadecimal digits, or at least the first six of them.

        Raises:
            ValueError: the path has had no such file, or several.
        """
        if sha256 is not None and not re.fullmatch("[0-9a-f]{6,64}", sha256.lower()):
            raise ValueError(f"{sha256!r} is not a SHA-256: write at least its first six hexadecimal digits")
        entries = self.history(path, team_id=team_id)
        number = _file_number(path)
        if version is not None:
            matches = [entry for entry in entries if entry["number"] == version]
        elif sha256 is not None:
            matches = [entry for entry in entries if (entry["sha256"] or "").startswith(sha256.lower())]
            if len({entry["sha256"] for entry in matches}) > 1:
                raise ValueError(f"{path} has had several files whose SHA-256 begins with {sha256}: write more digits")
        elif number is not None:
            matches = [entry for entry in entries if entry["id"] == number]
        else:
            matches = [entry for entry in entries if entry["current"]]
        if not matches:
            raise ValueError(f"{path} {_missing(entries, version, sha256)}")
        return matches[0]

    def download_version(
        self,
        path: str,
        local_save_path: str,
        *,
        version: int | None = None,
        sha256: str | None = None,
        team_id: int | None = None,
    ) -> HistoryFile:
        """Download one of the files that a path has had, see `get_version`; return it."""
        file = self.get_version(path, version=version, sha256=sha256, team_id=team_id)
        save(self._transport.download("file-storage.download", {"id": file["id"]}), local_save_path)
        return file

    def get_info_by_id(self, id: int) -> FileInfo | None:  # noqa: A002 - the SDK's name
        """Return a file by its id, None if there is none."""
        return get_or_none(self._transport, methods.FILE_INFO, {"id": id}, file_info)

    def get_info_by_path(self, team_id: int, remote_path: str) -> FileInfo | None:
        """Return the file at a path, None if there is none."""
        return next((file for file in self.list(team_id, remote_path) if file.path == remote_path), None)

    def exists(self, team_id: int, remote_path: str) -> bool:
        """Return whether there is a file at a path."""
        return self.get_info_by_path(team_id, remote_path) is not None

    def remove(self, team_id: int, path: str) -> None:
        """Remove a file, or a folder with its content."""
        self._transport.call("file-storage.remove", {"teamId": team_id, "path": path})

    @overload
    def list(
        self, team_id: int, path: str, recursive: bool = True, return_type: Literal["fileinfo"] = "fileinfo"
    ) -> Sequence[FileInfo]: ...

    @overload
    def list(
        self, team_id: int, path: str, recursive: bool = True, *, return_type: Literal["dict"]
    ) -> Sequence[dict[str, Any]]: ...

    def list(
        self, team_id: int, path: str, recursive: bool = True, return_type: str = "fileinfo"
    ) -> Sequence[FileInfo] | Sequence[dict[str, Any]]:
        """Return the files in a folder and its subfolders; if not recursive, its own files and subfolders.

        Args:
            team_id: the team.
            path: the folder.
            recursive: whether to return the files of subfolders instead of the subfolders.
            return_type: ``fileinfo``, or ``dict`` for the objects of the wire, which the SDK returns by default.
        """
        if not recursive and not path.endswith("/"):
            path += "/"
        payload = {"teamId": team_id, "path": path, "recursive": recursive}
        response: Sequence[dict[str, Any]] = self._transport.call(methods.FILE_LIST, payload)
        return response if return_type == "dict" else [file_info(entry) for entry in response]


def _file_number(path: str) -> int | None:
    """Return the number of ``file:7``, None of a path."""
    number = path.removeprefix("file:")
    return int(number) if number != path and number.isdecimal() else None


def _missing(entries: Sequence[HistoryFile], version: int | None, sha256: str | None) -> str:
    if not entries:
        return "has never had a file: `autoflow graph --file PATH` and the page name those that runs have written"
    latest = entries[0]
    if version is None and sha256 is None:
        return f"has no file any more: --version {latest['number']} was the last one"
    wanted = f"version {version}" if version is not None else f"file with the SHA-256 {sha256}"
    return f"has had no {wanted}; it has had {latest['count']:,}, the last one of {latest['createdAt']}"
