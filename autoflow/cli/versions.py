"""``autoflow versions``: create, list, compare, restore, delete and verify versions of projects."""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from autoflow.api.client import Api
from autoflow.api.version import version_info
from autoflow.cli.api_access import needs_autoflow_server, open_api, render_options
from autoflow.cli.progress import Progress
from autoflow.cli.version_diff import MAX_LISTED_JSON, class_rows, diff_lines
from autoflow.datasets.export import restore_to_folder
from autoflow.datasets.import_options import ImportOptions
from autoflow.datasets.left_out import shown
from autoflow.datasets.sync import FolderImport, import_folder
from autoflow.datasets.version_reader import Selection
from autoflow.errors import ServerRefused
from autoflow.graph.render.labels import display_width, format_time, printable
from autoflow.model.reference import parse
from autoflow.model.version import VersionInfo
from autoflow.transfer.versions import copy_version
from autoflow.transport.typed import call
from autoflow.wire import methods
from autoflow.wire.contract.admin import (
    COLLECT,
    VERIFY,
    CollectRequest,
    IntegrityProblem,
    MaintenanceResponse,
    VerifyRequest,
)
from autoflow.wire.contract.method import Method
from autoflow.wire.contract.versions import SNAPSHOT, SnapshotRequest

MAX_LISTED = 20  # changed items

Request = TypeVar("Request", VerifyRequest, CollectRequest)
Response = TypeVar("Response", bound=MaintenanceResponse)


def _project(text: str) -> int:
    """Return the id of the project that an argument names.

    Raises:
        ValueError: it does not name a project.
    """
    reference = parse(text, default_kind="project")
    if reference.kind != "project" or reference.version is not None:
        raise ValueError(f"{text!r} is not a project: write project:7, or 7")
    return reference.id


def _version(api: Api, text: str) -> VersionInfo:
    """Return the version that an argument names.

    Raises:
        ValueError: it does not name a version.
        ServerRefused: the server does not know the version.
    """
    reference = parse(text, default_kind="version")
    if reference.kind == "project" and reference.version is not None:
        version_id = api.project.version.get_id_by_number(reference.id, reference.version)
        if version_id is None:
            raise ValueError(
                f"project {reference.id} has no version {reference.version}: "
                f"see `autoflow versions list {reference.id}`"
            )
        reference = reference._replace(kind="version", id=version_id)
    if reference.kind != "version":
        raise ValueError(f"{text!r} is not a version: write version:12, 12, or project:7#3")
    return version_info(api.transport.call(methods.VERSION_INFO, {"id": reference.id}))


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def create(args: argparse.Namespace) -> int:
    """Create a version of a project, or of a folder after its import; without changes the latest version is used."""
    api = open_api()
    source = args.source
    with needs_autoflow_server(api), Progress(quiet=args.json) as progress:
        imported = _import(api, args, progress) if _is_folder(source) else None
        project_id = imported.project.id if imported is not None else _project(source)
        request = SnapshotRequest(project_id=project_id, title=args.title, description=args.description)
        version = call(api.transport, SNAPSHOT, request)
    if args.json:
        left_out = {group.reason: group.paths for group in imported.left_out} if imported is not None else {}
        lost = imported.lost if imported is not None else {}
        members = {name: value for name, value in (("leftOut", left_out), ("lost", lost)) if value}
        _print_json({"project": project_id, **version, **members})
        return 0
    note = "" if version["created"] else ": nothing has changed since"
    if imported is not None and imported.changed:
        note += f", except files that it leaves out: {shown(imported.changed)}"
    print(f"version:{version['id']} is version {version['version']} of project:{project_id}{note}")
    return 0


def _import(api: Api, args: argparse.Namespace, progress: Progress) -> FolderImport:
    """Import the folder that the arguments name."""
    options = ImportOptions(
        name=args.name,
        workspace_id=args.workspace,
        project_id=args.project,
        project_type=args.type,
        by_reference=args.by_reference,
        rehash=args.rehash,
        follow_links=args.follow_links,
        strict=args.strict,
        skip_bad=args.skip_bad,
        progress=progress,
    )
    return import_folder(api.transport, args.source, options)


def _is_folder(source: str) -> bool:
    """Return whether a source is a folder, and not a number or ``project:N``.

    Raises:
        ValueError: it is neither a project nor an existing folder.
    """
    if source.isdecimal() or source.startswith("project:"):
        return False
    if os.path.isdir(source):
        return True
    raise ValueError(f"{source!r} is neither a project (write project:7, or 7) nor an existing folder")


def list_all(args: argparse.Namespace) -> int:
    """Print the versions of a project."""
    api = open_api()
    versions = api.project.version.get_list(_project(args.project))
    if args.json:
        _print_json([version._asdict() for version in versions])
        return 0
    logins = _logins(api, versions)
    for line in _table([_row(version, logins) for version in versions]):
        print(line)
    if not versions:
        print(f"There are no versions; create one with `autoflow versions create {args.project}`.", file=sys.stderr)
    return 0


def _logins(api: Api, versions: Iterable[VersionInfo]) -> dict[int, str]:
    """Return the logins of the users who made versions, by their ids; without users that the caller does not see."""
    logins: dict[int, str] = {}
    for number in {version.created_by for version in versions if version.created_by is not None}:
        with contextlib.suppress(ServerRefused):
            logins[number] = str(api.transport.call("users.info", {"id": number})["login"])
    return logins


def _row(version: VersionInfo, logins: Mapping[int, str]) -> tuple[str, ...]:
    created = format_time(version.created_at, render_options().zone)
    title, description = printable(version.name or ""), printable(version.description or "")
    author = printable(logins.get(version.created_by or 0, ""))
    return f"version:{version.id}", f"V{version.version}", created, author, title, description


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Return the lines of a table, its columns aligned."""
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(
            cell + " " * (column_width - display_width(cell)) for cell, column_width in zip(row, widths, strict=True)
        ).rstrip()


def show(args: argparse.Namespace) -> int:
    """Print one version."""
    api = open_api()
    version = _version(api, args.which)
    if args.json:
        _print_json(version._asdict())
        return 0
    print(f"version:{version.id} is version {version.version} of project:{version.project_id}")
    for name, value in (("title", version.name), ("description", version.description), ("status", version.status)):
        if value:
            print(printable(f"  {name:<12}{value}"))
    print(f"  {'created':<12}{format_time(version.created_at, render_options().zone)}")
    for login in _logins(api, [version]).values():
        print(printable(f"  {'by':<12}{login}"))
    return 0


def diff(args: argparse.Namespace) -> int:
    """Print the differences between two versions, or between a version and the present state of the project."""
    api = open_api()
    before = _version(api, args.before)
    after = _version(api, args.after) if args.after is not None else None
    differences = api.project.version.diff(
        before.id, after.id if after is not None else None, limit=MAX_LISTED_JSON if args.json else MAX_LISTED
    )
    tables = api.project.version.tables(differences)
    classes = api.project.version.classes(before.id, after.id if after is not None else None) if args.classes else []
    if args.json:
        counted = {"classUses": classes} if args.classes else {}
        _print_json({**differences, "tables": [table._asdict() for table in tables], **counted})
        return 0
    for line in diff_lines(differences, {table.path: str(table) for table in tables}):
        print(printable(line))
    for line in _table(class_rows(classes)):
        print(printable(line))
    return 0


def restore(args: argparse.Namespace) -> int:
    """Restore a version as a new project, or with ``--to`` as a folder."""
    parts = (args.format, args.dataset, args.filter, args.sample)
    if args.to is None and (args.strict or args.link or any(part is not None for part in parts)):
        raise ValueError(
            "--format, --strict, --link, --dataset, --filter and --sample need --to: a project is restored as a whole"
        )
    if args.to is not None and args.skip_missed:
        raise ValueError("--skip-missed is for a restored project; --filter and --dataset choose what a folder gets")
    api = open_api()
    version = _version(api, args.which)
    name = f"version:{version.id}"
    with Progress(quiet=args.json) as progress:
        report = functools.partial(progress, name)
        if args.to is not None:
            restored = restore_to_folder(
                api.transport,
                version.id,
                args.to,
                "link" if args.link else "auto",
                progress=report,
                folder_format=args.format,
                selection=Selection(dataset=args.dataset, pattern=args.filter, sample=args.sample),
                strict=args.strict,
            )
            result: dict[str, Any] = {"version": version.id, "path": restored.path}
            if restored.lost:
                result["lost"] = restored.lost
        else:
            project = api.project.version.restore(
                version.project_id,
                version_id=version.id,
                skip_missed_entities=args.skip_missed,
                workspace_id=args.workspace,
                name=args.name,
                progress=report,
            )
            result = {"version": version.id, "project": project.id, "name": project.name}
    if args.json:
        _print_json(result)
    elif args.to is not None:
        print(f"{name} was written to {args.to}")
    else:
        print(printable(f"{name} was restored as project:{result['project']}  {result['name']}"))
    return 0


def push(args: argparse.Namespace) -> int:
    """Copy a version to another server."""
    api = open_api()
    return _copy(args, api, _other(args), _version(api, args.which))


def pull(args: argparse.Namespace) -> int:
    """Copy a version from another server."""
    other = _other(args)
    return _copy(args, other, open_api(), _version(other, args.which))


def _other(args: argparse.Namespace) -> Api:
    return Api(args.server, args.token)


def _copy(args: argparse.Namespace, source: Api, target: Api, version: VersionInfo) -> int:
    label = f"version:{version.id}"
    with Progress(quiet=args.json) as progress:
        copy = copy_version(
            source.transport,
            target.transport,
            version.id,
            workspace_id=args.workspace,
            name=args.name,
            progress=functools.partial(progress, label),
        )
    if args.json:
        _print_json(copy._asdict())
        return 0
    there = f"version:{copy.version} (V{copy.number} of project:{copy.project}  {copy.name}) on {target.origin}"
    if copy.created:
        print(printable(f"{label} is now {there}: {copy.items:,} items, {copy.uploaded:,} files sent"))
    else:
        print(printable(f"nothing to copy: {label} is {there}"))
    return 0


def delete(args: argparse.Namespace) -> int:
    """Delete a version after confirmation; exit code 1 if it was not confirmed."""
    api = open_api()
    version = _version(api, args.which)
    label = f"version:{version.id} (V{version.version} of project:{version.project_id})"
    if models := api.project.version.models_made_from(version.id):
        print(f"autoflow: made from {label}: {', '.join(models)}", file=sys.stderr)
    if not args.yes:
        if not sys.stdin.isatty():
            print(f"autoflow: {label} would be deleted permanently; confirm with --yes", file=sys.stderr)
            return 1
        if input(f"Delete {label} permanently? [y/N] ").strip().lower() not in {"y", "yes"}:
            return 1
    api.project.version.delete(version.id)
    if args.json:
        _print_json({"deleted": version.id})
    else:
        print(f"{label} was deleted. Run `autoflow versions collect` to free its disk space.")
    return 0


def verify(args: argparse.Namespace) -> int:
    """Verify versions: at level 1 database rows, at 2 also the sizes of files, at 3 also their content.

    Exit code 1 if something is damaged; the damage and the affected versions are printed.
    """
    api = open_api()
    request = VerifyRequest(project_id=args.project)
    if args.which is not None:
        request = VerifyRequest(id=_version(api, args.which).id)
    problems: list[IntegrityProblem] = []
    counts: dict[str, int] = {}
    with needs_autoflow_server(api), Progress(quiet=args.json) as progress:
        for level in sorted({1, args.level}):  # levels 2 and 3 do not include level 1
            level_counts: dict[str, int] = {}
            for response in _call_until_done(api, VERIFY, replace(request, level=level)):
                problems += response["problems"]
                level_counts = response["counts"]
                progress("verified", level_counts["versions"] or level_counts["blobs"] + level_counts["sources"])
            counts = {name: counts.get(name, 0) + count for name, count in level_counts.items()}
    if args.json:
        _print_json({"whole": not problems, "counts": counts, "problems": problems})
        return 1 if problems else 0
    checked = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count and name != "problems")
    print(f"checked {checked or 'nothing'}: " + (f"{len(problems):,} damaged" if problems else "no damage found"))
    for problem in problems:
        print(printable(f"  {problem['hash'] or 'rows'}: {problem['problem']}"))
        for version in problem["versions"]:
            label = f"version:{version['id']} (V{version['version']} of project:{version['projectId']})"
            print(f"    used by {label}")
    for line in _remedies(problems):
        print(line)
    return 1 if problems else 0


def _remedies(problems: Sequence[IntegrityProblem]) -> list[str]:
    """Return what can be done about damage: what is stored can be uploaded again, files elsewhere be put back."""
    sources = [problem for problem in problems if problem["problem"].startswith("the source ")]
    lines = []
    if len(sources) < len(problems):
        lines.append(
            "Upload the damaged files again, or restore without them: autoflow versions restore VERSION --skip-missed"
        )
    if sources:
        lines.append(
            "Put the sources back as they were, or import their folder again from where it is now: "
            "autoflow versions create PATH --by-reference --project N"
        )
    return lines


def collect(args: argparse.Namespace) -> int:
    """Remove content that nothing uses, and print how much; a large share is removed after confirmation only."""
    api = open_api()
    try:
        counts = _collect(api, args, confirm=args.yes)
    except ServerRefused as refusal:
        if refusal.status != 409:
            raise
        print(f"autoflow: {refusal}", file=sys.stderr)
        if args.json or not sys.stdin.isatty() or input("Remove it? [y/N] ").strip().lower() not in {"y", "yes"}:
            return 1
        counts = _collect(api, args, confirm=True)
    if args.json:
        _print_json(counts)
    else:
        print("removed " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
        if counts["blobs"] + counts["strays"] > counts["emptied"] and not args.empty_trash:
            print("The files are in the trash for 7 days; --empty-trash frees the disk space now.")
    return 0


def _collect(api: Api, args: argparse.Namespace, *, confirm: bool) -> dict[str, int]:
    counts: dict[str, int] = {}
    with needs_autoflow_server(api), Progress(quiet=args.json) as progress:
        request = CollectRequest(confirm=confirm, empty_trash=args.empty_trash)
        for response in _call_until_done(api, COLLECT, request):
            counts = response["counts"]
            progress("removed", counts["rows"] + counts["blobs"])
    return counts


def _call_until_done(api: Api, method: Method[Request, Response], request: Request) -> Iterator[Response]:
    """Call a resumable method, which works for a limited time per call, until it is done."""
    while True:
        response = call(api.transport, method, request)
        yield response
        if response["done"]:
            return
        request = replace(request, state=response["state"])


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "create": create,
    "list": list_all,
    "show": show,
    "diff": diff,
    "restore": restore,
    "push": push,
    "pull": pull,
    "delete": delete,
    "verify": verify,
    "collect": collect,
}
