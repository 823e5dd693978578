"""The meta of a labeling job or queue: what is to be labeled, and in which images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import attachments, items
from autoflow.server.db.schema import items as item_table
from autoflow.server.errors import Invalid
from autoflow.server.methods.labeling import reviews
from autoflow.server.request_parser import RequestParser

USERS = 1000  # labelers of one request: each gets a job that names all images


def _titled(value: Any, path: str) -> JsonObject:
    """Return a class or tag to be labeled as an object, from an object or a name."""
    if isinstance(value, Mapping):
        return dict(value)
    return {"name": RequestParser({"name": value}, path).text("name")}


def _range(sent: RequestParser) -> tuple[int | None, int | None]:
    span = RequestParser(sent.mapping("range"), f"{sent.path}range.")
    return span.optional_number("start"), span.optional_number("end")


def images(conn: Connection, sent: RequestParser, dataset: RowMapping) -> list[int]:
    """Return the images of a dataset that a meta names by ``entityIds`` or by its range; by default all.

    Raises:
        Invalid: an image is not of the dataset.
    """
    image_ids = sent.unique_numbers("entityIds", max_items=limits.ENTITIES) if sent.fields.get("entityIds") else []
    for number, row in items.find(conn, image_ids).items():
        if row["dataset_id"] != dataset["id"]:
            raise Invalid(f"image {number} is not of dataset {dataset['id']}")
    start, end = _range(sent)
    query = select(item_table.c.id).where(item_table.c.dataset_id == dataset["id"], attachments.is_item())
    return image_ids or list(conn.execute(query.order_by(item_table.c.id)).scalars())[max(start or 1, 1) - 1 : end]


def shared(sent: RequestParser) -> JsonObject:
    """Return a meta without its images, with all its lists and its range, which the SDK reads without checking."""
    start, end = _range(sent)
    return {
        "imageFiguresLimit": 0,
        "imageTagsLimit": 0,
        **{name: value for name, value in sent.fields.items() if name not in {reviews.MEMBER, "entityIds"}},
        "classes": [_titled(value, f"{sent.path}classes.") for value in sent.array("classes", required=False)],
        "projectTags": [
            _titled(value, f"{sent.path}projectTags.") for value in sent.array("projectTags", required=False)
        ],
        "imageTags": [
            {**tag.fields, "positive": tag.flag("positive", default=True), "name": tag.text("name")}
            for tag in sent.objects("imageTags", required=False)
        ],
        "range": {"start": start, "end": end},
    }


def of_request(conn: Connection, sent: RequestParser, dataset: RowMapping) -> JsonObject:
    """Return the meta of a job."""
    return {**shared(sent), "entityIds": images(conn, sent, dataset)}
