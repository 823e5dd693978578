"""``labeling-queues.*``: images that labelers share, dealt out in turn as a job for each labeler and dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, select

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import attachments, collections, datasets, jobs, json_codec, labeling_queues, projects, teams
from autoflow.server.db.labeling_tables import labeling_queues as table
from autoflow.server.db.schema import items as item_table
from autoflow.server.db.schema import teams as team_table
from autoflow.server.db.schema import workspaces
from autoflow.server.errors import Invalid
from autoflow.server.methods.labeling import job_meta, reviews
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, apply_filter, chunks, page, page_offset, per_page
from autoflow.server.request_parser import RequestParser
from autoflow.wire.contract.method import Success

_COLUMNS = {
    "id": table.c.id,
    "name": table.c.name,
    "status": table.c.status,
    "projectId": table.c.project_id,
    "datasetId": table.c.dataset_id,
    "collectionId": table.c.collection_id,
    "createdAt": table.c.created_at,
}
_ENTITY_COLUMNS = {"id": item_table.c.id, "name": item_table.c.name, "datasetId": item_table.c.dataset_id}
PENDING = None  # status of an image whose job nobody has begun


class _Entity(NamedTuple):
    id: int
    job: int
    status: str | None


def _entities(job_rows: Sequence[RowMapping]) -> Iterator[_Entity]:
    """Yield the images of jobs with their review statuses."""
    for row in job_rows:
        meta = json_codec.load(row["meta"])
        statuses = reviews.by_image(meta)
        unmarked = PENDING if row["status"] == "pending" else "none"
        for number in meta["entityIds"]:
            yield _Entity(number, row["id"], statuses.get(str(number), unmarked))


def _to_wire(conn: Connection, rows: Sequence[RowMapping]) -> list[JsonObject]:
    jobs_by_queue, logins = labeling_queues.jobs_of(conn, [row["id"] for row in rows]), jobs.logins(conn)
    shaped = []
    for row in rows:
        job_rows = jobs_by_queue[row["id"]]
        statuses = [entity.status for entity in _entities(job_rows)]
        labelers, reviewers = (
            [{"id": number, "login": logins.get(number)} for number in json_codec.load(row[name])]
            for name in ("labelers", "reviewers")
        )
        shaped.append(
            {
                "id": row["id"],
                "name": row["name"],
                "readme": row["readme"],
                "description": row["description"],
                "teamId": row["team_id"],
                "projectId": row["project_id"],
                "datasetId": row["dataset_id"],
                "collectionId": row["collection_id"],
                "createdBy": row["created_by"],
                "labelers": labelers,
                "reviewers": reviewers,
                "createdAt": row["created_at"],
                "updatedAt": row["updated_at"],
                "startedAt": row["started_at"],
                "finishedAt": row["finished_at"],
                "status": row["status"],
                "disabled": row["disabled"],
                "jobs": [{"id": job["id"], "userId": job["assigned_to"], "status": job["status"]} for job in job_rows],
                "entitiesCount": len(statuses),
                "acceptedCount": statuses.count("accepted"),
                "annotatedCount": statuses.count("done") + statuses.count("accepted"),
                "inProgressCount": statuses.count("none") + statuses.count("rejected"),
                "pendingCount": statuses.count(PENDING),
                "meta": json_codec.load(row["meta"]),
            }
        )
    return shaped


def _images(conn: Connection, request: RequestParser) -> tuple[JsonObject, dict[int, list[int]]]:
    """Return the columns of a queue that name its images, and those images by dataset.

    Raises:
        Invalid: the request names neither a dataset nor a collection.
    """
    if request.has("datasetId"):
        dataset = datasets.get(conn, request.number("datasetId"))
        images = job_meta.images(conn, RequestParser(request.mapping("meta"), "meta."), dataset)
        return {"project_id": dataset["project_id"], "dataset_id": dataset["id"]}, {dataset["id"]: images}
    if not request.has("collectionId"):
        raise Invalid('"datasetId" or "collectionId" is missing', {"field": "datasetId"})
    collection = collections.get(conn, request.number("collectionId"))
    query = select(item_table.c.id, item_table.c.dataset_id).where(
        collections.contains(conn, collection["id"]), item_table.c.project_id == collection["project_id"]
    )
    by_dataset: dict[int, list[int]] = {}
    for number, dataset_id in conn.execute(query.order_by(item_table.c.id)):
        by_dataset.setdefault(dataset_id, []).append(number)
    return {"project_id": collection["project_id"], "collection_id": collection["id"]}, by_dataset


def add(conn: Connection, request: RequestParser) -> JsonObject:
    """``labeling-queues.add`` of a dataset or a collection, for ``userIds`` and ``reviewerIds`` of its team."""
    columns, by_dataset = _images(conn, request)
    team_id = projects.team_of(conn, columns["project_id"])
    users = request.unique_numbers("userIds", max_items=job_meta.USERS)
    reviewers = request.unique_numbers("reviewerIds", max_items=job_meta.USERS) if request.has("reviewerIds") else []
    if not users:
        raise Invalid('"userIds" must name somebody', {"field": "userIds"})
    for number in (*users, *reviewers):
        jobs.check_member(conn, team_id, number)
    if sum(map(len, by_dataset.values())) > limits.ENTITIES:
        raise Invalid(f"a labeling queue has at most {limits.ENTITIES} images: make several")
    meta = RequestParser(request.mapping("meta"), "meta.")
    texts = {
        "name": request.text("name"),
        "readme": request.text("readme", ""),
        "description": request.text("description", ""),
    }
    values = {**texts, **columns, "labelers": json_codec.dump(users), "reviewers": json_codec.dump(reviewers)}
    shared = {**job_meta.shared(meta), "queue": request.mapping("queueMeta")}
    queue_id = labeling_queues.add(conn, {**values, "meta": json_codec.dump(shared)})
    reviewer = request.optional_number("reviewerId") or next(iter(reviewers), None)
    for dataset_id, images in by_dataset.items():
        for position, user_id in enumerate(users):
            job = {
                **texts,
                "project_id": columns["project_id"],
                "dataset_id": dataset_id,
                "queue_id": queue_id,
                "assigned_to": user_id,
                "reviewer_id": reviewer,
                "meta": json_codec.dump({**shared, "entityIds": images[position :: len(users)]}),
            }
            jobs.add(conn, job)
    return {"id": queue_id}


def list_queues(conn: Connection, request: RequestParser) -> ListPage:
    """``labeling-queues.list`` of a team; archived ones only with ``showDisabled``."""
    team = teams.get(conn, team_table, "team", request.number("teamId"))
    query = labeling_queues.listing(conn).where(workspaces.c.team_id == team["id"])
    if not request.flag("showDisabled", default=False):
        query = query.where(~table.c.disabled)
    return page(conn, query, _COLUMNS, request, lambda rows: _to_wire(conn, rows))


def queue(conn: Connection, request: RequestParser) -> JsonObject:
    """``labeling-queues.info`` by id."""
    return _to_wire(conn, [labeling_queues.get(conn, request.number("id"))])[0]


def set_status(conn: Connection, request: RequestParser) -> Success:
    """``labeling-queues.set-status``."""
    status = request.text("status")
    if status not in jobs.STATUSES:
        raise Invalid(f'"status" must be one of {", ".join(jobs.STATUSES)}', {"field": "status"})
    labeling_queues.set_status(conn, request.number("id"), status)
    return {"success": True}


def _selected(conn: Connection, request: RequestParser, numbers: Sequence[int]) -> dict[int, RowMapping]:
    """Return the current rows of images that meet the filters of a request."""
    query = select(*_ENTITY_COLUMNS.values()).where(attachments.is_item())
    query = apply_filter(query, _ENTITY_COLUMNS, request.objects("filter", required=False))
    for condition in request.objects("filters", required=False):
        data = RequestParser(condition.mapping("data"), f"{condition.path}data.")
        query = query.where(collections.contains(conn, data.number("collectionId")))
    rows: dict[int, RowMapping] = {}
    for part in chunks(numbers):
        rows |= {row["id"]: row for row in conn.execute(query.where(item_table.c.id.in_(part))).mappings()}
    return rows


def entities(conn: Connection, request: RequestParser) -> JsonObject:
    """``labeling-queues.stats.entities``: a page of a queue's images with their review statuses.

    ``entityStatus`` selects those of some statuses; null is that of an image whose job nobody has begun.
    """
    row = labeling_queues.get(conn, request.number("id"))
    listed = list(_entities(labeling_queues.jobs_of(conn, [row["id"]])[row["id"]]))
    if request.has("entityStatus"):
        wanted = request.array("entityStatus")
        listed = [entity for entity in listed if entity.status in wanted]
    rows = _selected(conn, request, [entity.id for entity in listed])
    images: list[dict[str, Any]] = [
        {**_image(rows[entity.id]), "jobId": entity.job, "status": entity.status, "reviewStatus": entity.status}
        for entity in listed
        if entity.id in rows
    ]
    order = request.text("sort", "name")
    if order not in _ENTITY_COLUMNS:
        raise Invalid(f'"sort" must be one of {", ".join(_ENTITY_COLUMNS)}', {"field": "sort"})
    images.sort(key=lambda image: (image[order], image["id"]), reverse=request.text("sort_order", "asc") == "desc")
    size = per_page(request)
    start = page_offset(request, size)
    return {"images": images[start : start + size], "total": len(images), "perPage": size}


def _image(row: RowMapping) -> Mapping[str, Any]:
    return {"id": row["id"], "entityId": row["id"], "name": row["name"], "datasetId": row["dataset_id"]}


READS: Mapping[str, Operation] = {
    "labeling-queues.info": queue,
    "labeling-queues.list": list_queues,
    "labeling-queues.stats.entities": entities,
}
WRITES: Mapping[str, Operation] = {"labeling-queues.add": add, "labeling-queues.set-status": set_status}
