"""Labeling jobs: the methods of ``jobs.*`` by which an app creates, lists and reads them; nothing is labeled here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import datasets, items, jobs, json_codec, teams
from autoflow.server.db.schema import items as item_table
from autoflow.server.db.schema import jobs as table
from autoflow.server.db.schema import teams as team_table
from autoflow.server.db.schema import workspaces
from autoflow.server.errors import Invalid
from autoflow.server.methods.labeling import job_meta, reviews
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, page
from autoflow.server.request_parser import RequestParser
from autoflow.wire import methods
from autoflow.wire.contract.method import Success

_COLUMNS = {
    "id": table.c.id,
    "name": table.c.name,
    "status": table.c.status,
    "projectId": table.c.project_id,
    "datasetId": table.c.dataset_id,
    "createdBy": table.c.created_by,
    "userId": table.c.assigned_to,
    "reviewerId": table.c.reviewer_id,
    "createdAt": table.c.created_at,
    "updatedAt": table.c.updated_at,
    "labelingQueueId": table.c.queue_id,
}


def _shaped(conn: Connection, job_rows: Sequence[RowMapping]) -> list[JsonObject]:
    logins = jobs.logins(conn)
    shaped = []
    for row in job_rows:
        meta = json_codec.load(row["meta"])
        reviewed = list(reviews.by_image(meta).values())
        shaped.append(
            {
                "id": row["id"],
                "name": row["name"],
                "readme": row["readme"],
                "description": row["description"],
                "teamId": row["team_id"],
                "workspaceId": row["workspace_id"],
                "workspaceName": row["workspace_name"],
                "workspaceTitle": row["workspace_name"],
                "projectId": row["project_id"],
                "projectName": row["project_name"],
                "projectTitle": row["project_name"],
                "datasetId": row["dataset_id"],
                "datasetName": row["dataset_name"],
                "datasetTitle": row["dataset_name"],
                "createdBy": row["created_by"],
                "managerLogin": logins.get(row["created_by"]),
                "userId": row["assigned_to"],
                "labelerLogin": logins.get(row["assigned_to"]),
                "reviewerId": row["reviewer_id"],
                "reviewerLogin": logins.get(row["reviewer_id"]),
                "createdAt": row["created_at"],
                "updatedAt": row["updated_at"],
                "startedAt": row["started_at"],
                "finishedAt": row["finished_at"],
                "status": row["status"],
                "disabled": row["disabled"],
                "labelingQueueId": row["queue_id"],
                "labelingExamId": None,
                "imagesCount": len(meta["entityIds"]),
                "finishedImagesCount": len(reviewed),
                "rejectedImagesCount": reviewed.count("rejected"),
                "acceptedImagesCount": reviewed.count("accepted"),
                "progressImagesCount": reviewed.count("done"),
                "priority": 0,
                "customData": json_codec.load(row["custom_data"]),
                "meta": meta,
            }
        )
    return shaped


def add(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``jobs.add``: a job for each of ``userIds``, who must be members of the dataset's team."""
    dataset = datasets.get(conn, request.number("datasetId"))
    users, reviewer = request.numbers("userIds", max_items=job_meta.USERS), request.optional_number("reviewerId")
    if not users:
        raise Invalid('"userIds" must name somebody')
    for number in (*users, *([reviewer] if reviewer is not None else ())):
        jobs.check_member(conn, dataset["team_id"], number)
    meta = job_meta.of_request(conn, RequestParser(request.mapping("meta"), "meta."), dataset)
    if len(users) * len(meta["entityIds"]) > limits.ENTITIES:
        raise Invalid(
            f'"userIds" times the images of the jobs are more than {limits.ENTITIES}: make jobs of fewer images'
        )
    values = {
        "name": request.text("name"),
        "readme": request.text("readme", ""),
        "description": request.text("description", ""),
        "project_id": dataset["project_id"],
        "dataset_id": dataset["id"],
        "reviewer_id": reviewer,
        "meta": json_codec.dump(meta),
    }
    job_ids = [jobs.add(conn, {**values, "assigned_to": number}) for number in users]
    return _shaped(conn, [jobs.get(conn, number) for number in job_ids])


def list_jobs(conn: Connection, request: RequestParser) -> ListPage:
    """``jobs.list`` of a team, without the images; archived ones only with ``showDisabled``."""
    team = teams.get(conn, team_table, "team", request.number("teamId"))
    query = jobs.listing(conn).where(workspaces.c.team_id == team["id"])
    if not request.flag("showDisabled", default=False):
        query = query.where(~table.c.disabled)
    return page(conn, query, _COLUMNS, request, lambda job_rows: _shaped(conn, job_rows))


def job(conn: Connection, request: RequestParser) -> JsonObject:
    """``jobs.info`` by id, with its images as ``entities``."""
    job_shape = _shaped(conn, [jobs.get(conn, request.number("id"))])[0]
    images = job_shape["meta"]["entityIds"]
    query = items.listing(conn).where(item_table.c.dataset_id == job_shape["datasetId"]).order_by(item_table.c.id)
    image_ids = set(images)
    image_rows = [row for row in conn.execute(query).mappings() if row["id"] in image_ids]
    status = reviews.by_image(job_shape["meta"])
    entities = [
        {"id": row["id"], "name": row["name"], "reviewStatus": status.get(str(row["id"]), "none")} for row in image_rows
    ]
    return {**job_shape, "entities": entities}


def set_status(conn: Connection, request: RequestParser) -> Success:
    """``jobs.set-status``."""
    status = request.text("status")
    if status not in jobs.STATUSES:
        raise Invalid(f'"status" must be one of {", ".join(jobs.STATUSES)}')
    jobs.set_status(conn, jobs.get(conn, request.number("id")), status)
    return {"success": True}


def stop(conn: Connection, request: RequestParser) -> Success:
    """``jobs.stop``."""
    jobs.set_status(conn, jobs.get(conn, request.number("id")), "stopped")
    return {"success": True}


def edit(conn: Connection, request: RequestParser) -> JsonObject:
    """``jobs.editInfo``: name, custom data, and labeler and reviewer, who must be members of the job's team."""
    row = jobs.get(conn, request.number("id"))
    values: dict[str, Any] = {"name": request.text("name")} if request.has("name") else {}
    if request.has("customData"):
        values["custom_data"] = json_codec.dump(request.mapping("customData"))
    for name, column in (("userId", "assigned_to"), ("reviewerId", "reviewer_id")):
        if request.has(name):
            values[column] = request.number(name)
            jobs.check_member(conn, row["team_id"], values[column])
    jobs.change(conn, row["id"], **values)
    return _shaped(conn, [jobs.get(conn, row["id"])])[0]


def stats(conn: Connection, request: RequestParser) -> JsonObject:
    """``jobs.stats``: the progress of a job."""
    job_shape = _shaped(conn, [jobs.get(conn, request.number("id"))])[0]
    total, finished = job_shape["imagesCount"], job_shape["finishedImagesCount"]
    return {
        "job": {
            "id": job_shape["id"],
            "startedAt": job_shape["startedAt"],
            "finishedAt": job_shape["finishedAt"],
            "imagesCount": total,
            "finishedImagesCount": finished,
            "acceptedImagesCount": job_shape["acceptedImagesCount"],
            "rejectedImagesCount": job_shape["rejectedImagesCount"],
            "progress": {"images": round(100 * finished / total) if total else 0},
        }
    }


def restart(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``jobs.restart``: a new job for each of ``userIds`` with the images of a job that were rejected.

    The job is completed unless ``completeExisting`` is false.

    Raises:
        Invalid: no image was rejected.
    """
    row = jobs.get(conn, request.number("id"))
    meta = json_codec.load(row["meta"])
    rejected = {int(number) for number, status in reviews.by_image(meta).items() if status == "rejected"}
    images = [number for number in meta["entityIds"] if number in rejected]
    if not images:
        raise Invalid(f"No images found: job {row['id']} has none that was rejected")
    users = request.unique_numbers("userIds", max_items=job_meta.USERS)
    reviewer = request.optional_number("reviewerId") if request.has("reviewerId") else row["reviewer_id"]
    for number in (*users, *([reviewer] if reviewer is not None else ())):
        jobs.check_member(conn, row["team_id"], number)
    meta = {name: value for name, value in meta.items() if name != reviews.MEMBER} | {"entityIds": images}
    copied = ("readme", "description", "project_id", "dataset_id", "custom_data")
    values = {name: row[name] for name in copied} | {
        "name": request.text("name") if request.has("name") else f"{row['name']} (restarted)",
        "reviewer_id": reviewer,
        "meta": json_codec.dump(meta),
    }
    started = [jobs.add(conn, {**values, "assigned_to": number}) for number in users]
    if request.flag("completeExisting", default=True):
        jobs.set_status(conn, row, "completed")
    return [
        {"id": job_id, "userId": user_id, "type": "annotation", "name": values["name"]}
        for job_id, user_id in zip(started, users, strict=True)
    ]


def archive(conn: Connection, request: RequestParser) -> Success:
    """``jobs.archive``."""
    jobs.disable(conn, jobs.get(conn, request.number("id"))["id"])
    return {"success": True}


def remove_many(conn: Connection, request: RequestParser) -> Success:
    """``jobs.bulk.remove`` by ``ids``: they are archived, so that the runs that name them still show them."""
    for number in request.unique_numbers("ids"):
        jobs.disable(conn, jobs.get(conn, number)["id"])
    return {"success": True}


READS: Mapping[str, Operation] = {methods.JOB_INFO: job, "jobs.list": list_jobs, "jobs.stats": stats}
WRITES: Mapping[str, Operation] = {
    "jobs.add": add,
    "jobs.editInfo": edit,
    "jobs.restart": restart,
    "jobs.set-status": set_status,
    "jobs.stop": stop,
    "jobs.archive": archive,
    "jobs.bulk.remove": remove_many,
}
