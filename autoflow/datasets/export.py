"""A version as a folder in Supervisely's format: written aside and renamed to its place when it is whole.

Bytes are cloned where the file system can do that (a reflink: two files, one set of blocks, until either is changed),
else copied, and then compared with their hash. Nothing links to what the store keeps.
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

from autoflow.datasets import filename_allocator
from autoflow.datasets.formats import supervisely
from autoflow.datasets.image_uploader import ahead
from autoflow.errors import FolderError
from autoflow.transport.base import Transport
from autoflow.wire import methods
from autoflow.wire.content_hash import encode_hash

MODES = ("auto", "reflink", "copy")
PAGE = 500
_FICLONE = 0x40049409
_CHUNK = 1024 * 1024
# The file system cannot clone, or not these two files.
_NO_CLONE = {errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS}

Progress = Callable[[int, int], Any]


def to_folder(
    transport: Transport,
    version: Any,
    path: str | os.PathLike[str],
    mode: str = "auto",
    progress: Progress | None = None,
) -> str:
    """Write a version to a folder, in Supervisely's format; gives the folder's absolute path.

    Args:
        transport: the server.
        version: its number, or its VersionInfo.
        path: the folder, which must not be there yet, or be empty.
        mode: ``reflink`` clones the server's files or fails, ``copy`` copies them, ``auto`` clones what it can.
        progress: called with how many images are done and of how many.

    Raises:
        FolderError: the folder is not empty or cannot be written, or bytes of the version are not to be had; nothing
            is left behind.
        ServerError: the server failed, or has no such version; likewise.
    """
    if mode not in MODES:
        raise FolderError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    target = os.path.abspath(path)
    if os.path.lexists(target) and (os.path.islink(target) or not os.path.isdir(target) or os.listdir(target)):
        raise FolderError(f"{target!r} is there already and not an empty folder: give another path, or empty it")
    above, name = os.path.split(target)
    partial = os.path.join(above, f".{name[:100]}.{secrets.token_hex(4)}")
    try:
        os.makedirs(partial)
        _Writing(transport, int(getattr(version, "id", version)), partial, mode, progress).run()
        os.rename(partial, target)
    except OSError as error:
        raise FolderError(f"{target!r} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


class _Writing:
    """One version on its way into one folder."""

    def __init__(self, transport: Transport, version: int, root: str, mode: str, progress: Progress | None) -> None:
        self._transport = transport
        self._version = version
        self._root = root
        self._mode = mode
        self._progress = progress
        self._clones = mode != "copy"
        self._names: dict[str, filename_allocator.Names] = {}

    def run(self) -> None:
        """Write all of it."""
        told = self._transport.call(methods.VERSION_META, {"id": self._version})
        self._dump({**told["meta"], "projectType": told["project"]["type"]}, supervisely.META)
        folders = self._datasets(told["datasets"])
        total = sum(one["itemsCount"] for one in told["datasets"])
        done = 0
        self._tell(done, total)
        for page in ahead(self._pages()):
            self._images([(self._place(one, folders[one["datasetId"]]), one) for one in page])
            done += len(page)
            self._tell(done, total)

    def _datasets(self, told: Sequence[Mapping[str, Any]]) -> dict[int, str]:
        """The folders of datasets by their numbers, made with those in them."""
        folders: dict[int, str] = {}
        for one in told:  # each after the one it stands in
            above = "" if one["parentId"] is None else os.path.join(folders[one["parentId"]], supervisely.NESTED)
            folder = os.path.join(above, self._name(above, one["name"]))
            for part in (supervisely.IMAGES, supervisely.ANNOTATIONS):
                os.makedirs(os.path.join(self._root, folder, part))
            folders[one["id"]] = folder
        return folders

    def _name(self, folder: str, name: str) -> str:
        names = self._names.setdefault(folder, filename_allocator.Names({supervisely.META} if not folder else ()))
        return names.free(name)

    def _pages(self) -> Iterator[list[dict[str, Any]]]:
        after: int | None = 0
        while after is not None:
            body = {"id": self._version, "after": after, "limit": PAGE, "annotations": True}
            answer = self._transport.call(methods.VERSION_ITEMS, body)
            yield answer["items"]
            after = answer["after"]

    def _place(self, item: Mapping[str, Any], folder: str) -> str:
        """Write what is said of an image; gives where the image itself goes."""
        if item["hash"] is None:
            raise FolderError(
                f"image {item['name']!r} of dataset {'/'.join(item['dataset'])!r} is a link to {item['link']}, the "
                "bytes are not the server's: download it from there"
            )
        name = self._name(folder, item["name"])
        self._dump(item["annotation"], folder, supervisely.ANNOTATIONS, f"{name}.json")
        if item["meta"]:
            os.makedirs(os.path.join(self._root, folder, supervisely.METAS), exist_ok=True)
            self._dump(item["meta"], folder, supervisely.METAS, f"{name}.json")
        return os.path.join(self._root, folder, supervisely.IMAGES, name)

    def _dump(self, document: Any, *place: str) -> None:
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        with open(os.path.join(self._root, *place), "xb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))

    def _images(self, wanted: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Write the bytes of images; what is the same is asked for once."""
        places: dict[str, list[str]] = {}
        for path, item in wanted:
            places.setdefault(item["hash"], []).append(path)
        left = self._local(places)
        if left:
            body = {"id": self._version, "hashes": left}
            for content, chunks in split(self._transport.download(methods.FOLDER_CONTENTS, body)):
                write(places[content][0], chunks, content)
        for first, *others in places.values():
            for path in others:
                shutil.copyfile(first, path)

    def _local(self, places: Mapping[str, Sequence[str]]) -> list[str]:
        """Take what lies on this machine; gives the hashes of the rest."""
        local: Any = getattr(self._transport, "local_paths", None)
        found: dict[str, str] = local(self._version, list(places)) if local is not None else {}
        for content, path in found.items():
            if not (self._clones and self._clone(path, places[content][0])):
                with open(path, "rb", buffering=0) as source:
                    write(places[content][0], iter(lambda: source.read(_CHUNK), b""), content)
        left = [content for content in places if content not in found]
        if left and self._mode == "reflink":
            raise FolderError("the server's files are not on this machine, or not its own: use mode='copy'")
        return left

    def _clone(self, source: str, target: str) -> bool:
        """Clone a file; False when that cannot be done here."""
        try:
            with open(source, "rb") as there, open(target, "xb") as here:
                fcntl.ioctl(here.fileno(), _FICLONE, there.fileno())
        except OSError as error:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(target)
            if error.errno not in _NO_CLONE:
                raise
            if self._mode == "reflink":
                raise FolderError(
                    "this file system cannot clone the server's files (reflink): use mode='copy'"
                ) from error
            self._clones = False
            return False
        return True

    def _tell(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(done, total)


def write(path: str, chunks: Iterable[bytes], content: str) -> None:
    """Write bytes to a new file, and see that they are of a hash.

    Raises:
        FolderError: they are not.
    """
    digest = hashlib.sha256()
    with open(path, "xb", buffering=0) as file:
        for chunk in chunks:
            digest.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[file.write(view) :]
    if encode_hash(digest) != content:
        raise FolderError(f"the server's bytes of {os.path.basename(path)!r} are not of their hash: verify the version")


def split(chunks: Iterator[bytes]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The contents in an answer of ``autoflow.folders.contents``, each by its hash; each is read before the next.

    Raises:
        FolderError: the answer ends in the middle.
    """
    rest = b""
    while True:
        while b"\n" not in rest:
            chunk = next(chunks, None)
            if chunk is None:
                if rest:
                    raise _short()
                return
            rest += chunk
        line, _, rest = rest.partition(b"\n")
        content, _, size = line.decode("ascii").partition(" ")
        part = _Part(chunks, rest, int(size))
        yield content, part
        rest = part.rest


class _Part:
    """The bytes of one content; `rest` is what was read beyond it."""

    def __init__(self, chunks: Iterator[bytes], rest: bytes, size: int) -> None:
        self._chunks = chunks
        self._left = size
        self.rest = rest

    def __iter__(self) -> Iterator[bytes]:
        while self._left:
            chunk = self.rest or next(self._chunks, b"")
            if not chunk:
                raise _short()
            taken, self.rest = chunk[: self._left], chunk[self._left :]
            self._left -= len(taken)
            yield taken


def _short() -> FolderError:
    return FolderError("the server's answer ended too soon: try again")
