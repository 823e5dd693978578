"""Verification of a version's rows: they are counted and their digest is recomputed, a batch at a time.

A version's rows never change, so sums over batches that are read in separate transactions are consistent.
"""

from __future__ import annotations

from typing import TypedDict

from sqlalchemy import Connection

from autoflow.server.db.change_tracking import original_ids_of
from autoflow.server.db.item_content import ContentRow, format_digest, sum_row_hashes
from autoflow.server.db.schema import datasets, datasets_history, items, project_meta
from autoflow.server.versions import snapshot, versions
from autoflow.server.versions.snapshot import SnapshotRef


class RowSums(TypedDict):
    """Sums over some of a version's rows, plain JSON.

    Args:
        sum: sum of the hashes of their contents, in hexadecimal digits.
        items: number of items.
        size: bytes of the items' files.
        lost: number of items whose dataset is missing.
    """

    sum: str
    items: int
    size: int
    lost: int


NO_ROWS: RowSums = {"sum": "0", "items": 0, "size": 0, "lost": 0}


def check_version(
    conn: Connection, version: ContentRow, after: int | None, limit: int, state: RowSums
) -> tuple[int | None, RowSums]:
    """Add the next rows of a version to its sums.

    Args:
        conn: a read transaction.
        version: its row of `versions`.
        after: the position that the previous call returned, None at the start.
        limit: the most items to read.
        state: the sums that the previous call returned, `NO_ROWS` at the start.

    Returns:
        The next position, None at the end; and the sums so far.
    """
    ref = SnapshotRef.of(version)
    if after is None:
        dataset_rows = snapshot.datasets_at(conn, ref)
        known = snapshot.original_ids(dataset_rows)
        total = sum_row_hashes(datasets, dataset_rows, known) + sum_row_hashes(
            project_meta, snapshot.meta_rows(conn, ref), {}
        )
        return 0, {"sum": format_digest(total), "items": 0, "size": 0, "lost": 0}
    page = snapshot.page(conn, ref, after, limit)
    dataset_ids = sorted({row["dataset_id"] for row in page})
    known = {**original_ids_of(conn, datasets_history, dataset_ids), **original_ids_of(conn, datasets, dataset_ids)}
    in_datasets = [row for row in page if row["dataset_id"] in known]
    next_state: RowSums = {
        "sum": format_digest(int(state["sum"], 16) + sum_row_hashes(items, in_datasets, known)),
        "items": state["items"] + len(page),
        "size": state["size"] + sum(row["size"] or 0 for row in page),
        "lost": state["lost"] + len(page) - len(in_datasets),
    }
    return (page[-1]["id"] if len(page) == limit else None), next_state


def problems(version: ContentRow, state: RowSums) -> list[str]:
    """Return the problems of a version from the sums over all its rows, a sentence each."""
    if not versions.has_all_rows(version):
        return ["it is older than the history of rows, and the project has changed since: it cannot be restored"]
    found_problems = []
    if state["items"] != version["items_count"]:
        found_problems.append(f"it has {state['items']} items instead of {version['items_count']}")
    if state["size"] != version["size"]:
        found_problems.append(f"its items have {state['size']} bytes instead of {version['size']}")
    if state["lost"]:
        found_problems.append(f"the datasets of {state['lost']} items are missing")
    if state["sum"] != version["digest"]:
        found_problems.append("its rows have changed: their digest differs")
    return found_problems
