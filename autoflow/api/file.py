"""`api.file`: Team Files."""

from __future__ import annotations

import mimetypes
import posixpath
from collections.abc import Callable, Sequence
from typing import Any

from autoflow.api.file_io import grouped, opened, save
from autoflow.api.models import FileInfo, file_info
from autoflow.api.pagination import maybe
from autoflow.transport.base import Transport
from autoflow.wire import methods
from autoflow.wire.parts import Part

GROUP = 20 * 1024 * 1024  # bytes of one request, but for a larger file alone
FILES = 100  # open at once


class FileApi:
    """Files of the teams of one server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def upload(self, team_id: int, src: str, dst: str) -> FileInfo:
        """Upload a file to a path; one that is there is replaced and keeps its own number."""
        return self.upload_bulk(team_id, [src], [dst])[0]

    def upload_bulk(
        self,
        team_id: int,
        src_paths: Sequence[str],
        dst_paths: Sequence[str],
        progress_cb: Callable[[int], Any] | None = None,
    ) -> list[FileInfo]:
        """Upload files, several in a request; `progress_cb` is called with how many bytes were sent more.

        Raises:
            ValueError: there are not as many sources as destinations.
        """
        if len(src_paths) != len(dst_paths):
            raise ValueError(f"{len(src_paths)} sources for {len(dst_paths)} destinations")
        uploaded: list[FileInfo] = []
        for group in grouped(src_paths, GROUP, FILES):
            with opened([src_paths[position] for position in group]) as streams:
                parts: list[Part] = []
                for position, stream in zip(group, streams, strict=True):
                    folder, name = posixpath.split(dst_paths[position])
                    mime = mimetypes.guess_type(src_paths[position])[0]
                    parts += [
                        Part("name", name),
                        Part("path", folder.rstrip("/") + "/"),
                        Part("file", stream, name, mime),
                    ]
                told = self._transport.upload("file-storage.bulk.upload", parts, {"teamId": team_id})
                if progress_cb is not None:
                    progress_cb(sum(stream.tell() for stream in streams))
            uploaded += [file_info(one) for one in told]
        return uploaded

    def download(self, team_id: int, remote_path: str, local_save_path: str) -> None:
        """Save a file of a team to a path on this machine."""
        body = {"teamId": team_id, "path": remote_path}
        save(self._transport.download("file-storage.download", body), local_save_path)

    def get_info_by_id(self, id: int) -> FileInfo | None:  # noqa: A002 - the SDK's name
        """A file by its number, None when there is none."""
        return maybe(self._transport, methods.FILE_INFO, {"id": id}, file_info)

    def get_info_by_path(self, team_id: int, remote_path: str) -> FileInfo | None:
        """The file at a path, None when there is none."""
        return next((found for found in self.list(team_id, remote_path) if found.path == remote_path), None)

    def exists(self, team_id: int, remote_path: str) -> bool:
        """Whether there is a file at a path."""
        return self.get_info_by_path(team_id, remote_path) is not None

    def remove(self, team_id: int, path: str) -> None:
        """Remove a file, or a folder with all that is in it."""
        self._transport.call("file-storage.remove", {"teamId": team_id, "path": path})

    def list(self, team_id: int, path: str, recursive: bool = True) -> list[FileInfo]:
        """The files in a folder, and in the folders in it; not recursive: also those folders themselves."""
        if not recursive and not path.endswith("/"):
            path += "/"
        body = {"teamId": team_id, "path": path, "recursive": recursive}
        return [file_info(told) for told in self._transport.call(methods.FILE_LIST, body)]
