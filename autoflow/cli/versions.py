"""``autoflow versions``: save points of projects, made, looked at, compared, restored, deleted and checked."""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from autoflow.api.client import Api
from autoflow.api.version import version_info
from autoflow.cli.progress import Progress
from autoflow.cli.response_fields import ours, reader, server
from autoflow.errors import ServerRefused
from autoflow.graph.render.labels import display_width, format_time, printable
from autoflow.model.reference import parse
from autoflow.model.version import VersionInfo
from autoflow.wire import methods

SHOWN = 20  # changed items that are named one by one
MOST = 1000  # and in JSON
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def _project(text: str) -> int:
    """A project's number.

    Raises:
        ValueError: the text names none.
    """
    named = parse(text, default_kind="project")
    if named.kind != "project" or named.version is not None:
        raise ValueError(f"{text!r} is no project: write project:7, or 7")
    return named.id


def _version(api: Api, text: str) -> VersionInfo:
    """The version that is named.

    Raises:
        ValueError: the text names none.
        ServerRefused: the server does not know it.
    """
    named = parse(text, default_kind="version")
    if named.kind == "project" and named.version is not None:
        found = api.project.version.get_id_by_number(named.id, named.version)
        if found is None:
            raise ValueError(
                f"project {named.id} has no version {named.version}; see `autoflow versions list {named.id}`"
            )
        named = named._replace(kind="version", id=found)
    if named.kind != "version":
        raise ValueError(f"{text!r} is no version: write version:12, 12, or project:7#3")
    return version_info(api.transport.call(methods.VERSION_INFO, {"id": named.id}))


def _print(form: Any) -> None:
    print(json.dumps(form, ensure_ascii=False, indent=2))


def create(given: argparse.Namespace) -> int:
    """Save a project, or a folder as a project's next version; unchanged, it is the version there is."""
    api = server()
    source = given.source
    with ours(api), Progress(quiet=given.json) as progress:
        if _is_folder(source):
            project = api.project.from_folder(
                source,
                name=given.name,
                workspace_id=given.workspace,
                project_id=given.project,
                by_reference=given.by_reference,
                rehash=given.rehash,
                follow_links=given.follow_links,
                progress=progress,
            ).id
        else:
            project = _project(source)
        body = {"projectId": project, "title": given.title, "description": given.description}
        made = api.transport.call(methods.SNAPSHOT, body)
    if given.json:
        _print({"project": project, **made})
        return 0
    same = "" if made["created"] else ": nothing has changed since"
    print(f"version:{made['id']} is version {made['version']} of project:{project}{same}")
    return 0


def _is_folder(source: str) -> bool:
    """Whether a source is a path: it is no number and no ``project:N``, or it has a slash or a dot before all.

    Raises:
        ValueError: it is neither.
    """
    if source.isdecimal() or source.startswith("project:"):
        return False
    if os.path.isdir(source):
        return True
    raise ValueError(f"{source!r} is neither a project (project:7, or 7) nor a folder that is there")


def list_all(given: argparse.Namespace) -> int:
    """Print a project's versions."""
    api = server()
    found = api.project.version.get_list(_project(given.project))
    if given.json:
        _print([one._asdict() for one in found])
        return 0
    for line in _table([_row(one) for one in found]):
        print(line)
    if not found:
        print(f"There is none yet: autoflow versions create {given.project}", file=sys.stderr)
    return 0


def _row(one: VersionInfo) -> tuple[str, ...]:
    made = format_time(one.created_at, reader().zone)
    return f"version:{one.id}", f"V{one.version}", made, printable(one.name or ""), printable(one.description or "")


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(display_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(
            cell + " " * (wide - display_width(cell)) for cell, wide in zip(row, widths, strict=True)
        ).rstrip()


def show(given: argparse.Namespace) -> int:
    """Print one version."""
    found = _version(server(), given.which)
    if given.json:
        _print(found._asdict())
        return 0
    print(f"version:{found.id} is version {found.version} of project:{found.project_id}")
    for name, value in (("title", found.name), ("description", found.description), ("status", found.status)):
        if value:
            print(printable(f"  {name:<12}{value}"))
    print(f"  {'made':<12}{format_time(found.created_at, reader().zone)}")
    return 0


def diff(given: argparse.Namespace) -> int:
    """Print what was added, removed and changed from one version to another, or to the project as it is now."""
    api = server()
    before = _version(api, given.before)
    after = _version(api, given.after) if given.after is not None else None
    told = api.project.version.diff(
        before.id, after.id if after is not None else None, limit=MOST if given.json else SHOWN
    )
    if given.json:
        _print(told)
        return 0
    for line in _differences(told):
        print(printable(line))
    return 0


def _differences(told: Mapping[str, Any]) -> Iterator[str]:
    """A diff, line by line: counts first, names after them."""
    until = told["to"]
    other = f"version:{until['id']} (V{until['version']})" if until else "now"
    yield f"project:{told['projectId']}, version:{told['from']['id']} (V{told['from']['version']}) to {other}"
    counts = told["counts"]
    if not any(counts[kind].get(how) for kind in ("items", "classes", "tags", "datasets") for how in _SIGNS):
        yield "  nothing changed"
        return
    for kind in ("items", "labels", "classes", "tags", "datasets"):
        told_of = {how: counts[kind].get(how, 0) for how in _SIGNS}
        if any(told_of.values()):
            yield f"  {kind:<9}" + ", ".join(f"{count:,} {how}" for how, count in told_of.items() if count)
    for kind in ("classes", "tags", "datasets"):
        for how, sign in _SIGNS.items():
            for name in told[kind][how]:
                yield f"  {sign} {kind.rstrip('s').removesuffix('se')} {name}"
    for change in told["changes"]:
        item = change["after"] or change["before"]
        aspects = f"  ({', '.join(change['aspects'])})" if change["aspects"] else ""
        yield f"  {_SIGNS[change['status']]} {'/'.join([*item['dataset'], item['name']])}{aspects}"
    left = sum(counts["items"].get(how, 0) for how in _SIGNS) - len(told["changes"])
    if left > 0:
        yield f"  and {left:,} more; --json has up to a thousand"


def restore(given: argparse.Namespace) -> int:
    """Make a version a new project, or with ``--to`` a folder."""
    api = server()
    found = _version(api, given.which)
    name = f"version:{found.id}"
    with Progress(quiet=given.json) as progress:
        told = functools.partial(progress, name)
        if given.to is not None:
            path = api.project.version.to_folder(found.id, given.to, progress=told)
            made: dict[str, Any] = {"version": found.id, "path": path}
        else:
            project = api.project.version.restore(
                found.project_id,
                version_id=found.id,
                skip_missed_entities=given.skip_missed,
                workspace_id=given.workspace,
                name=given.name,
                progress=told,
            )
            made = {"version": found.id, "project": project.id, "name": project.name}
    if given.json:
        _print(made)
    elif given.to is not None:
        print(f"{name} is in {given.to}")
    else:
        print(printable(f"{name} is project:{made['project']}  {made['name']}"))
    return 0


def delete(given: argparse.Namespace) -> int:
    """Delete a version, after asking; 1 when nobody could be asked, or said no."""
    api = server()
    found = _version(api, given.which)
    what = f"version:{found.id} (V{found.version} of project:{found.project_id})"
    if not given.yes:
        if not sys.stdin.isatty():
            print(f"autoflow: {what} would be deleted for good; say --yes", file=sys.stderr)
            return 1
        if input(f"Delete {what} for good? [y/N] ").strip().lower() not in {"y", "yes"}:
            return 1
    api.project.version.delete(found.id)
    if given.json:
        _print({"deleted": found.id})
    else:
        print(f"{what} is deleted; `autoflow versions collect` frees what no version needs.")
    return 0


def verify(given: argparse.Namespace) -> int:
    """Check that versions are whole, at level 1 their rows, at 2 the sizes of their files too, at 3 every byte.

    1 when something is damaged: what it is and which versions need it is printed.
    """
    api = server()
    body: dict[str, Any] = {"projectId": given.project} if given.project is not None else {}
    if given.which is not None:
        body = {"id": _version(api, given.which).id}
    problems: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    with ours(api), Progress(quiet=given.json) as progress:
        for level in sorted({1, given.level}):  # a level looks at what is its own alone
            told: dict[str, int] = {}
            for answer in _steps(api, methods.VERIFY, {**body, "level": level}):
                problems += answer["problems"]
                told = answer["counts"]
                progress("verified", told["versions"] or told["blobs"] + told["sources"])
            counts = {name: counts.get(name, 0) + count for name, count in told.items()}
    if given.json:
        _print({"whole": not problems, "counts": counts, "problems": problems})
        return 1 if problems else 0
    looked = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count and name != "problems")
    print(f"{looked or 'nothing'} looked at, " + (f"{len(problems):,} damaged:" if problems else "all whole"))
    for problem in problems:
        print(printable(f"  {problem['hash'] or 'rows'}: {problem['problem']}"))
        for one in problem["versions"]:
            print(f"    needed by version:{one['id']} (V{one['version']} of project:{one['projectId']})")
    if problems:
        print("Upload what is damaged again, or restore without it: autoflow versions restore VERSION --skip-missed")
    return 1 if problems else 0


def collect(given: argparse.Namespace) -> int:
    """Remove what no version and nothing else needs, and say how much that was; a large share after asking."""
    api = server()
    try:
        counts = _collect(api, given, confirm=given.yes)
    except ServerRefused as refusal:
        if refusal.status != 409:
            raise
        print(f"autoflow: {refusal}", file=sys.stderr)
        if given.json or not sys.stdin.isatty() or input("Remove them? [y/N] ").strip().lower() not in {"y", "yes"}:
            return 1
        counts = _collect(api, given, confirm=True)
    if given.json:
        _print(counts)
    else:
        print("removed " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
        if counts["blobs"] + counts["strays"] > counts["emptied"] and not given.empty_trash:
            print("Their bytes are in the trash for 7 days; --empty-trash frees them now.")
    return 0


def _collect(api: Api, given: argparse.Namespace, *, confirm: bool) -> dict[str, int]:
    counts: dict[str, int] = {}
    with ours(api), Progress(quiet=given.json) as progress:
        for answer in _steps(api, methods.COLLECT, {"confirm": confirm, "emptyTrash": given.empty_trash}):
            counts = answer["counts"]
            progress("removed", counts["rows"] + counts["blobs"])
    return counts


def _steps(api: Api, method: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The answers of long work, each of a bounded time, until it is done."""
    state = None
    while True:
        answer = api.transport.call(method, {**body, "state": state})
        yield answer
        if answer["done"]:
            return
        state = answer["state"]


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "create": create,
    "list": list_all,
    "show": show,
    "diff": diff,
    "restore": restore,
    "delete": delete,
    "verify": verify,
    "collect": collect,
}
