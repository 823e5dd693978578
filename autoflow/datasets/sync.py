"""Import of a folder as a project, which equals the folder afterwards (`folder_sync`)."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

from autoflow.api.models import ProjectInfo, project_info
from autoflow.datasets import formats, left_out, target
from autoflow.datasets.cache_store import CacheStore, locked_store
from autoflow.datasets.folder_sync import FolderSync
from autoflow.datasets.formats import project_type_of
from autoflow.datasets.image_uploader import ImageUploader
from autoflow.datasets.import_options import ImportOptions
from autoflow.datasets.left_out import LeftOut
from autoflow.datasets.tree import walk
from autoflow.errors import FolderError, ServerError
from autoflow.transport.base import Transport
from autoflow.transport.embedded import ORIGIN as EMBEDDED
from autoflow.wire import methods

logger = logging.getLogger("autoflow")


class FolderImport(NamedTuple):
    """A finished import.

    Args:
        project: the project that equals the folder now.
        left_out: what of the folder is not in it, by reason.
        changed: those of the files that were left out which have changed since the last import.
        lost: what of the labels that were read is not kept, as numbers by what it is.
    """

    project: ProjectInfo
    left_out: list[LeftOut]
    changed: list[str]
    lost: dict[str, int]


def import_folder(transport: Transport, path: str | os.PathLike[str], options: ImportOptions) -> FolderImport:
    """Import a folder as a project, or update the project of its last import; see `ProjectApi.from_folder`."""
    root = _checked_root(transport, path, options)
    with contextlib.ExitStack() as stack:
        caches = stack.enter_context(locked_store(transport.origin, root))
        existing = target.find_project(
            transport, caches, options.name, options.workspace_id, options.project_id, options.project_type
        )
        tree = walk(root, follow=options.follow_links)
        cache = stack.enter_context(contextlib.closing(caches.open(existing.id))) if existing is not None else None
        state = cache.state() if cache is not None else {}
        types = formats.format_types()
        fingerprint = formats.fingerprint(tree, types)
        is_same = fingerprint is not None and fingerprint == state.get("fingerprint") and not options.rehash
        project_type = target.type_of(existing) if existing is not None else options.project_type
        folder = formats.detect_format(tree, types, state.get("format") if is_same else None, project_type)
        is_same = is_same and folder.name == state.get("format")
        listing = folder.listing()
        if existing is None:
            folder.meta()  # report errors before anything is created
        sources = state["sources"] if is_same and "sources" in state else formats.label_sources(tree, folder, types)
        skipped = left_out.left_out(tree, listing, sources)
        if options.strict:
            left_out.refuse(tree, skipped)
        unimported, changed = left_out.track(tree, skipped, state.get("left_out"))
        left_out.report(tree, skipped, changed)
        project = existing or target.create_project(
            transport, root, options.name, options.workspace_id, project_type_of(folder)
        )
        if cache is None:
            cache = stack.enter_context(contextlib.closing(caches.open(project.id)))
            cache.update_state(created=project.created_at, folder=os.fsencode(root).decode("utf-8", "replace"))
        uploader = ImageUploader(
            transport,
            tree,
            folder,
            by_reference=options.by_reference,
            rehash=options.rehash,
            follow=options.follow_links,
            strict=options.strict,
        )
        sync = FolderSync(transport, project.id, cache, tree, folder, uploader, unchanged=is_same, options=options)
        with _cleanup_on_error(transport, caches, project.id, created=existing is None, sync=sync):
            sync.run(
                listing,
                created=project.created_at,
                format=folder.name,
                fingerprint=fingerprint,
                sources=sources,
                left_out=unimported,
            )
    if uploader.lost:
        logger.warning("%s: %s", root, left_out.listed(uploader.lost))
    if sync.changed:
        project = project_info(transport.call(methods.PROJECT_INFO, {"id": project.id}))
    return FolderImport(project, skipped, changed, dict(uploader.lost))


def _checked_root(transport: Transport, path: str | os.PathLike[str], options: ImportOptions) -> str:
    """Return the real path of a folder.

    Raises:
        FolderError: it is no folder, or the options do not fit it or the server.
    """
    root = os.path.realpath(path)
    if not os.path.isdir(root):
        raise FolderError(f"{os.fspath(path)!r} is not a folder")
    if options.by_reference and transport.origin != EMBEDDED:
        raise FolderError(
            f"by_reference needs the embedded server, not {transport.origin}: set AUTOFLOW_SERVER=embedded, or "
            "import without by_reference"
        )
    if options.project_type not in {None, *target.TYPES}:
        raise FolderError(f"the type must be one of {', '.join(target.TYPES)}, not {options.project_type!r}")
    return root


def from_folder(transport: Transport, path: str | os.PathLike[str], **options: Any) -> ProjectInfo:
    """Import a folder by the members of `ImportOptions`; return its project."""
    return import_folder(transport, path, ImportOptions(**options)).project


@contextlib.contextmanager
def _cleanup_on_error(
    transport: Transport, caches: CacheStore, project_id: int, *, created: bool, sync: FolderSync
) -> Iterator[None]:
    """After an error, remove a project that was created for the folder; of another one report its state."""
    try:
        yield
    except BaseException as error:
        if created:
            with contextlib.suppress(ServerError):
                transport.call("projects.archive", {"id": project_id})
                caches.remove(project_id)
            raise
        note = (
            f"project {project_id} is partly updated; its versions are unchanged, and importing the folder again "
            "completes the update"
        )
        if sync.changed and isinstance(error, FolderError):
            raise FolderError(f"{error} ({note})") from error
        if sync.changed:
            logger.warning("%s", note)
        raise
