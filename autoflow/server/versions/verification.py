"""Whether the rows of a version are those it was made of: counted, and its digest computed afresh, a batch at a time.

A version's rows never change, so batches read in transactions of their own add up to one answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from autoflow.server.db.change_tracking import original_ids_of
from autoflow.server.db.item_content import ContentRow, format_digest, sum_row_hashes
from autoflow.server.db.schema import datasets, datasets_history, items, project_meta
from autoflow.server.versions import snapshot, versions
from autoflow.server.versions.snapshot import SnapshotRef

State = Mapping[str, Any]


def check_version(
    conn: Connection, version: ContentRow, after: int | None, limit: int, state: State
) -> tuple[int | None, dict[str, Any]]:
    """Look at the next rows of a version.

    Args:
        conn: a transaction that reads.
        version: its row of `versions`.
        after: what the call before gave first, None at the start.
        limit: items to look at, at the most.
        state: what the call before gave second, empty at the start; it is JSON.

    Returns:
        What goes on after, None at the end; and what was found so far.
    """
    moment = SnapshotRef.of(version)
    if after is None:
        found = snapshot.datasets_at(conn, moment)
        known = snapshot.original_ids(found)
        total = sum_row_hashes(datasets, found, known) + sum_row_hashes(
            project_meta, snapshot.meta_rows(conn, moment), {}
        )
        return 0, {"sum": format_digest(total), "items": 0, "size": 0, "lost": 0}
    page = snapshot.page(conn, moment, after, limit)
    wanted = sorted({row["dataset_id"] for row in page})
    known = {**original_ids_of(conn, datasets_history, wanted), **original_ids_of(conn, datasets, wanted)}
    whole = [row for row in page if row["dataset_id"] in known]
    next_state = {
        "sum": format_digest(int(state["sum"], 16) + sum_row_hashes(items, whole, known)),
        "items": state["items"] + len(page),
        "size": state["size"] + sum(row["size"] or 0 for row in page),
        "lost": state["lost"] + len(page) - len(whole),
    }
    return (page[-1]["id"] if len(page) == limit else None), next_state


def problems(version: ContentRow, state: State) -> list[str]:
    """What is wrong with a version whose rows were all looked at, a sentence each; empty when nothing is."""
    if not versions.has_all_rows(version):
        return ["it was made before rows were kept, and the project changed since: it cannot be restored"]
    found = []
    if state["items"] != version["items_count"]:
        found.append(f"{state['items']} items are there; it was made of {version['items_count']}")
    if state["size"] != version["size"]:
        found.append(f"its items have {state['size']} bytes; it was made of {version['size']}")
    if state["lost"]:
        found.append(f"the datasets of {state['lost']} items are missing")
    if state["sum"] != version["digest"]:
        found.append("its rows have changed: their digest is another")
    return found
