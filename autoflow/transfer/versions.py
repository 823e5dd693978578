"""Copies one version from a server to another: its rows, and the contents that the target lacks.

What arrived stays there when this process is killed: the next call goes on after it. The target publishes the version
when its digest is that of the source, else it keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from autoflow.errors import ServerRefused, TransferError
from autoflow.outbox.destinations.servers import ServerConnector
from autoflow.transfer.contents import Item, copy_contents
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.contract import transfers as contract

MAX_DOCUMENT_BYTES = 4 << 20  # of the annotations of one request; exceeded by one larger annotation only

Progress = Callable[[int, int], Any]  # number of items done, total


class VersionCopy(NamedTuple):
    """A version on the server that it was copied to.

    Args:
        project, version: their ids there.
        number: number of the version in the project.
        name: name of the project.
        created: False if the version was there before.
        items, uploaded: numbers of items, and of files that were sent.
    """

    project: int
    version: int
    number: int
    name: str
    created: bool
    items: int
    uploaded: int


def copy_version(
    source: Transport,
    target: Transport,
    version_id: int,
    *,
    workspace_id: int | None = None,
    name: str | None = None,
    progress: Progress | None = None,
) -> VersionCopy:
    """Copy a version to another server; one that is there already is not copied again.

    Args:
        source, target: the servers.
        version_id: the version at the source.
        workspace_id: workspace of the new project at the target. Default: the first one.
        name: name of the new project. Default: that of the source; a number is appended if it is taken.
        progress: called with the number of items done and the total.

    Raises:
        TransferError: a server is a Supervisely instance, both are the same, or content cannot be copied.
        ServerError: a server failed or refused.
    """
    check_servers(source, target)
    described = _describe(source, version_id)
    body = {
        "origins": described["origins"],
        "version": described["version"],
        "project": described["project"],
        "earlier": described["earlier"],
        "workspaceId": workspace_id,
        "name": name,
    }
    state: contract.TransferState = target.call(contract.TRANSFER_BEGIN.name, body)
    total = int(described["version"]["itemsCount"])
    if state["done"]:
        return _result(state, total, 0, created=False)
    return _Copy(source, target, version_id, described, progress).run(state)


def _describe(source: Transport, version_id: int) -> contract.TransferSourceResponse:
    try:
        return call(source, contract.TRANSFER_SOURCE, contract.TransferSourceRequest(id=version_id))
    except ServerRefused as refusal:
        if refusal.status != 400:
            raise
        raise TransferError(str(refusal)) from refusal


def check_servers(source: Transport, target: Transport) -> None:
    """Check that versions can be copied from one server to another.

    Raises:
        TransferError: a server is a Supervisely instance, or both are the same.
    """
    for transport in (source, target):
        if not ServerConnector(transport).identify().own_methods:
            raise TransferError(f"{transport.origin} is not an autoflow server: versions are copied between those only")
    if source.origin == target.origin:
        raise TransferError(f"{source.origin} is the server that the version is on already")


def _result(state: contract.TransferState, total: int, uploaded: int, *, created: bool) -> VersionCopy:
    project, version = state["project"], state["version"]
    assert project is not None
    assert version is not None
    return VersionCopy(project, version, state["number"], state["name"], created, total, uploaded)


class _Copy:
    """One version on its way.

    Args:
        source, target: the servers.
        version_id: the version at the source.
        described: the version without its items.
        progress: see `copy_version`.
    """

    def __init__(
        self,
        source: Transport,
        target: Transport,
        version_id: int,
        described: contract.TransferSourceResponse,
        progress: Progress | None,
    ) -> None:
        self._source = source
        self._target = target
        self._version = version_id
        self._described = described
        self._progress = progress
        self._total = int(described["version"]["itemsCount"])
        self._uploaded = 0

    def run(self, state: contract.TransferState) -> VersionCopy:
        """Copy what the target lacks, from the state that a transfer is in."""
        transfer_id = state["id"]
        assert transfer_id is not None
        if state["after"] is None:
            body = {"id": transfer_id, "datasets": self._described["datasets"], "meta": self._described["meta"]}
            state = self._target.call(contract.TRANSFER_DATASETS.name, body)
        copied = 0
        for page in self._pages(state["base"], state["after"] or 0):
            state = self._put_page(transfer_id, state, page)
            copied += len(page["items"])
            self._report(copied)
        request = contract.TransferFinishRequest(id=transfer_id)
        state = call(self._target, contract.TRANSFER_FINISH, request)
        self._report(self._total)
        return _result(state, self._total, self._uploaded, created=True)

    def _report(self, copied: int) -> None:
        if self._progress is not None:
            self._progress(min(copied, self._total), self._total)

    def _pages(self, base: int | None, after: int | None) -> Iterator[contract.TransferItemsResponse]:
        while after is not None:
            request = contract.TransferItemsRequest(id=self._version, base=base, after=after)
            response = call(self._source, contract.TRANSFER_ITEMS, request)
            if response["items"] or response["removed"]:
                yield response
            after = response["after"]

    def _put_page(
        self, transfer_id: int, state: contract.TransferState, page: contract.TransferItemsResponse
    ) -> contract.TransferState:
        """Copy the contents that a page of items needs, then send the items, as requests of a bounded size."""
        parts = list(self._parts(page["items"]))
        removed = page["removed"]
        for number, (items, documents) in enumerate(parts, 1):
            upto = page["upto"] if number == len(parts) else items[-1]["id"]
            rows = [{name: value for name, value in row.items() if name != "id"} for row in items]
            contents = {"items": rows, "removed": removed, "documents": documents}
            state = self._put({"id": transfer_id, "after": state["after"], "upto": upto, **contents})
            removed = []
        return state

    def _parts(self, page: Sequence[Item]) -> Iterator[tuple[list[Item], list[str]]]:
        """Copy the contents that a page of items needs; yield its items in parts, with the annotations to be sent."""
        by_hash = {row["hash"]: row for row in reversed(page) if row.get("hash") is not None}
        named = sorted({row["annotation"] for row in page if row.get("annotation") is not None})
        request = contract.TransferNeedsRequest(blobs=list(by_hash), documents=named)
        needed = call(self._target, contract.TRANSFER_NEEDS, request)
        missing = [by_hash[content] for content in needed["blobs"]]
        copy_contents(self._source, self._target, self._version, self._described["project"]["type"], missing)
        self._uploaded += len(missing)
        documents = self._documents(needed["documents"])
        items: list[Item] = []
        texts: list[str] = []
        size = 0
        for row in page:
            text = documents.pop(row.get("annotation") or "", None)
            if items and text is not None and size + len(text) > MAX_DOCUMENT_BYTES:
                yield items, texts
                items, texts, size = [], [], 0
            items.append(row)
            if text is not None:
                texts.append(text)
                size += len(text)
        yield items, texts

    def _documents(self, names: Sequence[str]) -> dict[str, str]:
        if not names:
            return {}
        request = contract.TransferDocumentsRequest(id=self._version, hashes=list(names))
        return call(self._source, contract.TRANSFER_DOCUMENTS, request)["documents"]

    def _put(self, body: dict[str, Any]) -> contract.TransferState:
        response: contract.TransferState = self._target.call(contract.TRANSFER_PUT.name, body)
        if response["after"] != body["upto"]:
            raise ServerRefused(
                f"another transfer of version {self._version} to {self._target.origin} is in progress: wait for it, "
                "then try again",
                status=409,
            )
        return response
