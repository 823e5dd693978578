"""Refuses statements on tables outside of the scopes that their transaction holds, on PostgreSQL."""

from __future__ import annotations

import contextlib
import re

from sqlalchemy import Engine, event

from autoflow.server.db.scopes import HELD, ScopeKind

# The tables that a write may change, by the kinds of scopes that it holds; those of None need no scope.
WRITABLE = {
    None: {
        *(
            "apps",
            "audit_log",
            "blobs",
            "blob_leases",
            "change_counts",
            "copies",
            "documents",
            "entities",
            "models",  # whose rows are locked
            "model_versions",
            "notes",
            "record_keys",
            "run_contents",
            "upload_leases",
            "webhook_deliveries",
        ),
    },
    ScopeKind.PROJECT: {"projects", "datasets", "items", "project_meta", "versions", "removed_datasets"},
    ScopeKind.WORKSPACE: {"projects"},
    ScopeKind.FILES: {"files"},
    ScopeKind.RUN: {"runs"},
    ScopeKind.TASK: {"run_values", "tasks", "task_numbers", "task_facts", "task_data", "edges", "logs"},
}
_WRITE = re.compile(r"(?:WITH .*?\) )?\s*(?:INSERT INTO|DELETE FROM|UPDATE)\s+(\w+)", re.DOTALL)


def _check(conn, _cursor, statement, *_rest):
    held = conn.get_execution_options().get(HELD)
    match = _WRITE.match(statement) if held is not None else None
    if match is not None:
        kinds = {None, *(scope.kind for scope in held)}
        writable = {table for kind in kinds for table in WRITABLE[kind]}
        assert match[1] in writable, f"{match[1]} is written under {sorted(held)}"


@contextlib.contextmanager
def checking_scopes():
    """Check all statements of this process."""
    event.listen(Engine, "before_cursor_execute", _check)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", _check)
