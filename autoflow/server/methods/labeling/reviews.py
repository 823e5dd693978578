"""Reviews of a job's images: ``jobs.entities.update-review-status`` and ``jobs.reject``.

The statuses are a member of the job's meta.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from autoflow.server.db import jobs, json_codec
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.operations import Operation
from autoflow.server.request_parser import RequestParser
from autoflow.wire.contract.method import Success

STATUSES = ("none", "done", "accepted", "rejected")
MEMBER = "autoflowReviews"  # of the meta: review statuses by image number
_MODES = ("all", "unmarked")


def by_image(meta: Mapping[str, Any]) -> dict[str, str]:
    """Return the review statuses of a job's images, by image number; an image without status has no entry."""
    stored = meta.get(MEMBER)
    return {key: status for key, status in stored.items() if status in STATUSES} if isinstance(stored, Mapping) else {}


def _store(conn: Connection, job_id: int, meta: Mapping[str, Any], statuses: Mapping[str, str]) -> None:
    reviewed = {key: status for key, status in statuses.items() if status != "none"}
    jobs.change(conn, job_id, meta=json_codec.dump({**meta, MEMBER: reviewed}))


def review(conn: Connection, request: RequestParser) -> Success:
    """``jobs.entities.update-review-status`` of one of a job's images.

    Raises:
        NotFound: the job has no such image.
    """
    row, number, status = jobs.get(conn, request.number("jobId")), request.number("entityId"), request.text("status")
    if status not in STATUSES:
        raise Invalid(f'"status" must be one of {", ".join(STATUSES)}')
    meta = json_codec.load(row["meta"])
    if number not in meta["entityIds"]:
        raise NotFound(f"in job {row['id']}, image", number)
    _store(conn, row["id"], meta, {**by_image(meta), str(number): status})
    return {"success": True}


def reject(conn: Connection, request: RequestParser) -> Success:
    """``jobs.reject``: reject all images of a job, or with ``mode`` unmarked those that were not reviewed."""
    row, mode = jobs.get(conn, request.number("id")), request.text("mode", "all")
    if mode not in _MODES:
        raise Invalid(f'"mode" must be one of {", ".join(_MODES)}', {"field": "mode"})
    meta = json_codec.load(row["meta"])
    reviewed = by_image(meta) if mode == "unmarked" else {}
    _store(conn, row["id"], meta, {**dict.fromkeys(map(str, meta["entityIds"]), "rejected"), **reviewed})
    return {"success": True}


READS: Mapping[str, Operation] = {}
WRITES: Mapping[str, Operation] = {"jobs.entities.update-review-status": review, "jobs.reject": reject}
