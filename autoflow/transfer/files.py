"""Copies the team files of a store, replaced ones included, in the order they were uploaded in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from autoflow.transfer.ids import TargetIds
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.content_hash import hex_of
from autoflow.wire.contract import store_transfers as contract
from autoflow.wire.contract.lineage import FILE_HISTORY, FileHistoryRequest, HistoryFile
from autoflow.wire.parts import Part

_IN_MEMORY = 8 << 20
_ARCHIVES = "/system/versions/"  # archives of versions, which are copied as versions


class FileCopier:
    """Copies team files.

    Args:
        source, target: the servers.
        store: random id of the source's store.
        ids: the ids of copies.
    """

    def __init__(self, source: Transport, target: Transport, store: str, ids: TargetIds) -> None:
        self._source = source
        self._target = target
        self._store = store
        self._ids = ids
        self._own: dict[str, int] = {}  # the last copy at each path
        self.copied = 0
        self.moved: dict[str, str] = {}

    def missing(self) -> Iterator[contract.SourceFile]:
        """Yield the files that the target lacks."""
        after: int | None = 0
        while after is not None:
            response = call(self._source, contract.TRANSFER_FILES, contract.TransferFilesRequest(after=after))
            after = response["after"]
            known = self._ids.find("file", [file["id"] for file in response["files"]])
            for file in response["files"]:
                if file["path"].startswith(_ARCHIVES):
                    continue
                if file["id"] in known:
                    self._own[file["path"]] = known[file["id"]][0]
                else:
                    yield file

    def run(self) -> None:
        """Copy the files that the target lacks; a path that is in use there is copied below ``/pushed``."""
        for file in self.missing():
            path, number = self._destination(file)
            if number is None:
                number = self._upload(file, path)
            self._own[file["path"]] = number
            self._ids.link("file", [(file["id"], number, path)])
            self.copied += 1
            if path != file["path"]:
                self.moved[file["path"]] = path

    def _destination(self, file: contract.SourceFile) -> tuple[str, int | None]:
        """Return the path for a file; and the id of the file that is there, if it is the same one."""
        path = file["path"]
        current = self._current(path)
        if current is not None and current["id"] != self._own.get(path) and current["sha256"] != hex_of(file["hash"]):
            path = f"/pushed/{self._store[:8]}{path}"
            current = self._current(path)
        is_same = current is not None and current["sha256"] == hex_of(file["hash"])
        return path, current["id"] if current is not None and is_same else None

    def _current(self, path: str) -> HistoryFile | None:
        request = FileHistoryRequest(team_id=self._ids.team, path=path)
        files = call(self._target, FILE_HISTORY, request)["files"]
        return next((file for file in files if file["current"]), None)

    def _upload(self, file: contract.SourceFile, path: str) -> int:
        folder, _, name = path.rpartition("/")
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as content:
            for chunk in self._source.download("file-storage.download", {"id": file["id"]}):
                content.write(chunk)
            content.seek(0)
            parts = [
                Part("name", name),
                Part("path", f"{folder}/"),
                Part("file", cast(BinaryIO, content), name, file["mime"] or "application/octet-stream"),
            ]
            team = self._ids.team
            assert team is not None
            return int(self._target.upload("file-storage.bulk.upload", parts, {"teamId": team})[0]["id"])
