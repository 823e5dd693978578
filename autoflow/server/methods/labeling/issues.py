"""``issues.*``: what is wrong with labels. An issue is seen by its team alone, also one that is not ``isLocal``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from autoflow.model.json_object import JsonObject
from autoflow.server import limits
from autoflow.server.db import datasets, issues, items, jobs, json_codec, projects, teams
from autoflow.server.db.labeling_tables import issues as table
from autoflow.server.db.schema import items as item_table
from autoflow.server.db.schema import teams as team_table
from autoflow.server.errors import Invalid
from autoflow.server.methods.images.figures import image_of
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, chunks, page
from autoflow.server.request_parser import RequestParser
from autoflow.wire.contract.method import Success

_COLUMNS = {
    "id": table.c.id,
    "name": table.c.name,
    "status": table.c.status,
    "createdBy": table.c.created_by,
    "createdAt": table.c.created_at,
    "updatedAt": table.c.updated_at,
}
_IMAGE, _FIGURE, _PROJECT, _JOB = "imageId", "figureId", "projectId", "jobId"


def _image_names(conn: Connection, rows: Sequence[RowMapping]) -> dict[int, str]:
    numbers = sorted({row["image_id"] for row in rows if row["image_id"] is not None})
    names: dict[int, str] = {}
    for part in chunks(numbers):
        query = select(item_table.c.id, item_table.c.name).where(item_table.c.id.in_(part))
        names.update((number, name) for number, name in conn.execute(query))
    return names


def _to_wire(conn: Connection, rows: Sequence[RowMapping]) -> list[JsonObject]:
    logins, names = jobs.logins(conn), _image_names(conn, rows)
    return [
        {
            "id": row["id"],
            "parentId": row["parent_id"],
            "teamId": row["team_id"],
            "status": row["status"],
            "userLogin": logins.get(row["created_by"]),
            "imageId": row["image_id"],
            "createdBy": row["created_by"],
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
            "datasetId": row["dataset_id"],
            "projectId": row["project_id"],
            "imageName": names.get(row["image_id"]),
            "name": row["name"],
            "isPinned": row["pinned"],
            "isLocal": row["local"],
            "assignees": json_codec.load(row["assignees"]),
        }
        for row in rows
    ]


def _sub_issues(conn: Connection, rows: Sequence[RowMapping]) -> list[JsonObject]:
    return [
        {**shaped, "meta": json_codec.load(row["meta"]), "bindings": [_binding(row)]}
        for shaped, row in zip(_to_wire(conn, rows), rows, strict=True)
    ]


def _binding(row: RowMapping) -> JsonObject:
    extra = {"figureImageId": row["image_id"]} if row["field"] == _FIGURE else {}
    return {"field": row["field"], "value": row["value"], "extra": extra}


def _with_children(conn: Connection, rows: Sequence[RowMapping], request: RequestParser) -> list[JsonObject]:
    shaped = _to_wire(conn, rows)
    if not request.flag("withSubIssues", default=False):
        return shaped
    children = issues.children(conn, [row["id"] for row in rows])
    return [{**issue, "subIssues": _sub_issues(conn, children[issue["id"]])} for issue in shaped]


def list_issues(conn: Connection, request: RequestParser) -> ListPage:
    """``issues.list`` of a team, without sub-issues unless ``withSubIssues``."""
    team = teams.get(conn, team_table, "team", request.number("teamId"))
    query = issues.listing(conn).where(table.c.team_id == team["id"], table.c.parent_id.is_(None))
    return page(conn, query, _COLUMNS, request, lambda rows: _with_children(conn, rows, request))


def issue(conn: Connection, request: RequestParser) -> JsonObject:
    """``issues.info`` by id, with its comments."""
    row = issues.get(conn, request.number("id"))
    shaped = _with_children(conn, [row], request)[0]
    logins = jobs.logins(conn)
    return {**shaped, "comments": [_comment(comment, logins) for comment in issues.comments(conn, row["id"])]}


def add(conn: Connection, request: RequestParser) -> JsonObject:
    """``issues.add``, with a first comment."""
    team = teams.get(conn, team_table, "team", request.number("teamId"))
    assignees = request.unique_numbers("assignees") if request.has("assignees") else []
    for number in assignees:
        jobs.check_member(conn, team["id"], number)
    values = {
        "team_id": team["id"],
        "name": request.text("name"),
        "local": request.flag("isLocal", default=False),
        "assignees": json_codec.dump(assignees),
    }
    number = issues.add(conn, values)
    if request.optional_text("comment"):
        issues.add_comment(conn, number, _comment_text(request))
    return {"id": number}


def _changed(request: RequestParser) -> dict[str, Any]:
    changed: dict[str, Any] = {"name": request.text("name")} if request.has("name") else {}
    if request.has("status"):
        changed["status"] = status = request.text("status")
        if status not in issues.STATUSES:
            raise Invalid(f'"status" must be one of {", ".join(issues.STATUSES)}', {"field": "status"})
    return changed


def edit(conn: Connection, request: RequestParser) -> Success:
    """``issues.editInfo``: name, status, and whether it is pinned."""
    row, changed = issues.get_own(conn, request.number("id")), _changed(request)
    if request.has("isPinned"):
        changed["pinned"] = request.flag("isPinned", default=False)
    issues.edit(conn, row["id"], changed)
    return {"success": True}


def remove(conn: Connection, request: RequestParser) -> Success:
    """``issues.remove``: the issue with its sub-issues and comments."""
    issues.remove(conn, issues.get_own(conn, request.number("id"))["id"])
    return {"success": True}


def _comment(row: RowMapping, logins: Mapping[int, str]) -> JsonObject:
    return {
        "id": row["id"],
        "issueId": row["issue_id"],
        "createdBy": row["created_by"],
        "createdByUser": logins.get(row["created_by"]),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
        "comment": row["comment"],
        "meta": {},
        "links": {},
    }


def _comment_text(request: RequestParser) -> str:
    return request.text("comment", max_length=limits.COMMENT)


def _check_count(count: int, issue: RowMapping, what: str) -> None:
    if count > limits.OF_ISSUE:
        raise Invalid(f"issue {issue['id']} would have {count} {what}, and {limits.OF_ISSUE} are the most of one")


def add_comment(conn: Connection, request: RequestParser) -> JsonObject:
    """``issues.comments.add``."""
    row = issues.get(conn, request.number("issueId"))
    _check_count(len(issues.comments(conn, row["id"])) + 1, row, "comments")
    return _comment(issues.add_comment(conn, row["id"], _comment_text(request)), jobs.logins(conn))


def edit_comment(conn: Connection, request: RequestParser) -> JsonObject:
    """``issues.comments.editInfo``: the text."""
    row = issues.edit_comment(conn, request.number("id"), _comment_text(request))
    return _comment(row, jobs.logins(conn))


def _meta(request: RequestParser) -> str:
    meta = request.mapping("meta")
    if limits.is_deeper(meta):
        raise Invalid(f'"meta" is nested deeper than {limits.JSON_DEPTH}', {"field": "meta"})
    return json_codec.dump(meta)


def _bound(conn: Connection, binding: RequestParser, team_id: int) -> dict[str, Any]:
    """Return the columns of a sub-issue that is bound to something of the issue's team.

    Raises:
        NotFound: it is not there, or of another team.
    """
    field, value = binding.text("field"), binding.number("value")
    columns: dict[str, Any] = {"field": field, "value": value}
    if field in {_IMAGE, _FIGURE}:
        image_id = value if field == _IMAGE else image_of(value)
        row = items.find(conn, [image_id])[image_id]
        columns |= {"image_id": image_id, "dataset_id": row["dataset_id"], "project_id": row["project_id"]}
    elif field == _JOB:
        row = jobs.get(conn, value)
        columns |= {"dataset_id": row["dataset_id"], "project_id": row["project_id"]}
    elif field == _PROJECT:
        columns["project_id"] = projects.get(conn, value)["id"]
    else:
        raise Invalid(f'"{binding.path}field" must be one of {_IMAGE}, {_FIGURE}, {_PROJECT}, {_JOB}')
    if projects.team_of(conn, columns["project_id"]) != team_id:
        raise Invalid(f'"{binding.path}value": {value} is not of the issue\'s team', {"field": f"{binding.path}value"})
    return columns


def add_sub_issue(conn: Connection, request: RequestParser) -> JsonObject:
    """``issues.sub-issue.add``: a sub-issue for each of ``bindings``."""
    parent = issues.get(conn, request.number("parentId" if request.has("parentId") else "issueId"))
    if parent["parent_id"] is not None:
        raise Invalid(f"issue {parent['id']} is a sub-issue: name the issue that it is of")
    shared = {"team_id": parent["team_id"], "parent_id": parent["id"], "name": parent["name"], "meta": _meta(request)}
    bound = [_bound(conn, binding, parent["team_id"]) for binding in request.objects("bindings")]
    if not bound:
        raise Invalid('"bindings" must have an entry', {"field": "bindings"})
    _check_count(len(issues.children(conn, [parent["id"]])[parent["id"]]) + len(bound), parent, "sub-issues")
    numbers = [issues.add(conn, {**shared, **columns}) for columns in bound]
    return {"id": numbers[0], "ids": numbers}


def edit_sub_issue(conn: Connection, request: RequestParser) -> Success:
    """``issues.sub-issue.editInfo``: status, meta, and the issue that it is of."""
    row, changed = issues.get_own(conn, request.number("id")), _changed(request)
    if request.has("parentId"):
        parent = issues.get(conn, request.number("parentId"))
        if parent["team_id"] != row["team_id"] or parent["parent_id"] is not None or row["parent_id"] is None:
            raise Invalid(f"issue {row['id']} cannot become a sub-issue of {parent['id']}", {"field": "parentId"})
        _check_count(len(issues.children(conn, [parent["id"]])[parent["id"]]) + 1, parent, "sub-issues")
        changed["parent_id"] = parent["id"]
    if request.has("meta"):
        changed["meta"] = _meta(request)
    issues.edit(conn, row["id"], changed)
    return {"success": True}


def list_of_dataset(conn: Connection, request: RequestParser) -> list[JsonObject]:
    """``issues.dataset-issues.list`` of a dataset or a project: its sub-issues and the issues that they are of."""
    if request.has("datasetId"):
        within = table.c.dataset_id == datasets.get(conn, request.number("datasetId"))["id"]
    else:
        within = table.c.project_id == projects.get(conn, request.number("projectId"))["id"]
    bound = conn.execute(issues.listing(conn).where(within).order_by(table.c.id)).mappings().all()
    parents = select(table.c.parent_id).where(within)
    query = issues.listing(conn).where(table.c.id.in_(parents), table.c.parent_id.is_(None)).order_by(table.c.id)
    return [*_to_wire(conn, conn.execute(query).mappings().all()), *_sub_issues(conn, bound)]


READS: Mapping[str, Operation] = {
    "issues.list": list_issues,
    "issues.info": issue,
    "issues.dataset-issues.list": list_of_dataset,
}
WRITES: Mapping[str, Operation] = {
    "issues.add": add,
    "issues.editInfo": edit,
    "issues.remove": remove,
    "issues.comments.add": add_comment,
    "issues.comments.editInfo": edit_comment,
    "issues.sub-issue.add": add_sub_issue,
    "issues.sub-issue.editInfo": edit_sub_issue,
}
