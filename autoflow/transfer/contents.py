"""Copies the bytes of a version's items that the target lacks, some at a time."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, cast

from autoflow.datasets.content_writer import split_contents
from autoflow.errors import TransferError
from autoflow.transport.base import Transport
from autoflow.transport.typed import download
from autoflow.wire.contract.folders import FOLDER_CONTENTS, FOLDER_UPLOAD, FolderContentsRequest
from autoflow.wire.parts import Part

MAX_BYTES = 32 << 20  # of one upload; exceeded by one larger file only
MAX_FILES = 200
_IN_MEMORY = 8 << 20  # of one file; a larger one is written to a temporary file

# Methods that files are uploaded by; those of other types of projects are images.
_METHODS = {
    "videos": "videos.bulk.upload",
    "point_clouds": "point-clouds.bulk.upload",
    "point_cloud_episodes": "point-clouds.bulk.upload",
    "volumes": "volumes.bulk.upload",
    "files": FOLDER_UPLOAD.name,
}
_IMAGES = "images.bulk.upload"

Item = dict[str, Any]  # of `TransferItemsResponse`


def copy_contents(
    source: Transport, target: Transport, version_id: int, project_type: str, item_rows: Sequence[Item]
) -> None:
    """Copy the bytes of items.

    Args:
        source, target: the servers.
        version_id: the version at the source.
        project_type: type of its project.
        item_rows: the items, with distinct hashes.

    Raises:
        TransferError: bytes are damaged at the source, or the target cannot store them.
    """
    for batch in _batches(item_rows):
        by_method: dict[str, list[Item]] = {}
        for row in batch:
            is_image = str(row.get("mime") or "").startswith("image/")
            by_method.setdefault(_IMAGES if is_image else _METHODS.get(project_type, _IMAGES), []).append(row)
        for method, part in by_method.items():
            _copy(source, target, version_id, method, part)


def _batches(item_rows: Iterable[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    size = 0
    for row in item_rows:
        if batch and (size + (row.get("size") or 0) > MAX_BYTES or len(batch) >= MAX_FILES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += row.get("size") or 0
    if batch:
        yield batch


def _copy(source: Transport, target: Transport, version_id: int, method: str, batch: Sequence[Item]) -> None:
    """Download some files from the source completely, then upload them: neither connection waits for the other."""
    names = {row["hash"]: row["name"] for row in batch}
    with contextlib.ExitStack() as stack:
        parts: list[Part] = []
        hashes: list[str] = []
        request = FolderContentsRequest(id=version_id, hashes=list(names))
        for content_hash, chunks in split_contents(download(source, FOLDER_CONTENTS, request)):
            file = stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))
            for chunk in chunks:
                file.write(chunk)
            file.seek(0)
            number = len(parts)
            parts.append(Part(f"{number}-file", cast(BinaryIO, file), str(number), "application/octet-stream"))
            hashes.append(content_hash)
        response = target.upload(method, parts)
        if method == FOLDER_UPLOAD.name:
            response = response["files"]
    for content_hash, result in zip(hashes, response, strict=True):
        if result.get("errors"):
            raise TransferError(
                f"{target.origin} cannot store {names[content_hash]!r}: {result['errors'][0]['message']}"
            )
        if result["hash"] != content_hash:
            raise TransferError(
                f"the content of {names[content_hash]!r} on {source.origin} does not match its hash: "
                "run `autoflow versions verify --level 3` there"
            )
