"""Copies a whole store to a server: projects with their versions, files and runs, each once.

The target stores which id each row got there, so that a further call copies what is new. What is killed goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from autoflow.errors import TransferError
from autoflow.transfer.files import FileCopier
from autoflow.transfer.ids import TargetIds
from autoflow.transfer.runs import RunCopier
from autoflow.transfer.versions import check_servers, copy_version
from autoflow.transport.base import Transport
from autoflow.transport.typed import call
from autoflow.wire.contract import store_transfers as contract
from autoflow.wire.contract.versions import SNAPSHOT, SnapshotRequest

Progress = Callable[[str, int, int], Any]  # of what, number done, total

TITLE = "as it was pushed"  # of the version that is saved of a project which has changed since its last one


class StoreCopy(NamedTuple):
    """The rows that a call copied, or with a dry run would copy, and the ids of everything on the target.

    Args:
        versions, files, runs: numbers of what was copied now.
        projects, tasks: ids on the target by those in the store.
        moved: paths of files that were copied to other paths, as theirs are in use.
        skipped: why versions could not be copied, by their ids in the store.
    """

    versions: int
    files: int
    runs: int
    projects: dict[int, int]
    tasks: dict[int, int]
    moved: dict[str, str]
    skipped: dict[int, str]


def copy_store(
    source: Transport, target: Transport, *, dry_run: bool = False, progress: Progress | None = None
) -> StoreCopy:
    """Copy everything that the target lacks; versions that cannot be copied are skipped.

    Args:
        source, target: the servers.
        dry_run: count only; nothing is written on either server.
        progress: called with what is copied, the number done and the total.

    Raises:
        TransferError: a server is a Supervisely instance, both are the same, or a file cannot be copied.
        ServerError: a server failed or refused.
    """
    check_servers(source, target)
    store, projects = _projects(source)
    if next(_project_pages(target))["store"] == store:
        raise TransferError(f"{target.origin} serves the same store as {source.origin}")
    ids = TargetIds(target, store)
    ids.find("project", [])  # the target's team
    files, runs = FileCopier(source, target, store, ids), RunCopier(source, target, store, ids)
    skipped: dict[int, str] = {}
    if dry_run:
        versions = sum(_missing_versions(ids, project) for project in projects)
        counts = (versions, sum(1 for _ in files.missing()), len(runs.missing()))
    else:
        copied = 0
        for number, project in enumerate(projects, 1):
            copied += _copy_project(source, target, ids, project, skipped)
            if progress is not None:
                progress("projects", number, len(projects))
        files.run()
        runs.run()
        counts = (copied, files.copied, runs.copied)
    known = ids.find("project", [project["id"] for project in projects])
    return StoreCopy(
        *counts, {source_id: copy[0] for source_id, copy in known.items()}, runs.tasks, files.moved, skipped
    )


def _projects(source: Transport) -> tuple[str, list[contract.SourceProject]]:
    pages = list(_project_pages(source))
    return pages[0]["store"], [project for page in pages for project in page["projects"]]


def _project_pages(source: Transport) -> Iterator[contract.TransferProjectsResponse]:
    after: int | None = 0
    while after is not None:
        response = call(source, contract.TRANSFER_PROJECTS, contract.TransferProjectsRequest(after=after))
        yield response
        after = response["after"]


def _missing_versions(ids: TargetIds, project: contract.SourceProject) -> int:
    return len(project["versions"]) - len(ids.find("version", project["versions"])) + project["changed"]


def _copy_project(
    source: Transport, target: Transport, ids: TargetIds, project: contract.SourceProject, skipped: dict[int, str]
) -> int:
    """Copy the versions of a project that the target lacks, the oldest first; return how many."""
    versions = list(project["versions"])
    if project["changed"]:
        saved = call(source, SNAPSHOT, SnapshotRequest(project_id=project["id"], title=TITLE))
        versions.append(saved["id"])
    known = ids.find("version", versions)
    missing = [version for version in versions if version not in known]
    copied = 0
    for version in missing:
        try:
            copied += copy_version(source, target, version).created
        except TransferError as error:
            skipped[version] = str(error)
    return copied
