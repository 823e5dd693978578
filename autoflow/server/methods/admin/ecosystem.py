"""``ecosystem.*``: the caller's own apps, and the public apps that the SDK looks for.

Its template of a training fails if the list lacks one of the latter, and ``api.nn.list_deployed_models`` if the list of
those that serve models is empty. They cannot be run here and are marked so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db.access import visible
from autoflow.server.db.schema import apps, tasks
from autoflow.server.errors import NotFound
from autoflow.server.methods.admin.apps import apps_to_wire
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, page_of_entities
from autoflow.server.request_parser import RequestParser

FIRST_PUBLIC = 1_000_000_001  # number of the first public app; those of own apps are counted up from 1
PUBLIC = {
    "supervisely-ecosystem/tensorboard-experiments-viewer": "Tensorboard Experiments Viewer",
    "supervisely-ecosystem/apply-nn": "Predict App",
    "supervisely-ecosystem/nn-image-labeling/project-dataset": "Apply NN to Images Project",
    "supervisely-ecosystem/apply-nn-to-videos-project": "Apply NN to Videos Project",
}
SERVING = {"supervisely-ecosystem/yolo/supervisely_integration/serve": "Serve YOLO"}
MOST_APPS = 20_000  # own apps of a list, the newest ones


def _own(conn: Connection, **where: Any) -> list[JsonObject]:
    """Return the caller's apps as modules; an app is as old as its first run."""
    first, last = func.min(tasks.c.created_at).label("first"), func.max(tasks.c.created_at).label("last")
    query = select(apps, first, last).outerjoin(tasks, tasks.c.app_id == apps.c.id)
    query = query.where(visible(conn, apps), *(apps.c[name] == value for name, value in where.items()))
    rows = conn.execute(query.group_by(apps.c.id).order_by(apps.c.id.desc()).limit(MOST_APPS)).mappings().all()
    return [
        {**fields, "type": "app", "readme": "", "createdAt": row["first"] or "", "updatedAt": row["last"] or ""}
        for fields, row in zip(apps_to_wire(conn, rows), rows, strict=True)
    ]


def _public(conn: Connection) -> list[JsonObject]:
    rows = [
        {"id": number, "name": name, "team_id": None, "created_by": None}
        for number, name in enumerate([*PUBLIC.values(), *SERVING.values()], FIRST_PUBLIC)
    ]
    more = {"type": "app", "disabled": True, "readme": "", "createdAt": "", "updatedAt": ""}
    slugs = [*PUBLIC, *SERVING]
    return [{**fields, **more, "slug": slug} for slug, fields in zip(slugs, apps_to_wire(conn, rows), strict=True)]


def module(conn: Connection, request: RequestParser) -> JsonObject:
    """``ecosystem.info`` by ``id`` or ``slug``."""
    name, column = ("id", "id") if request.has("id") else ("slug", "name")
    value: int | str = request.number(name) if name == "id" else request.text(name)
    for entry in [*_own(conn, **{column: value}), *_public(conn)]:
        if entry[name] == value:
            return entry
    raise NotFound("app", value)


def list_modules(conn: Connection, request: RequestParser) -> ListPage:
    """``ecosystem.list``: apps whose name contains ``search``; of a category only the public ones that serve models."""
    search = request.text("search", "", max_length=limits.QUERY).lower()
    categories = request.array("categories", required=False)
    known = _public(conn) if categories else [*_own(conn), *_public(conn)]
    if categories:
        known = [entry for entry in known if entry["slug"] in SERVING and categories == ["serve"]]
    return page_of_entities((entry for entry in known if search in entry["name"].lower()), request)


READS: Mapping[str, Operation] = {"ecosystem.info": module, "ecosystem.list": list_modules}
WRITES: Mapping[str, Operation] = {}
