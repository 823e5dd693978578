"""Requests of a reproduction's command, answered with the recorded data instead of the present.

A request that names a recorded project, dataset or file is sent on with the restored one, and the response names the
recorded one again: the command needs no changed argument, and what it writes has the recorded numbers in it. Files that
it writes go to a folder of their own, where it alone finds them at the paths it wrote them to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from autoflow.server.db.files import normalize_path
from autoflow.server.db.reproduction_view import ReproductionView
from autoflow.server.errors import NotFound
from autoflow.server.request_parser import as_number, as_text
from autoflow.wire import methods
from autoflow.wire.parts import Part

Call = Callable[[str, Any], Any]

DEPTH = 4  # of the members that are looked at; labels are deeper
PROJECT_LISTS = frozenset({methods.PROJECT_LIST, "projects.list.all"})
FILE_LISTS = frozenset({methods.FILE_LIST, "file-storage.v2.list"})
FILE_DOWNLOAD = "file-storage.download"
_PROJECT_MEMBERS = ("projectId", "project_id", "projectIds", "projectIDs")
_DATASET_MEMBERS = ("datasetId", "dataset_id", "datasetIds", "dstDatasetId", "destDatasetId")
_FILE_TYPES = frozenset({"file", "model_weight", "folder"})
_NEW_PROJECTS = frozenset({"projects.add", "projects.clone"})
# Versions belong to the recorded projects. A snapshot is one of the data that the command reads.
_OF_VERSIONS = ("projects.versions.", "autoflow.versions.")

Numbers = Mapping[int, int]


class ReproductionRequests:
    """The requests of one caller with a view.

    Args:
        view: what the caller sees.
        call: answers a method without the view.
    """

    def __init__(self, view: ReproductionView, call: Call) -> None:
        self._view = view
        self._call = call
        self._recorded_projects = {restored: recorded for recorded, restored in view.projects.items()}
        self._recorded_datasets = {restored: recorded for recorded, restored in view.datasets.items()}

    def call(self, method: str, body: Mapping[str, Any] | Sequence[Any]) -> Any:
        """Answer a method with a JSON body."""
        if not isinstance(body, Mapping) or (method.startswith(_OF_VERSIONS) and method != methods.SNAPSHOT):
            return self._call(method, body)
        request = self._restored(method, body)
        if method in PROJECT_LISTS:
            response = self._list_projects(method, request)
        elif method in FILE_LISTS:
            response = self._list_files(method, body)
        else:
            response = self._call(method, request)
        return self._recorded(method, response)

    def upload(self, parts: Iterable[Part], query: Mapping[str, Any]) -> tuple[Iterator[Part], dict[str, Any]]:
        """Return an upload of files that goes to the folder of the reproduction."""
        changed = dict(query)
        if isinstance(path := changed.get("path"), str):
            changed["path"] = self._inside(path)
        return (
            Part(part.field, self._inside(part.value)) if part.field == "path" and isinstance(part.value, str) else part
            for part in parts
        ), changed

    def content(self, method: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the request of a download: of the reproduction's own file at a path, or of the recorded one."""
        if method != FILE_DOWNLOAD or body.get("id") is not None or (path := as_text(body.get("path"))) is None:
            return self._restored(method, body)
        wanted = normalize_path(path)
        listed = self._list_files(methods.FILE_LIST, {"teamId": body.get("teamId"), "path": path})
        number = next((entry["id"] for entry in listed if entry["path"] == wanted and entry["id"] is not None), None)
        return body if number is None else {"id": number}

    def shown(self, method: str, response: Any) -> Any:
        """Return the response of an upload with the paths that were asked for."""
        return self._recorded(method, response)

    # -- requests

    def _restored(self, method: str, body: Mapping[str, Any]) -> dict[str, Any]:
        request: dict[str, Any] = _renumbered(body, _tables(method, self._view.projects, self._view.datasets), DEPTH)
        if method == methods.RECORDS_ADD:
            records = body.get("records")
            request["records"] = [self._record(record) for record in records] if isinstance(records, list) else records
        elif method in methods.ADD_EDGE.values():
            direction = next(name for name, add in methods.ADD_EDGE.items() if add == method)
            request.update(self._entity(request, direction))
        elif method in _NEW_PROJECTS and isinstance(request.get("name"), str):
            request["name"] += self._view.suffix
        return request

    def _record(self, record: Any) -> Any:
        if (
            not isinstance(record, Mapping)
            or record.get("type") != "edge"
            or not isinstance(record.get("entity"), Mapping)
        ):
            return record
        return {**record, "entity": self._entity(record["entity"], record.get("direction"))}

    def _entity(self, entity: Mapping[str, Any], direction: Any) -> dict[str, Any]:
        """Return the entity of an edge as it is stored: the restored project, a folder that was written."""
        number, kind = entity.get("id"), entity.get("type")
        if entity.get("origin"):
            return dict(entity)
        tables = {"project": self._view.projects, "dataset": self._view.datasets}
        if not isinstance(kind, str):
            return dict(entity)
        if kind in tables:
            return {**entity, "id": _number(number, tables[kind])}
        if direction == "output" and kind in _FILE_TYPES and isinstance(number, str) and number.startswith("/"):
            return {**entity, "id": self._inside(number)}
        return dict(entity)

    def _inside(self, path: str) -> str:
        """Return the path in the reproduction's folder for one that the command writes to."""
        namespace = self._view.namespace
        normal = "/" + path.lstrip("/")
        return normal if not namespace or normal.startswith(namespace + "/") else namespace + normal

    # -- lists

    def _list_projects(self, method: str, request: dict[str, Any]) -> Any:
        """List projects: restored ones in place of the recorded, and none that was made since the recorded run."""
        view = self._view
        filters = request.get("filter")
        own_request = {**request, "filter": list(self._filters(filters))} if isinstance(filters, list) else request
        response = self._call(method, own_request)
        entities = list(response["entities"])
        if view.suffix and (name := _filtered_name(request)) is not None:
            own = [{"field": "name", "operator": "=", "value": name + view.suffix}]
            entities += self._call(method, {**request, "filter": own})["entities"]
        listed = {entry["id"] for entry in entities}
        rows = []
        for entry in entities:
            if (restored := view.projects.get(entry["id"])) is not None:
                rows.append(self._call(methods.PROJECT_INFO, {"id": restored}))
            elif self._recorded_projects.get(entry["id"]) in listed:
                continue  # it takes the other's place
            elif not self._is_later(entry):
                rows.append(entry)
        return {**response, "entities": rows, "total": response["total"] + len(rows) - len(response["entities"])}

    def _filters(self, filters: Iterable[Any]) -> Iterator[Any]:
        for entry in filters:
            named = isinstance(entry, Mapping) and entry.get("field") == "name" and as_text(entry.get("value"))
            restored = self._view.replaced_names.get(named) if named else None
            yield entry if restored is None else {"field": "id", "operator": "=", "value": restored}

    def _list_files(self, method: str, request: Mapping[str, Any]) -> Any:
        """List files: those the reproduction wrote, else the recorded ones, else the present ones."""
        view, response = self._view, self._call(method, request)
        path = as_text(request.get("path"))
        if path is None:
            return response
        entries = {entry["path"]: entry for entry in (response["entities"] if isinstance(response, dict) else response)}
        for changed in [entry for entry in entries.values() if self._is_later(entry)]:
            entries[changed["path"]] = self._earlier_file(changed)
        wanted = normalize_path(path).rstrip("/")
        deep = request.get("recursive") is not False
        for recorded, number in view.files.items():
            below = recorded[len(wanted) + 1 :] if recorded.startswith(wanted + "/") else None
            if recorded == wanted or (below is not None and (deep or "/" not in below)):
                try:
                    file = self._call(methods.FILE_INFO, {"id": number})  # of an earlier stage, it has another path
                except NotFound:
                    continue  # it was erased
                entries[recorded] = {**file, "path": recorded, "storagePath": recorded, "type": "file"}
        if view.namespace:
            own = self._call(method, {**request, "path": view.namespace + normalize_path(path)})
            for entry in own["entities"] if isinstance(own, dict) else own:
                if entry["isDir"] or entry["createdAt"] >= view.since:
                    shown = self._shown_file(entry)
                    entries[shown["path"]] = shown
        rows = list(entries.values())
        return {**response, "entities": rows} if isinstance(response, dict) else rows

    def _is_later(self, entry: Mapping[str, Any]) -> bool:
        """Return whether something was made after the recorded run had begun, by others than its reproduction."""
        made = entry.get("createdAt") or ""
        return bool(self._view.before < made < self._view.since)

    def _earlier_file(self, file: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the file that a path had when the recorded run began; the present one if it had none."""
        history = self._call(methods.FILE_HISTORY, {"teamId": file["teamId"], "path": file["path"]})["files"]
        for entry in history:
            if entry["id"] < file["id"]:
                earlier: Mapping[str, Any] = self._call(methods.FILE_INFO, {"id": entry["id"]})
                if not self._is_later(earlier):
                    return {**earlier, **({"type": file["type"]} if "type" in file else {})}
        return file

    # -- responses

    def _recorded(self, method: str, response: Any) -> Any:
        """Return a response with the recorded numbers, names and paths."""
        tables = _tables(method, self._recorded_projects, self._recorded_datasets)
        if method.startswith("file-storage."):
            return _each(response, self._shown_file)
        shown = _renumbered(response, tables, DEPTH)
        return _each(shown, self._shown_project) if method.startswith("projects.") else shown

    def _shown_project(self, project: Mapping[str, Any]) -> dict[str, Any]:
        number, name = project.get("id"), project.get("name")
        recorded = self._view.names.get(number) if isinstance(number, int) else None
        if recorded is None and isinstance(name, str) and self._view.suffix:
            recorded = name.removesuffix(self._view.suffix)
        names = {member: recorded for member in ("name", "title") if member in project and recorded is not None}
        return {**project, **names}

    def _shown_file(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        start = self._view.namespace
        paths = {name: value for name, value in entry.items() if name in {"path", "storagePath"}}
        inside = (name for name, value in paths.items() if start and str(value).startswith(start + "/"))
        return {**entry, **{name: str(entry[name])[len(start) :] for name in inside}}


def _tables(method: str, projects: Numbers, datasets: Numbers) -> dict[str, Numbers]:
    """Return the numbers that replace others, by the members of a method that have them."""
    tables = {**dict.fromkeys(_PROJECT_MEMBERS, projects), **dict.fromkeys(_DATASET_MEMBERS, datasets)}
    if method.startswith("projects."):
        tables.update(id=projects, ids=projects)
    elif method.startswith("datasets."):
        tables.update(id=datasets, ids=datasets, parentId=datasets)
    return tables


def _renumbered(value: Any, tables: Mapping[str, Numbers], depth: int) -> Any:
    """Return JSON with numbers replaced in the members that have a table, and in filters by such a field."""
    if not depth:
        return value
    if isinstance(value, list):
        return [_renumbered(entry, tables, depth - 1) for entry in value]
    if not isinstance(value, Mapping):
        return value
    changed = {
        name: _number(member, tables[name]) if name in tables else _renumbered(member, tables, depth - 1)
        for name, member in value.items()
    }
    field = value.get("field")
    if isinstance(field, str) and field in tables and "value" in value:
        changed["value"] = _number(value["value"], tables[field])
    return changed


def _number(value: Any, table: Numbers) -> Any:
    """Return the number that replaces one, or a list of them; other values as they are."""
    if isinstance(value, list):
        return [_number(entry, table) for entry in value]
    number = as_number(value)
    return table.get(number, value) if number is not None else value


def _each(response: Any, change: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Any:
    """Apply a change to a response that is an object, a list of them, or a page."""
    if isinstance(response, list):
        return [change(entry) if isinstance(entry, Mapping) else entry for entry in response]
    if not isinstance(response, Mapping):
        return response
    if isinstance(entities := response.get("entities"), (list, tuple)):
        return {**response, "entities": [change(entry) for entry in entities]}
    return change(response)


def _filtered_name(request: Mapping[str, Any]) -> str | None:
    """Return the name that a list of projects is filtered by."""
    for entry in request.get("filter") or ():
        if isinstance(entry, Mapping) and entry.get("field") == "name":
            return as_text(entry.get("value"))
    return None
