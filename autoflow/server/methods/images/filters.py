"""``filters``: select images by name, tags, classes and tags of their objects, labeling job.

Conditions on columns are part of the query. Conditions on annotations need a scan of all documents; its result is
cached until the project changes, so that each further page costs only that page.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, false, func, or_, true

from autoflow.model.json_object import JsonObject
from autoflow.process.lru_cache import LruCache
from autoflow.server import limits
from autoflow.server.db import collections, items, jobs, json_codec
from autoflow.server.db.schema import items as table
from autoflow.server.errors import Invalid
from autoflow.server.paging import Columns, apply_order, by_token, chunks, descending
from autoflow.server.request_parser import RequestParser

Tags = Sequence[Mapping[str, Any]]
Stored = JsonObject

BY_META = "customSort"  # images may be sorted by this member of their meta
CACHED_SCANS = 32


class Condition(NamedTuple):
    """One of the filters; an image passes if all its members accept it.

    Args:
        where: condition on the row.
        item: predicate on the image's number and tags.
        figure: predicate that selects the objects to count; None to count none.
        mark: bytes that an annotation with such an object contains; empty if there are none that tell.
        counts: smallest and largest number of counted objects.
        inside: whether that number must be within `counts`, or outside.
    """

    where: ColumnElement[bool] = true()
    item: Callable[[int, Tags], bool] | None = None
    figure: Callable[[Stored], bool] | None = None
    mark: bytes = b""
    counts: tuple[int, float] = (0, math.inf)
    inside: bool = True

    def passes(self, number: int, tags: Tags, objects: Sequence[Stored]) -> bool:
        """Return whether an image passes."""
        if self.item is not None and not self.item(number, tags):
            return False
        if self.figure is None:
            return True
        return (self.counts[0] <= sum(map(self.figure, objects)) <= self.counts[1]) == self.inside

    def counted(self, stored: Stored) -> bool:
        """Return whether the condition selects an object."""
        return self.figure is None or self.figure(stored) == self.inside


def _counts(data: RequestParser) -> tuple[int, float]:
    start, end = data.optional_number("from"), data.optional_number("to")
    return (1 if start is None else start), (math.inf if end is None else end)


def _valued(data: RequestParser) -> Callable[[Any], bool]:
    """Return a predicate on tag values: equal to a text or number, or within two numbers, which may be sent as text."""
    expected = data.fields.get("value")
    if expected is None:
        return lambda value: True
    if not isinstance(expected, Mapping):
        return lambda value: bool(value == expected)
    span = RequestParser(expected, f"{data.path}value.")
    ends = [_decimal(span, name) for name in ("from", "to")]
    return lambda value: isinstance(value, (int, float)) and ends[0] <= value <= ends[1]


def _decimal(span: RequestParser, name: str) -> float:
    value = span.fields.get(name)
    try:
        return float(value if value is not None else {"from": "-inf", "to": "inf"}[name])
    except (TypeError, ValueError, OverflowError):
        raise Invalid(f'"{span.path}{name}" must be a number') from None


def _tagged(data: RequestParser) -> Callable[[Tags], bool]:
    """Return a predicate on tags: one has the requested number and value; any tag if none are requested."""
    number, fits = data.optional_number("tagId"), _valued(data)
    return lambda tags: any(number in {None, tag["tagId"]} and fits(tag["value"]) for tag in tags)


def _by_name(_conn: Connection, data: RequestParser) -> Condition:
    part = data.text("value", "", max_length=limits.QUERY)
    if not part:
        return Condition()
    return Condition(func.lower(table.c.name).contains(part.lower(), autoescape=True))


def _by_tag(_conn: Connection, data: RequestParser) -> Condition:
    tagged, include = _tagged(data), data.flag("include", default=True)
    if not include:
        return Condition(item=lambda _number, tags: not tagged(tags))
    number = data.optional_number("tagId")
    has_tag = table.c.tags != "[]"
    if number is not None:  # as the store writes JSON; inside a text its quotes would be escaped
        has_tag = or_(*(table.c.tags.contains(f'"tagId":{number}{end}') for end in ",}"))
    if data.fields.get("value") is None:
        return Condition(has_tag)
    return Condition(has_tag, item=lambda _number, tags: tagged(tags))


def _by_object_tag(_conn: Connection, data: RequestParser) -> Condition:
    tagged, include = _tagged(data), data.flag("include", default=True)
    of_class, number = data.optional_number("tagClassId"), data.optional_number("tagId")
    return Condition(
        mark=f'"tagId":{number}'.encode() if include and number is not None else b"",
        figure=lambda stored: of_class in {None, stored["classId"]} and tagged(stored["tags"]) == include,
        counts=_counts(data),
    )


def _by_class(_conn: Connection, data: RequestParser) -> Condition:
    counts, inside, number = _counts(data), data.flag("include", default=True), data.optional_number("classId")
    if number is not None:
        mark = f'"classId":{number}'.encode()
        return Condition(figure=lambda stored: stored["classId"] == number, mark=mark, counts=counts, inside=inside)
    return _by_labels(counts, inside)


def _by_labels(counts: tuple[int, float], inside: bool) -> Condition:
    labels_in_range = table.c.labels >= counts[0]
    if counts[1] < math.inf:
        labels_in_range &= table.c.labels <= counts[1]
    return Condition(labels_in_range if inside else ~labels_in_range)


def _by_annotator(_conn: Connection, data: RequestParser) -> Condition:
    _refuse_user(data)
    return _by_labels(_counts(data), data.flag("include", default=True))


def _by_tagger(_conn: Connection, data: RequestParser) -> Condition:
    _refuse_user(data)
    counts = _counts(data)
    return Condition(item=lambda _number, tags: counts[0] <= len(tags) <= counts[1])


def _refuse_user(data: RequestParser) -> None:
    if data.has("userId"):
        raise Invalid(f'"{data.path}userId": this server does not record who drew an object or added a tag')


def _by_issues(_conn: Connection, data: RequestParser) -> Condition:
    return Condition(true() if _counts(data)[0] <= 0 else false())  # there are no issues here


def _by_job(conn: Connection, data: RequestParser) -> Condition:
    image_ids = frozenset(json_codec.load(jobs.get(conn, data.number("jobId"))["meta"])["entityIds"])
    include = data.flag("include", default=True)
    return Condition(item=lambda number, _tags: (number in image_ids) == include)


def _by_collection(conn: Connection, data: RequestParser) -> Condition:
    within = collections.contains(conn, data.number("collectionId"))
    return Condition(within if data.flag("include", default=True) else ~within)


_TYPES: Mapping[str, Callable[[Connection, RequestParser], Condition]] = {
    "images_filename": _by_name,
    "images_tag": _by_tag,
    "objects_tag": _by_object_tag,
    "objects_class": _by_class,
    "objects_annotator": _by_annotator,
    "tagged_by_annotator": _by_tagger,
    "issues_count": _by_issues,
    "job": _by_job,
    "entities_collection": _by_collection,
}


def conditions(conn: Connection, request: RequestParser) -> list[Condition]:
    """Return the conditions of a request's ``filters``; an image must pass all of them.

    Raises:
        ServerRefused: 400, a type is unknown or a member wrong; 404, a job is unknown.
    """
    parsed = []
    for entry in request.objects("filters", required=False):
        kind = entry.text("type")
        if kind not in _TYPES:
            raise Invalid(f'"{entry.path}type" must be one of {", ".join(_TYPES)}')
        parsed.append(_TYPES[kind](conn, RequestParser(entry.mapping("data"), f"{entry.path}data.")))
    return parsed


def narrow(query: Select[Any], conditions: Iterable[Condition]) -> Select[Any]:
    """Return a query of images narrowed by the conditions on columns."""
    return query.where(*(condition.where for condition in conditions))


# -- scans, cached

Key = tuple[Any, ...]
_scans: LruCache[Key, array[int]] = LruCache(CACHED_SCANS)


def needs_scan(conditions: Iterable[Condition], request: RequestParser) -> bool:
    """Return whether selecting and sorting the images needs their documents."""
    return request.fields.get("sort") == BY_META or any(condition.item or condition.figure for condition in conditions)


def _key(conn: Connection, project: Mapping[str, Any] | RowMapping, request: RequestParser) -> Key:
    """Return the key of a scan: the request without its page, and the state of the project."""
    members = {
        name: request.fields[name] for name in ("datasetId", "recursive", "filter", "filters") if name in request.fields
    }
    order = [request.fields.get("sort"), request.fields.get("sort_order")] if not by_token(request) else None
    state = (project["id"], project["created_at"], project["change_seq"], project["digest"])
    within = [
        collections.state(conn, RequestParser(entry.mapping("data")).number("collectionId"))
        for entry in request.objects("filters", required=False)
        if entry.fields.get("type") == "entities_collection"
    ]
    return (conn.engine.url, *state, json.dumps([members, order, within], sort_keys=True, default=str))


def scan(
    conn: Connection,
    project: Mapping[str, Any] | RowMapping,
    query: Select[Any],
    columns: Columns,
    request: RequestParser,
    conditions: Sequence[Condition],
) -> Sequence[int]:
    """Return the numbers of the selected images, in the request's order.

    Args:
        conn: the transaction.
        project: the images' project.
        query: its images, narrowed by the conditions on columns.
        columns: columns to sort by.
        request: the request.
        conditions: its conditions.
    """
    key = _key(conn, project, request)
    return _scans.get_or_create(
        key, lambda _key: array("q", _scan_documents(conn, query, columns, request, conditions))
    )


def _scan_documents(
    conn: Connection, query: Select[Any], columns: Columns, request: RequestParser, conditions: Sequence[Condition]
) -> list[int]:
    by_meta = request.fields.get("sort") == BY_META and not by_token(request)
    by_id = RequestParser({} if by_meta or by_token(request) else request.fields)
    query = apply_order(query, columns, by_id)
    parts = query.with_only_columns(table.c.id, table.c.tags, table.c.annotation, table.c.meta)
    sorted_numbers: list[tuple[str, int]] = []
    drawn = [condition for condition in conditions if condition.figure]
    for part in chunks(conn.execute(parts).all()):
        hashes = [row.annotation for row in part if row.annotation] if drawn else []
        texts = items.read_encoded_documents(conn, hashes)
        for row in part:
            objects = _objects(texts.get(row.annotation, b""), drawn)
            tags = json_codec.load(row.tags)
            if all(condition.passes(row.id, tags, objects) for condition in conditions):
                sorted_numbers.append((str(json_codec.load(row.meta).get(BY_META, "")) if by_meta else "", row.id))
    if by_meta:
        sorted_numbers.sort(reverse=descending(request))
    return [number for _order, number in sorted_numbers]


def _objects(text: bytes, drawn: Sequence[Condition]) -> Sequence[Stored]:
    """Return the objects of an encoded annotation; none, without decoding it, if no condition can count any."""
    if not text or all(condition.mark and condition.mark not in text for condition in drawn):
        return ()
    objects: Sequence[Stored] = json.loads(text)["objects"]
    return objects
