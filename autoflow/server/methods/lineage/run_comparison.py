"""``autoflow.runs.compare``: what differs between two runs, and whether their results can be compared.

Results of two runs can be compared if both read the same data. Versions with equal content are the same data; what was
read without a version may have changed between the runs, so that nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from autoflow.model.entity import EntityRef
from autoflow.server.db import json_codec, tasks
from autoflow.server.db.access import visible
from autoflow.server.db.schema import edges
from autoflow.server.lineage.details import describe_data
from autoflow.server.lineage.walk import entity_of
from autoflow.server.methods.lineage.run_search import scored_runs
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire.contract import runs as contract

MAX_INPUTS = 1000  # of one run
_DATA_TYPES = ("project_version", "project", "dataset")  # models and other files are not what a run is scored on
_CODE = ("commit", "dirty", "repository", "script_within", "python", "machine")


@implements(contract.RUNS_COMPARE)
def compare(conn: Connection, request: contract.CompareRunsRequest) -> contract.CompareRunsResponse:
    """Compare two runs by their tasks' ids."""
    rows = [tasks.get(conn, number) for number in (request.first, request.second)]
    first, second = scored_runs(conn, rows)
    facts = [json_codec.load(row["facts"]) for row in rows]
    data = [_data(conn, row["id"]) for row in rows]
    same = [data[0][key] for key in data[0] if key in data[1]]
    only_first = [read for key, read in data[0].items() if key not in data[1]]
    only_second = [read for key, read in data[1].items() if key not in data[0]]
    comparable, reason = _verdict(same, [*only_first, *only_second])
    return {
        "first": first,
        "second": second,
        "comparable": comparable,
        "reason": reason,
        "same": same,
        "onlyFirst": only_first,
        "onlySecond": only_second,
        "results": _pairs(first["results"], second["results"], equal=True),
        "parameters": _pairs(first["parameters"], second["parameters"]),
        "code": _pairs(*({name: _text(part[name]) for name in _CODE if name in part} for part in facts)),
        "packages": _pairs(*(_packages(part) for part in facts)),
    }


def _data(conn: Connection, task_id: int) -> dict[str, contract.ComparedData]:
    """Return the data that a run read, by content where that is known, else by entity."""
    query = select(edges).where(edges.c.task_id == task_id, edges.c.direction == "input", visible(conn, edges))
    query = query.where(edges.c.type.in_(_DATA_TYPES)).order_by(edges.c.id).limit(MAX_INPUTS)
    refs: dict[str, EntityRef] = {}
    for row in conn.execute(query).mappings():
        ref = entity_of(row)
        refs[ref.key] = ref
    data: dict[str, contract.ComparedData] = {}
    for key, details in describe_data(conn, list(refs.values())).items():
        digest = details.get("digest") if details["type"] == "project_version" else None
        data[f"content:{digest}" if digest else key] = {
            "ref": details["ref"],
            "name": details.get("projectName") or details["name"],
            "projectId": details.get("projectId"),
            "number": details.get("number"),
            "digest": digest,
        }
    return data


def _verdict(
    same: list[contract.ComparedData], different: list[contract.ComparedData]
) -> tuple[bool | None, str | None]:
    """Return whether the results of two runs can be compared, and why not."""
    if different:
        names = ", ".join(read["ref"] for read in different[:5]) + (" and others" if len(different) > 5 else "")
        return False, f"the runs read different data: only one of them read {names}"
    if not same:
        return None, "neither run recorded the data that it read"
    changing = [read["ref"] for read in same if read["digest"] is None]
    if changing:
        return None, f"{', '.join(changing[:5])} may have changed between the runs: record a version with @versioned"
    return True, None


def _pairs(first: Mapping[str, Any], second: Mapping[str, Any], *, equal: bool = False) -> list[contract.ComparedValue]:
    """Return the values of both by name; those that differ, or all."""
    return [
        {"name": name, "first": first.get(name), "second": second.get(name)}
        for name in sorted({*first, *second})
        if equal or first.get(name) != second.get(name)
    ]


def _packages(facts: Mapping[str, Any]) -> dict[str, str]:
    packages = facts.get("packages")
    return {name: _text(version) for name, version in packages.items()} if isinstance(packages, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_codec.dump(value)


READS: Mapping[str, Operation] = by_name(compare)
WRITES: Mapping[str, Operation] = {}
