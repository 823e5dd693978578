"""Export of a version to a folder in Supervisely's format: written to a temporary folder, which is then renamed.

Files are cloned if the file system can (a reflink: two files share blocks until either is changed), else copied and
verified by their hash. The export never contains links to the server's files.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from autoflow.datasets.filename_allocator import FilenameAllocator
from autoflow.datasets.formats import supervisely
from autoflow.datasets.reading import prefetch
from autoflow.errors import FolderError
from autoflow.transport.base import LocalStorage, Transport
from autoflow.transport.typed import call, download
from autoflow.wire.content_hash import encode_hash
from autoflow.wire.contract import versions as contract
from autoflow.wire.contract.folders import FOLDER_CONTENTS, FolderContentsRequest

MODES = ("auto", "reflink", "copy")
PAGE = 500
_FICLONE = 0x40049409
_CHUNK = 1024 * 1024
# The file system cannot clone at all, or not these two files.
_CLONE_UNSUPPORTED = {errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS}

Progress = Callable[[int, int], Any]


def to_folder(
    transport: Transport,
    version: Any,
    path: str | os.PathLike[str],
    mode: str = "auto",
    progress: Progress | None = None,
) -> str:
    """Write a version to a folder in Supervisely's format; return the folder's absolute path.

    Args:
        transport: the server.
        version: its id, or its VersionInfo.
        path: the folder, which must not exist or be empty.
        mode: ``reflink`` clones the server's files or fails, ``copy`` copies them, ``auto`` clones if possible.
        progress: called with the number of images done and the total.

    Raises:
        FolderError: the folder is not empty or cannot be written, or content of the version is not available; nothing
            is left behind.
        ServerError: the server failed, or has no such version; likewise.
    """
    if mode not in MODES:
        raise FolderError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    target = os.path.abspath(path)
    if os.path.lexists(target) and (os.path.islink(target) or not os.path.isdir(target) or os.listdir(target)):
        raise FolderError(f"{target!r} exists and is not an empty folder: choose another path, or empty it")
    parent, name = os.path.split(target)
    partial = os.path.join(parent, f".{name[:100]}.{secrets.token_hex(4)}")
    try:
        os.makedirs(partial)
        _Export(transport, int(getattr(version, "id", version)), partial, mode, progress).run()
        os.rename(partial, target)
    except OSError as error:
        raise FolderError(f"{target!r} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


class _Export:
    """Writes one version to one folder."""

    def __init__(self, transport: Transport, version: int, root: str, mode: str, progress: Progress | None) -> None:
        self._transport = transport
        self._version = version
        self._root = root
        self._mode = mode
        self._progress = progress
        self._may_clone = mode != "copy"
        self._filenames: dict[str, FilenameAllocator] = {}

    def run(self) -> None:
        """Write the version."""
        response = call(self._transport, contract.VERSION_META, contract.VersionMetaRequest(id=self._version))
        self._write_json({**response["meta"], "projectType": response["project"]["type"]}, supervisely.META)
        folders = self._make_datasets(response["datasets"])
        total = sum(dataset["itemsCount"] for dataset in response["datasets"])
        done = 0
        self._report(done, total)
        for page in prefetch(self._pages()):
            self._write_images([self._write_labels(item, folders[item["datasetId"]]) for item in page])
            done += len(page)
            self._report(done, total)

    def _make_datasets(self, datasets: Sequence[contract.VersionDataset]) -> dict[int, str]:
        """Create the folders of all datasets; return them by dataset id."""
        folders: dict[int, str] = {}
        for dataset in datasets:  # parents come before their children
            parent = dataset["parentId"]
            above = "" if parent is None else os.path.join(folders[parent], supervisely.NESTED)
            folder = os.path.join(above, self._allocate(above, dataset["name"]))
            for part in (supervisely.IMAGES, supervisely.ANNOTATIONS):
                os.makedirs(os.path.join(self._root, folder, part))
            folders[dataset["id"]] = folder
        return folders

    def _allocate(self, folder: str, name: str) -> str:
        taken = {supervisely.META} if not folder else ()
        return self._filenames.setdefault(folder, FilenameAllocator(taken)).allocate(name)

    def _pages(self) -> Iterator[list[contract.VersionItem]]:
        after: int | None = 0
        while after is not None:
            request = contract.VersionItemsRequest(id=self._version, after=after, limit=PAGE, annotations=True)
            response = call(self._transport, contract.VERSION_ITEMS, request)
            yield response["items"]
            after = response["after"]

    def _write_labels(self, item: contract.VersionItem, folder: str) -> tuple[str, str]:
        """Write the annotation and metadata of an image; return the path for the image itself, and its hash."""
        content_hash = item["hash"]
        if content_hash is None:
            raise FolderError(
                f"image {item['name']!r} of dataset {'/'.join(item['dataset'])!r} is a link to {item['link']}, whose "
                "content is not stored on the server: download it from there"
            )
        name = self._allocate(folder, item["name"])
        self._write_json(item.get("annotation"), folder, supervisely.ANNOTATIONS, f"{name}.json")
        if item["meta"]:
            os.makedirs(os.path.join(self._root, folder, supervisely.METAS), exist_ok=True)
            self._write_json(item["meta"], folder, supervisely.METAS, f"{name}.json")
        return os.path.join(self._root, folder, supervisely.IMAGES, name), content_hash

    def _write_json(self, document: Any, *path: str) -> None:
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        with open(os.path.join(self._root, *path), "xb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))

    def _write_images(self, images: Sequence[tuple[str, str]]) -> None:
        """Write images by their paths and hashes; each distinct content is requested once."""
        paths: dict[str, list[str]] = {}
        for path, content_hash in images:
            paths.setdefault(content_hash, []).append(path)
        remaining = self._write_local(paths)
        if remaining:
            request = FolderContentsRequest(id=self._version, hashes=remaining)
            for content_hash, chunks in split_contents(download(self._transport, FOLDER_CONTENTS, request)):
                write_verified(paths[content_hash][0], chunks, content_hash)
        for first, *duplicates in paths.values():
            for path in duplicates:
                shutil.copyfile(first, path)

    def _write_local(self, paths: Mapping[str, Sequence[str]]) -> list[str]:
        """Clone or copy the contents that are on this machine; return the hashes of the others."""
        sources: dict[str, str] = {}
        if isinstance(self._transport, LocalStorage):
            sources = self._transport.local_paths(self._version, list(paths))
        for content_hash, source_path in sources.items():
            if not (self._may_clone and self._clone(source_path, paths[content_hash][0])):
                with open(source_path, "rb", buffering=0) as source:
                    write_verified(paths[content_hash][0], iter(lambda: source.read(_CHUNK), b""), content_hash)
        remaining = [content_hash for content_hash in paths if content_hash not in sources]
        if remaining and self._mode == "reflink":
            raise FolderError("the server's files are not on this machine, or not readable: use mode='copy'")
        return remaining

    def _clone(self, source_path: str, target_path: str) -> bool:
        """Clone a file; return False if the file system cannot."""
        try:
            with open(source_path, "rb") as source, open(target_path, "xb") as target:
                fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
        except OSError as error:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(target_path)
            if error.errno not in _CLONE_UNSUPPORTED:
                raise
            if self._mode == "reflink":
                raise FolderError(
                    "this file system cannot clone the server's files (reflink): use mode='copy'"
                ) from error
            self._may_clone = False
            return False
        return True

    def _report(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(done, total)


def write_verified(path: str, chunks: Iterable[bytes], content_hash: str) -> None:
    """Write chunks to a new file and verify their hash.

    Raises:
        FolderError: the hash differs.
    """
    digest = hashlib.sha256()
    with open(path, "xb", buffering=0) as file:
        for chunk in chunks:
            digest.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[file.write(view) :]
    if encode_hash(digest) != content_hash:
        raise FolderError(
            f"the content of {os.path.basename(path)!r} on the server does not match its hash: "
            "run `autoflow versions verify --level 3`"
        )


def split_contents(chunks: Iterator[bytes]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Split a response of ``autoflow.folders.contents`` into pairs of hash and content.

    Each content must be read completely before the next pair is requested.

    Raises:
        FolderError: the response is truncated.
    """
    buffer = b""
    while True:
        while b"\n" not in buffer:
            chunk = next(chunks, None)
            if chunk is None:
                if buffer:
                    raise _truncated()
                return
            buffer += chunk
        line, _, buffer = buffer.partition(b"\n")
        content_hash, _, size = line.decode("ascii").partition(" ")
        content = _Content(chunks, buffer, int(size))
        yield content_hash, content
        buffer = content.buffer


class _Content:
    """The chunks of one content; `buffer` has what was received beyond its end."""

    def __init__(self, chunks: Iterator[bytes], buffer: bytes, size: int) -> None:
        self._chunks = chunks
        self._remaining = size
        self.buffer = buffer

    def __iter__(self) -> Iterator[bytes]:
        while self._remaining:
            chunk = self.buffer or next(self._chunks, b"")
            if not chunk:
                raise _truncated()
            part, self.buffer = chunk[: self._remaining], chunk[self._remaining :]
            self._remaining -= len(part)
            yield part


def _truncated() -> FolderError:
    return FolderError("the server's response ended too early: try again")
