"""The methods that read a version, compare two, restore and delete one, as they are described."""

from __future__ import annotations

from typing import Any

from autoflow.server.http.schemas import Described, fields, maybe, number, of
from autoflow.server.versions.diff import ASPECTS
from autoflow.wire import methods

_TEXT = of("string")
_COUNT = of("integer", minimum=0)
_NAMES = of("array", items=_TEXT)
_CHANGED = ("added", "removed", "changed")
_COUNTS = fields("added removed changed", added=_COUNT, removed=_COUNT, changed=_COUNT)
_PARTS = fields("added removed changed", "By their names.", added=_NAMES, removed=_NAMES, changed=_NAMES)
_AFTER = maybe(of("integer", "What the next page goes on after; null at the end.", minimum=0))
_VERSION = fields("id version", id=number(), version=number("Counted by project."))
_ITEM = fields(
    "id datasetId dataset name hash link size width height meta tags description",
    id=number(),
    datasetId=number(),
    dataset=of("array", "The names of the datasets it stands in, the outermost first.", items=_TEXT),
    name=_TEXT,
    hash=maybe(of("string", "base64 of the sha256 of its bytes; null for a link.")),
    link=maybe(_TEXT),
    meta=of("object"),
    tags=of("array", items=of("object")),
    description=_TEXT,
    annotation=of("object", "In Supervisely's format, when asked for."),
)
_MAYBE_ITEM = {"anyOf": [_ITEM, of("null")]}
_CHANGE = fields(
    "status aspects before after labels",
    status=of("string", enum=[*_CHANGED]),
    aspects=of("array", "What of it changed.", items=of("string", enum=[*ASPECTS])),
    before=_MAYBE_ITEM,
    after=_MAYBE_ITEM,
    labels=_COUNTS,
)

# Members whose names are Python's words.
_ASKED: Any = {"from": number(), "to": maybe(number())}
_COMPARED: Any = {"from": _VERSION, "to": {"anyOf": [_VERSION, of("null")]}}

RESTORES: dict[str, Described] = {
    methods.VERSION_ITEMS: Described(
        "The items of a version, by their ids.",
        fields(
            "id",
            id=number("The version's."),
            after=_AFTER,
            limit=of("integer", minimum=1),
            datasetId=maybe(number()),
            annotations=of("boolean"),
        ),
        fields("items after", items=of("array", items=_ITEM), after=_AFTER),
        (404,),
    ),
    methods.VERSION_META: Described(
        "A version with its project, its classes and tags, and its datasets.",
        fields("id", id=number("The version's.")),
        fields(
            "version project meta datasets",
            version=_VERSION,
            project=fields("id name removed", id=number(), name=_TEXT, removed=of("boolean")),
            meta=fields("classes tags", classes=of("array"), tags=of("array")),
            datasets=of("array", "Each after the one it stands in.", items=of("object")),
        ),
        (404,),
    ),
    methods.VERSION_DIFF: Described(
        "What changed from one version of a project to another, or to what the project is now.",
        fields(
            "from",
            says="from and to: versions; without to, the project as it is.",
            **_ASKED,
            limit=of("integer", "Changed items to be told one by one, at most 1000.", minimum=0),
            after=_AFTER,
            labels=of("boolean", "Count the labels that changed on all items."),
        ),
        fields(
            "projectId from to counts classes tags datasets changes after",
            projectId=number(),
            **_COMPARED,
            counts=fields("items labels classes tags datasets", items=_COUNTS, labels=of("object")),
            classes=_PARTS,
            tags=_PARTS,
            datasets=_PARTS,
            changes=of("array", items=_CHANGE),
            after=_AFTER,
        ),
        (404,),
    ),
    methods.VERSION_RESTORE: Described(
        "Make a version a new project: some of it a call, until it is done.",
        fields(
            says="id, or projectId and number, at first; then restoring, the answer's id.",
            id=maybe(number("The version's.")),
            projectId=maybe(number()),
            number=maybe(number("The version's, counted by project.")),
            name=maybe(_TEXT),
            description=maybe(_TEXT),
            workspaceId=maybe(number("By default the project's own.")),
            skipMissed=of("boolean", "Leave out items whose content is missing."),
            restoring=maybe(number("The new project's, to go on.")),
        ),
        fields(
            "done id name copied total missed",
            done=of("boolean"),
            id=number("The new project's."),
            name=_TEXT,
            copied=_COUNT,
            total=_COUNT,
            missed=fields("count names", count=_COUNT, names=_NAMES),
        ),
        (404,),
    ),
    methods.VERSION_DELETE: Described(
        "Delete a version; what names it can tell that it was deleted.",
        fields("id", id=number("The version's.")),
        fields("success", success=of("boolean")),
        (404,),
    ),
}
