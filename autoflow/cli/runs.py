"""``autoflow runs`` and ``autoflow compare``: search runs by their results, and compare two of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping

from autoflow.cli.api_access import needs_autoflow_server, open_api, render_options
from autoflow.graph.render.labels import format_time, printable
from autoflow.wire.contract import runs as contract

MAX_SHOWN = 6  # results or parameters of a run in the list
MAX_PACKAGES = 20


def search(args: argparse.Namespace) -> int:
    """Print the runs that a condition holds for."""
    api = open_api()
    with needs_autoflow_server(api):
        response = api.search_runs(args.where, refs=args.refs, sort=args.sort, limit=args.limit)
    if args.json:
        print(json.dumps(response, ensure_ascii=False, indent=2))
        return 0
    zone = render_options().zone
    for run in response["runs"]:
        parts = [f"task:{run['id']}", printable(run["name"]), run["state"], format_time(run["startedAt"], zone)]
        parts += [printable(f"by {run['createdBy']}") if run["createdBy"] else ""]
        parts += [_shown(run["results"]), _shown(run["parameters"])]
        print("  ".join(part for part in parts if part))
    if not response["runs"]:
        print("There are no runs of this condition." if args.where else "There are no runs.", file=sys.stderr)
    if response["next"] is not None:
        print(f"and more: the first {len(response['runs'])} are shown, --limit shows others")
    return 0


def compare(args: argparse.Namespace) -> int:
    """Print what differs between two runs."""
    api = open_api()
    with needs_autoflow_server(api):
        response = api.compare(args.first, args.second)
    if args.json:
        print(json.dumps(response, ensure_ascii=False, indent=2))
        return 0
    for line in _comparison_lines(response):
        print(line)
    return 0


def _shown(values: Mapping[str, float | str]) -> str:
    parts = [f"{printable(name)}={_number(value)}" for name, value in list(values.items())[:MAX_SHOWN]]
    return " ".join(parts) + (" …" if len(values) > MAX_SHOWN else "")


def _number(value: float | str | None) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else printable(str(value))


def _comparison_lines(response: contract.CompareRunsResponse) -> Iterator[str]:
    for run in (response["first"], response["second"]):
        yield f"task:{run['id']}  {printable(run['name'])}  {run['state']}"
        yield from (f"  {printable(link['title'])}: {printable(link['url'])}" for link in run["links"])
    yield ""
    if response["comparable"]:
        yield "The results can be compared: both runs read the same data."
    elif response["comparable"] is None:
        yield f"Whether the results can be compared is unknown: {printable(response['reason'] or '')}."
    else:
        yield f"The results cannot be compared: {printable(response['reason'] or '')}."
    yield from _data_lines(response)
    for title, pairs in (
        ("results", response["results"]),
        ("parameters", response["parameters"]),
        ("code", response["code"]),
        ("packages", response["packages"][:MAX_PACKAGES]),
    ):
        if pairs:
            yield ""
            yield f"{title}:"
        for pair in pairs:
            difference = _difference(pair["first"], pair["second"])
            yield f"  {printable(pair['name'])}  {_number(pair['first'])} -> {_number(pair['second'])}{difference}"
    if len(response["packages"]) > MAX_PACKAGES:
        yield f"  and {len(response['packages']) - MAX_PACKAGES} more, which --json has"


def _data_lines(response: contract.CompareRunsResponse) -> Iterator[str]:
    for sign, read_data in ((" ", response["same"]), ("-", response["onlyFirst"]), ("+", response["onlySecond"])):
        for read in read_data:
            number = f", V{read['number']}" if read["number"] is not None else ""
            yield f"  {sign} {read['ref']}  {printable(read['name'])}{number}"
    versions = {read["projectId"]: read["ref"] for read in response["onlyFirst"] if read["digest"]}
    for read in response["onlySecond"]:
        if read["digest"] and (before := versions.get(read["projectId"])) is not None:
            yield f"    autoflow versions diff {before} {read['ref']} prints what changed"


def _difference(first: float | str | None, second: float | str | None) -> str:
    if isinstance(first, float) and isinstance(second, float) and first != second:
        return f"  ({second - first:+.6g})"
    return ""
