"""Every method that is declared, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autoflow.wire.contract import (
    admin,
    audit,
    class_counts,
    data_pages,
    erasure,
    folders,
    lineage,
    models,
    notes,
    pages,
    recent_pages,
    records,
    run_pages,
    runs,
    store_transfers,
    tables,
    transfers,
    versions,
    views,
    webhooks,
)
from autoflow.wire.contract.method import Method

METHODS: Mapping[str, Method[Any, Any]] = {
    method.name: method
    for module in (
        records,
        versions,
        class_counts,
        tables,
        transfers,
        store_transfers,
        folders,
        lineage,
        models,
        pages,
        recent_pages,
        run_pages,
        runs,
        data_pages,
        admin,
        audit,
        erasure,
        notes,
        views,
        webhooks,
    )
    for method in vars(module).values()
    if isinstance(method, Method)
}
