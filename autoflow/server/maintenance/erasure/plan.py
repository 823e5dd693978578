"""The dry run of an erasure."""

from __future__ import annotations

import time

from sqlalchemy import Connection, func, select

from autoflow.server.db import content_ids
from autoflow.server.db.access import caller, visible
from autoflow.server.db.schema import files, items, items_history, projects, versions, workspaces
from autoflow.server.maintenance.erasure import texts
from autoflow.server.maintenance.erasure.code import CodeRedaction
from autoflow.server.maintenance.erasure.targets import ITEM_TABLES, Targets, target_rows
from autoflow.server.paging import chunks
from autoflow.server.versions.versions import COMMITTED
from autoflow.wire.content_hash import hex_of
from autoflow.wire.contract.erasure import ErasedFile, ErasedImage

MAX_LISTED = 100  # images and files


def images(conn: Connection, targets: Targets) -> tuple[list[ErasedImage], dict[str, int]]:
    """Return the first images of an erasure, and the numbers of rows and versions."""
    by_id: dict[int, ErasedImage] = {}
    counts = {"items": 0, "history": 0}
    spans: dict[int, list[tuple[int, float]]] = {}
    for table in reversed(ITEM_TABLES):
        for row in target_rows(conn, table, targets):
            counts["history" if table is items_history else "items"] += 1
            spans.setdefault(row["project_id"], []).append((row["valid_from"], row.get("valid_to", float("inf"))))
            by_id[row["id"]] = {
                "id": row["id"],
                "name": row["name"],
                "datasetId": row["dataset_id"],
                "projectId": row["project_id"],
                "current": table is items,
            }
    listed = sorted(by_id.values(), key=lambda image: (not image["current"], image["id"]))
    return listed[:MAX_LISTED], {**counts, "images": len(by_id), "versions": _count_versions(conn, spans)}


def _count_versions(conn: Connection, spans: dict[int, list[tuple[int, float]]]) -> int:
    count = 0
    for part in chunks(sorted(spans)):
        query = select(versions.c.project_id, versions.c.epoch).where(versions.c.project_id.in_(part), COMMITTED)
        for project_id, epoch in conn.execute(query):
            count += any(start <= epoch < end for start, end in spans[project_id])
    return count


def team_files(conn: Connection, targets: Targets) -> tuple[list[ErasedFile], int]:
    """Return the first team files of an erasure, and their number."""
    by_id: dict[int, ErasedFile] = {}
    conditions = [files.c.id.in_(part) for part in chunks(sorted(targets.archive_ids))]
    conditions += [files.c.hash.in_(part) for part in chunks(sorted(targets.hashes))]
    for condition in conditions:
        for row in conn.execute(select(files).where(condition, visible(conn, files))):
            by_id[row.id] = {"id": row.id, "path": row.path, "archive": row.hash not in targets.hashes}
    return [by_id[file_id] for file_id in sorted(by_id)][:MAX_LISTED], len(by_id)


def kept_for_other_teams(conn: Connection, targets: Targets) -> list[str]:
    """Return the contents, in hexadecimal digits, that an item or a file of another team has."""
    own = sorted(caller(conn).teams or ())
    other_projects = select(projects.c.id).join(workspaces).where(workspaces.c.team_id.not_in(own))
    shared: set[str] = set()
    for part in chunks(sorted(targets.hashes)):
        shared.update(
            conn.execute(select(files.c.hash).where(files.c.hash.in_(part), files.c.team_id.not_in(own))).scalars()
        )
        for table in ITEM_TABLES:
            others = (content_ids.content_in(table, part), table.c.project_id.in_(other_projects))
            shared.update(
                conn.execute(select(table.c.hash).where(*others, table.c.hash.is_not(None)).distinct()).scalars()
            )
    return sorted(map(hex_of, shared))


def entities(conn: Connection, targets: Targets) -> dict[str, int]:
    """Return what is removed with projects and runs, in numbers."""
    counts = {"projects": len(targets.projects), "runs": len(targets.tasks)}
    for part in chunks(sorted(targets.projects)):
        for name, table in (("items", items), ("history", items_history), ("versions", versions)):
            count = conn.execute(
                select(func.count()).select_from(table).where(table.c.project_id.in_(part))
            ).scalar_one()
            counts[name] = counts.get(name, 0) + count
    return counts


def counted_texts(conn: Connection, team_id: int, targets: Targets) -> dict[str, int]:
    """Return how many texts have one of the names, how many runs have code with a name or content, how many names are
    too short to search for, and 1 as ``texts not counted`` if reading all of that takes too long.
    """
    redaction = texts.Redaction(sorted(targets.names))
    until = time.monotonic() + texts.COUNT_SECONDS
    number, is_complete = texts.count(conn, redaction, until)
    code = CodeRedaction(team_id, redaction, set(map(hex_of, targets.hashes)))
    with_code, is_code_complete = code.count(conn, until)
    counts = {"texts": number, "code of runs": with_code, "names too short": len(redaction.too_short)}
    return counts if is_complete and is_code_complete else {**counts, "texts not counted": 1}
