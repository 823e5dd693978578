"""`api.file`: Team Files."""

from __future__ import annotations

import mimetypes
import posixpath
from collections.abc import Callable, Sequence
from typing import Any

from autoflow.api.file_io import group_files, open_files, save
from autoflow.api.models import FileInfo, file_info
from autoflow.api.pagination import get_or_none
from autoflow.transport.base import Transport
from autoflow.wire import methods
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

    def list(self, team_id: int, path: str, recursive: bool = True) -> list[FileInfo]:
        """Return the files in a folder and its subfolders; if not recursive, its own files and subfolders."""
        if not recursive and not path.endswith("/"):
            path += "/"
        payload = {"teamId": team_id, "path": path, "recursive": recursive}
        return [file_info(entry) for entry in self._transport.call(methods.FILE_LIST, payload)]
