"""Single classes and tags of a project: ``tags.*``, ``advanced.*``, ``projects.classes.*``.

They are entries of the project's meta (`projects.meta`), in the shapes of these methods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping

from autoflow.model.json_object import JsonObject
from autoflow.server.db import projects
from autoflow.server.db.change_tracking import ProjectEdit, edit_project
from autoflow.server.errors import Conflict, Invalid, NotFound
from autoflow.server.methods.projects.meta import merged, replace
from autoflow.server.operations import Operation
from autoflow.server.paging import ListPage, page_of_entities
from autoflow.server.request_parser import RequestParser
from autoflow.wire.contract.labels import LabelClass, LabelDefinitions, MetaKind
from autoflow.wire.contract.method import Success

Entry = JsonObject

# A tag's settings: names in the document -> names on the wire.
_SETTINGS = {
    "value_type": "type",
    "values": "values",
    "applicable_type": "applicableType",
    "target_type": "targetType",
    "is_default": "isDefault",
    "default_value": "defaultValue",
}


def _entries(document: LabelDefinitions, kind: MetaKind) -> list[Entry]:
    """Return the classes or the tags of a document, with the members that are not declared."""
    return [dict(entry) for entry in document[kind]]


def _class(project: Mapping[str, Any] | RowMapping, entry: Entry, _document: LabelDefinitions) -> Entry:
    return {
        "id": entry["id"],
        "projectId": project["id"],
        "name": entry["title"],
        "title": entry["title"],
        "description": entry.get("description", ""),
        "shape": entry.get("shape"),
        "color": entry.get("color"),
        "hotkey": entry.get("hotkey", ""),
        "settings": entry.get("geometry_config") or {},
        "createdAt": project["created_at"],
        "updatedAt": project["updated_at"],
    }


def _tag(project: Mapping[str, Any] | RowMapping, entry: Entry, document: LabelDefinitions) -> Entry:
    numbers = {known["title"]: known["id"] for known in document["classes"]}
    classes = entry.get("classes")
    names = [name for name in classes if isinstance(name, str)] if isinstance(classes, list) else []
    settings = {wire: entry[name] for name, wire in _SETTINGS.items() if entry.get(name) is not None}
    return {
        "id": entry["id"],
        "projectId": project["id"],
        "name": entry["name"],
        "title": entry["name"],
        "color": entry.get("color"),
        "hotkey": entry.get("hotkey", ""),
        "settings": {**settings, "classes": [numbers[name] for name in names if name in numbers]},
        "createdAt": project["created_at"],
        "updatedAt": project["updated_at"],
    }


def _listing(kind: MetaKind, shape: Callable[..., Entry]) -> Operation:
    def run(conn: Connection, request: RequestParser) -> ListPage:
        project = projects.get(conn, request.number("projectId"))
        document = projects.meta(conn, project["id"])
        return page_of_entities((shape(project, entry, document) for entry in _entries(document, kind)), request)

    return run


def _project_of(conn: Connection, kind: MetaKind, what: str, number: int) -> int:
    """Return the project that has a class or tag of a number.

    Raises:
        ServerRefused: 404, no project has it; 409, several have it, as one was restored or cloned from another.
    """
    project_ids = projects.find_by_meta_entry(conn, kind, number)
    if not project_ids:
        raise NotFound(what, number)
    if len(project_ids) > 1:
        raise Conflict(f"{what} {number} is in projects {', '.join(map(str, project_ids))}: use projects.meta.update")
    return project_ids[0]


def class_info(conn: Connection, request: RequestParser) -> Entry:
    """``advanced.object_classes.info`` by id; if projects were restored from one another, of the first."""
    number = request.number("id")
    for project_id in projects.find_by_meta_entry(conn, "classes", number)[:1]:
        document = projects.meta(conn, project_id)
        entry = next(entry for entry in _entries(document, "classes") if entry["id"] == number)
        return _class(projects.get(conn, project_id), entry, document)
    raise NotFound("class", number)


def _edit(
    conn: Connection, request: RequestParser, kind: MetaKind, what: str, changes: Callable[[ProjectEdit, Entry], Entry]
) -> ProjectEdit:
    """Change one entry of its project's document."""
    number = request.number("id")
    with edit_project(conn, _project_of(conn, kind, what, number)) as edit:
        document = projects.meta(conn, edit.project["id"])
        entries = [
            {**entry, **changes(edit, entry)} if entry["id"] == number else entry for entry in _entries(document, kind)
        ]
        replace(edit, document, merged(conn, document, RequestParser({kind: entries})))
    return edit


def edit_class(conn: Connection, request: RequestParser) -> Entry:
    """``advanced.object_classes.editInfo``: name, description, shape, colour and other members of a class."""
    values: Entry = {
        "title" if name == "name" else name: request.text(name, "") for name in _PLAIN if request.has(name)
    }
    if request.has("settings"):
        values["geometry_config"] = request.mapping("settings")
    edit = _edit(conn, request, "classes", "class", lambda _edit, _entry: values)
    return _entry(conn, edit, "classes", request.number("id"), _class)


_PLAIN = ("name", "description", "hotkey", "shape", "color")


def edit_tag(conn: Connection, request: RequestParser) -> Entry:
    """``advanced.tags.editInfo``: name, colour, hotkey, and the settings that are sent."""

    def changes(edit: ProjectEdit, entry: Entry) -> Entry:
        values: Entry = {name: request.text(name, "") for name in ("color", "hotkey") if request.has(name)}
        if request.has("title"):
            values["name"] = request.text("title")
        classes = projects.meta(edit.conn, edit.project["id"])["classes"]
        return {**values, **_settings(RequestParser(request.mapping("settings"), "settings."), classes)}

    edit = _edit(conn, request, "tags", "tag", changes)
    return _entry(conn, edit, "tags", request.number("id"), _tag)


def _settings(sent: RequestParser, classes: Sequence[LabelClass]) -> Entry:
    """Return settings as the document has them, classes by title."""
    settings = {name: sent.fields[wire] for name, wire in _SETTINGS.items() if sent.has(wire)}
    if sent.has("classes"):
        titles = {known["id"]: known["title"] for known in classes}
        numbers = sent.numbers("classes")
        if missing := [number for number in numbers if number not in titles]:
            raise Invalid(f'"{sent.path}classes": the project has no class {missing[0]}')
        settings["classes"] = [titles[number] for number in numbers]
    return settings


def _entry(conn: Connection, edit: ProjectEdit, kind: MetaKind, number: int, shape: Callable[..., Entry]) -> Entry:
    document = projects.meta(conn, edit.project["id"])
    entry = next(candidate for candidate in _entries(document, kind) if candidate["id"] == number)
    return shape(projects.get(conn, edit.project["id"]), entry, document)


def add_tags(conn: Connection, request: RequestParser) -> list[Entry]:
    """``tags.bulk.add``: add tags to a project; 409 if it has one of that name."""
    with edit_project(conn, request.number("projectId")) as edit:
        document = projects.meta(conn, edit.project["id"])
        names = {entry["name"] for entry in document["tags"]}
        new_tags = []
        for sent in request.objects("tags"):
            name = sent.text("title" if sent.has("title") else "name")
            if name in names:
                raise Conflict(f"project {edit.project['id']} has a tag named {name!r} already")
            plain = {key: sent.text(key, "") for key in ("color", "hotkey") if sent.has(key)}
            settings = RequestParser(sent.mapping("settings"), f"{sent.path}settings.")
            new_tags.append({"name": name, **plain, **_settings(settings, document["classes"])})
        changed = merged(conn, document, RequestParser({"tags": [*document["tags"], *new_tags]}))
        replace(edit, document, changed)
    return [_tag(edit.project, entry, changed) for entry in _entries(changed, "tags")[len(document["tags"]) :]]


def _removal(kind: MetaKind, what: str) -> Operation:
    def run(conn: Connection, request: RequestParser) -> Success:
        number = request.number("id")
        with edit_project(conn, request.number("projectId")) as edit:
            document = projects.meta(conn, edit.project["id"])
            if all(entry["id"] != number for entry in document[kind]):
                raise NotFound(f"in project {edit.project['id']}, {what}", number)
            remaining: LabelDefinitions = {**document}
            if kind == "classes":
                remaining["classes"] = [entry for entry in document["classes"] if entry["id"] != number]
            else:
                remaining["tags"] = [entry for entry in document["tags"] if entry["id"] != number]
            replace(edit, document, remaining)
        return {"success": True}

    return run


READS: Mapping[str, Operation] = {
    "tags.list": _listing("tags", _tag),
    "advanced.object_classes.list": _listing("classes", _class),
    "advanced.object_classes.info": class_info,
}
WRITES: Mapping[str, Operation] = {
    "tags.bulk.add": add_tags,
    "advanced.tags.editInfo": edit_tag,
    "advanced.object_classes.editInfo": edit_class,
    "projects.classes.remove": _removal("classes", "class"),
    "projects.tags.remove": _removal("tags", "tag"),
}
