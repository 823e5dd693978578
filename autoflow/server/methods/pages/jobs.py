"""The page of a labeling job: its settings, its people, its status, and the first of its images."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from autoflow.model.entity import EntityRef
from autoflow.server.db import jobs, json_codec
from autoflow.server.methods.pages.images import image_links
from autoflow.server.methods.pages.links import using_runs
from autoflow.server.operations import Operation, by_name, implements
from autoflow.wire.contract import pages as contract

MAX_IMAGES = 60


@implements(contract.JOB)
def job(conn: Connection, request: contract.JobPageRequest) -> contract.JobPage:
    """``autoflow.overview.job`` by id."""
    row = jobs.get(conn, request.id)
    logins = jobs.logins(conn)
    meta = json_codec.load(row["meta"])
    image_ids = meta.get("entityIds", [])
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "readme": row["readme"],
        "status": row["status"],
        "disabled": row["disabled"],
        "project": {"id": row["project_id"], "name": row["project_name"]},
        "dataset": {"id": row["dataset_id"], "name": row["dataset_name"]},
        "workspace": {"id": row["workspace_id"], "name": row["workspace_name"]},
        "createdBy": logins.get(row["created_by"]),
        "assignedTo": logins.get(row["assigned_to"]),
        "reviewer": logins.get(row["reviewer_id"]),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "startedAt": row["started_at"],
        "finishedAt": row["finished_at"],
        "classes": [entry["name"] for entry in meta.get("classes", []) if isinstance(entry.get("name"), str)],
        "tags": [entry["name"] for entry in meta.get("projectTags", []) if isinstance(entry.get("name"), str)],
        "imagesTotal": len(image_ids),
        "images": image_links(conn, image_ids[:MAX_IMAGES]),
        "users": using_runs(conn, [EntityRef("", "job", row["id"]).key]),
    }


READS: Mapping[str, Operation] = by_name(job)
