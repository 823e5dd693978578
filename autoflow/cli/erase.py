"""``autoflow erase`` and ``autoflow retention``: what is removed for good, with a dry run first."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from autoflow.cli.api_access import needs_autoflow_server, open_api, render_options
from autoflow.datasets.cache_store import cache_files
from autoflow.distribution import install
from autoflow.errors import ServerExtraMissing
from autoflow.graph.render.labels import format_time, printable
from autoflow.outbox.status import destinations
from autoflow.wire.contract.erasure import ErasePlanResponse, RetentionResponse

MAX_SHOWN = 20  # images, files and results of the dry run
_SEARCHED_BYTES = 1 << 20
_COMMENT = "#"


def erase(args: argparse.Namespace) -> int:
    """Print what would be erased, or with ``--yes`` erase it; with ``--verify`` check a report."""
    if args.verify is not None:
        return _verify(args.verify, as_json=args.json)
    refs = [*args.refs, *(_listed(args.list) if args.list is not None else ())]
    if not refs and not args.resume:
        raise ValueError("name what to erase: image:3, dataset:4/a.png, ./a.png, a sha256, task:5 or project:7")
    api = open_api()
    with needs_autoflow_server(api):
        if args.resume:
            report = api.erase.run(team_id=args.team)
            as_text = "Everything that was begun is erased."
            print(json.dumps(report, indent=2) if report or args.json else as_text)
            return 0
        plan = api.erase.plan(refs, team_id=args.team)
        journals = list(_journals_with(plan["names"]))
        if not args.yes:
            _print_plan(plan, journals, as_json=args.json)
            return 0
        report = api.erase.run(refs, team_id=plan["team"], reason=args.reason)
    for path in _files_with(plan["names"], cache_files()):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    text = json.dumps(report, indent=2)
    if args.report is not None:
        with open(args.report, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
    if args.json:
        print(text)
        return 0
    for line in _report_lines(report):
        print(printable(line))
    _print_journals(journals)
    if args.report is None:
        print("The signed report: autoflow erase --yes --report FILE writes it, `autoflow erase --reports` lists all.")
    return 0


def reports(args: argparse.Namespace) -> int:
    """Print the erasures of a team with their signed reports, as JSON."""
    api = open_api()
    with needs_autoflow_server(api):
        print(json.dumps(api.erase.list(args.team), ensure_ascii=False, indent=2))
    return 0


def run(args: argparse.Namespace) -> int:
    """Run ``autoflow erase``."""
    return reports(args) if args.reports else erase(args)


def _listed(path: str) -> list[str]:
    """Return the references in a file, one a line; empty lines and comments are left out."""
    with open(path, encoding="utf-8") as file:
        lines = (line.strip() for line in file)
        return [line for line in lines if line and not line.startswith(_COMMENT)]


def _verify(path: str, *, as_json: bool) -> int:
    """Check the signature of a report; exit code 1 if it is not valid."""
    try:
        from autoflow.server.maintenance.erasure.signature import is_valid
    except ImportError as error:
        raise ServerExtraMissing(f"reports are verified by more: {install('server')} ({error})") from error
    report: Any = None
    with open(path, encoding="utf-8") as file, contextlib.suppress(ValueError):  # not JSON
        report = json.load(file)
    valid = isinstance(report, dict) and is_valid(report)
    if as_json:
        print(json.dumps({"valid": valid}))
        return 0 if valid else 1
    if not valid:
        print(f"autoflow: {path} is not a report as it was signed", file=sys.stderr)
        return 1
    print(
        printable(f"The report is as it was signed by store {report.get('store')}, public key {report['publicKey']}.")
    )
    return 0


def _print_plan(plan: ErasePlanResponse, journals: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**plan, "journals": list(journals)}, ensure_ascii=False, indent=2))
        return
    print(f"Nothing is changed yet. From team {plan['team']} would be erased:")
    for image in plan["images"][:MAX_SHOWN]:
        state = "" if image["current"] else ", in versions only"
        print(printable(f"  image:{image['id']}  {image['name']} (project:{image['projectId']}{state})"))
    for file in plan["files"][:MAX_SHOWN]:
        print(printable(f"  file:{file['id']}  {file['path']}{' (contains an image)' if file['archive'] else ''}"))
    counts = ", ".join(f"{count} {name}" for name, count in plan["counts"].items() if count)
    print(f"  in all: {counts or 'nothing'}")
    if plan["keptForOtherTeams"]:
        print(f"The bytes of {len(plan['keptForOtherTeams'])} contents stay, because other teams have them.")
    if plan["made"]:
        more = "" if plan["complete"] else ", and more"
        print(f"Made from it, and not erased ({len(plan['made'])}{more}):")
        for entity in plan["made"][:MAX_SHOWN]:
            print(printable(f"  {entity['ref']}  {entity['name']}"))
    _print_journals(journals)
    print("Out of reach:")
    for phrase in plan["outOfReach"]:
        print(printable(f"  {phrase}"))
    print("Erase it with --yes; that cannot be undone.")


def _print_journals(journals: Sequence[str]) -> None:
    if journals:
        print("Journals of this machine name it: send them (`autoflow outbox sync`), or remove dead letters")
        print("(`autoflow outbox purge`), then erase it again:")
        for path in journals:
            print(printable(f"  {path}"))


def _report_lines(report: dict[str, Any]) -> Iterator[str]:
    counts = ", ".join(f"{count} {name}" for name, count in report["counts"].items() if count)
    yield f"Erasure {report['erasure']} of team {report['team']} is complete: {counts or 'nothing was left'}"
    if report["keptForOtherTeams"]:
        yield f"The bytes of {len(report['keptForOtherTeams'])} contents stay, because other teams have them."
    yield f"Out of reach: {'; '.join(report['outOfReach'])}"


def _journals_with(names: Sequence[str]) -> Iterator[str]:
    """Yield the files of this machine's outbox that have one of some names."""
    for _, folder in destinations():
        yield from _files_with(names, sorted(entry.path for entry in os.scandir(folder) if entry.is_file()))


def _files_with(names: Sequence[str], paths: Sequence[str]) -> Iterator[str]:
    """Yield the files that have one of some names."""
    forms = {form for name in names for form in (name.encode(), json.dumps(name)[1:-1].encode())}
    yield from (path for path in paths if _has(path, forms))


def _has(path: str, forms: set[bytes]) -> bool:
    overlap = max(map(len, forms), default=1)
    end = b""
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_SEARCHED_BYTES):
                if any(form in end + chunk for form in forms):
                    return True
                end = chunk[-overlap:]
    except OSError:
        return False
    return False


def retention(args: argparse.Namespace) -> int:
    """Print or change the rules of retention; with ``--yes`` apply them."""
    api = open_api()
    with needs_autoflow_server(api):
        if args.logs is not None or args.versions is not None:
            response = api.erase.set_retention(logs=args.logs, versions=args.versions, team_id=args.team)
        else:
            response = api.erase.retention(args.team)
        report = api.erase.apply_retention(response["team"]) if args.yes else None
    if args.json:
        print(json.dumps(response if report is None else report, indent=2))
    elif report is None:
        _print_rules(response)
    else:
        for line in _report_lines(report) if report else ("Nothing is older than it is kept.",):
            print(printable(line))
    return 0


def _print_rules(response: RetentionResponse) -> None:
    for kind in ("logs", "versions"):
        days = response["rules"].get(kind)
        duration = f"{days} days" if days else "for ever"
        print(f"{kind} of team {response['team']} are kept {duration}; {response['due'][kind]} are older")
    if response["needed"]:
        print(f"{response['needed']} versions are older and stay, because something needs them")
    if response["nextAt"]:
        print(f"Servers remove what is older once a day, next {format_time(response['nextAt'], render_options().zone)}")
    if any(response["due"].values()):
        print("Remove it now with --yes; that cannot be undone.")
