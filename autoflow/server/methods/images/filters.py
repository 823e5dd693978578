"""``filters``: images picked by what is on them: their names, tags, the classes and tags of their objects, their job.

What a database can tell of a row is asked of it. What only an annotation tells is looked up in all of them once: the
numbers found are remembered for as long as the project stays as it is, so that each further page costs that page.
"""

from __future__ import annotations

import json
import math
import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, false, func, or_, true

from autoflow.server import limits
from autoflow.server.db import items, jobs, json_codec
from autoflow.server.db.schema import items as table
from autoflow.server.errors import Invalid, NotFound
from autoflow.server.paging import Columns, apply_order, by_token, chunks, descending
from autoflow.server.request_parser import RequestParser

Tags = Sequence[Mapping[str, Any]]
Stored = Mapping[str, Any]

BY_META = "customSort"  # what images may be sorted by, though it is no column but a member of their meta
REMEMBERED = 32


class Condition(NamedTuple):
    """One of the filters, with what it needs to be decided.

    Args:
        where: what a row must be; images that fail it are out.
        item: what an image's number and tags must be.
        figure: which of its objects are counted, None when none are.
        mark: what the kept annotation has in it if any is; empty when nothing tells.
        counts: how many of them there must be, from and to.
        inside: whether their number must be among `counts`, or must not.
    """

    where: ColumnElement[bool] = true()
    item: Callable[[int, Tags], bool] | None = None
    figure: Callable[[Stored], bool] | None = None
    mark: bytes = b""
    counts: tuple[int, float] = (0, math.inf)
    inside: bool = True

    def passes(self, number: int, tags: Tags, objects: Sequence[Stored]) -> bool:
        """Whether an image is picked."""
        if self.item is not None and not self.item(number, tags):
            return False
        if self.figure is None:
            return True
        return (self.counts[0] <= sum(map(self.figure, objects)) <= self.counts[1]) == self.inside

    def counted(self, stored: Stored) -> bool:
        """Whether an object is one that the condition is about."""
        return self.figure is None or self.figure(stored) == self.inside


def _counts(data: RequestParser) -> tuple[int, float]:
    start, end = data.optional_number("from"), data.optional_number("to")
    return (1 if start is None else start), (math.inf if end is None else end)


def _valued(data: RequestParser) -> Callable[[Any], bool]:
    """What a tag's value must be: a text, a number, or within two numbers, which may be sent as text."""
    wanted = data.fields.get("value")
    if wanted is None:
        return lambda value: True
    if not isinstance(wanted, Mapping):
        return lambda value: bool(value == wanted)
    span = RequestParser(wanted, f"{data.path}value.")
    ends = [_decimal(span, name) for name in ("from", "to")]
    return lambda value: isinstance(value, (int, float)) and ends[0] <= value <= ends[1]


def _decimal(span: RequestParser, name: str) -> float:
    value = span.fields.get(name)
    try:
        return float(value if value is not None else {"from": "-inf", "to": "inf"}[name])
    except (TypeError, ValueError, OverflowError):
        raise Invalid(f'"{span.path}{name}" must be a number') from None


def _tagged(data: RequestParser) -> Callable[[Tags], bool]:
    """Whether there is a tag of the number and value that is asked for; any when none is."""
    wanted, fits = data.optional_number("tagId"), _valued(data)
    return lambda tags: any(wanted in {None, tag["tagId"]} and fits(tag["value"]) for tag in tags)


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
    there = table.c.tags != "[]"
    if number is not None:  # as the store writes JSON; inside a text its quotes would be escaped
        there = or_(*(table.c.tags.contains(f'"tagId":{number}{end}') for end in ",}"))
    if data.fields.get("value") is None:
        return Condition(there)
    return Condition(there, item=lambda _number, tags: tagged(tags))


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
    within = table.c.labels >= counts[0]
    if counts[1] < math.inf:
        within &= table.c.labels <= counts[1]
    return Condition(within if inside else ~within)


def _by_annotator(_conn: Connection, data: RequestParser) -> Condition:
    _nobody(data)
    return _by_labels(_counts(data), data.flag("include", default=True))


def _by_tagger(_conn: Connection, data: RequestParser) -> Condition:
    _nobody(data)
    counts = _counts(data)
    return Condition(item=lambda _number, tags: counts[0] <= len(tags) <= counts[1])


def _nobody(data: RequestParser) -> None:
    if data.has("userId"):
        raise Invalid(f'"{data.path}userId": who drew an object or put a tag is not kept on this server')


def _by_issues(_conn: Connection, data: RequestParser) -> Condition:
    return Condition(true() if _counts(data)[0] <= 0 else false())  # there are no issues here


def _by_job(conn: Connection, data: RequestParser) -> Condition:
    wanted = frozenset(json_codec.load(jobs.get(conn, data.number("jobId"))["meta"])["entityIds"])
    include = data.flag("include", default=True)
    return Condition(item=lambda number, _tags: (number in wanted) == include)


def _by_collection(_conn: Connection, data: RequestParser) -> Condition:
    raise NotFound("collection", data.number("collectionId"))


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
    """What a request's ``filters`` ask for; an image is picked that meets them all.

    Raises:
        ServerRefused: 400, a type is unknown or a member wrong; 404, a job is unknown.
    """
    found = []
    for entry in request.objects("filters", required=False):
        kind = entry.text("type")
        if kind not in _TYPES:
            raise Invalid(f'"{entry.path}type" must be one of {", ".join(_TYPES)}')
        found.append(_TYPES[kind](conn, RequestParser(entry.mapping("data"), f"{entry.path}data.")))
    return found


def narrowed(query: Select[Any], wanted: Iterable[Condition]) -> Select[Any]:
    """A query of images without those that a database can tell are not picked."""
    return query.where(*(condition.where for condition in wanted))


# -- what is looked up once

Key = tuple[Any, ...]
_memory: OrderedDict[Key, array[int]] = OrderedDict()
_lock = threading.Lock()


def needs_scan(wanted: Iterable[Condition], request: RequestParser) -> bool:
    """Whether the annotations, or other documents, must be read to know which images are picked, and their order."""
    return request.fields.get("sort") == BY_META or any(one.item or one.figure for one in wanted)


def _key(conn: Connection, project: Mapping[str, Any] | RowMapping, request: RequestParser) -> Key:
    """What tells one look-up from another: the request but for its page, and the state of the project."""
    asked = {
        name: request.fields[name] for name in ("datasetId", "recursive", "filter", "filters") if name in request.fields
    }
    order = [request.fields.get("sort"), request.fields.get("sort_order")] if not by_token(request) else None
    state = (project["id"], project["created_at"], project["change_seq"], project["digest"])
    return (conn.engine.url, *state, json.dumps([asked, order], sort_keys=True, default=str))


def scan(
    conn: Connection,
    project: Mapping[str, Any] | RowMapping,
    query: Select[Any],
    columns: Columns,
    request: RequestParser,
    wanted: Sequence[Condition],
) -> Sequence[int]:
    """The numbers of the images picked, in the request's order.

    Args:
        conn: the transaction.
        project: whose images they are: its row.
        query: its images as far as a database can tell them.
        columns: what they may be sorted by.
        request: the request.
        wanted: its conditions.
    """
    key = _key(conn, project, request)
    with _lock:
        if key in _memory:
            _memory.move_to_end(key)
            return _memory[key]
    found = array("q", _looked_up(conn, query, columns, request, wanted))
    with _lock:
        _memory[key] = found
        while len(_memory) > REMEMBERED:
            _memory.popitem(last=False)
    return found


def _looked_up(
    conn: Connection, query: Select[Any], columns: Columns, request: RequestParser, wanted: Sequence[Condition]
) -> list[int]:
    by_meta = request.fields.get("sort") == BY_META and not by_token(request)
    by_id = RequestParser({} if by_meta or by_token(request) else request.fields)
    query = apply_order(query, columns, by_id)
    parts = query.with_only_columns(table.c.id, table.c.tags, table.c.annotation, table.c.meta)
    found: list[tuple[str, int]] = []
    drawn = [condition for condition in wanted if condition.figure]
    for part in chunks(conn.execute(parts).all()):
        hashes = [row.annotation for row in part if row.annotation] if drawn else []
        texts = items.read_encoded_documents(conn, hashes)
        for row in part:
            objects = _objects(texts.get(row.annotation, b""), drawn)
            tags = json_codec.load(row.tags)
            if all(condition.passes(row.id, tags, objects) for condition in wanted):
                found.append((str(json_codec.load(row.meta).get(BY_META, "")) if by_meta else "", row.id))
    if by_meta:
        found.sort(reverse=descending(request))
    return [number for _order, number in found]


def _objects(text: bytes, drawn: Sequence[Condition]) -> Sequence[Stored]:
    """The objects of a kept annotation; none, unread, when none of them can be counted."""
    if not text or all(condition.mark and condition.mark not in text for condition in drawn):
        return ()
    found: Sequence[Stored] = json.loads(text)["objects"]
    return found
