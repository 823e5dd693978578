"""autoflow's own methods in OpenAPI 3.1: a table beside what the operations read, and the document made of it.

Supervisely's methods are described where they come from; the docs name those that are answered here.
"""

from __future__ import annotations

import functools
from importlib import metadata
from typing import Any, NamedTuple

from autoflow.wire import methods

Schema = dict[str, Any]

_LARGEST = 2**53 - 1


def _of(kind: str, says: str = "", **more: Any) -> Schema:
    return {"type": kind, **({"description": says} if says else {}), **more}


def _object(required: str = "", says: str = "", **members: Schema) -> Schema:
    """An object of these members; `required` names those that must be there."""
    names = {"required": required.split()} if required else {}
    return _of("object", says, properties=members, **names)


def _number(says: str = "") -> Schema:
    return _of("integer", says, minimum=1, maximum=_LARGEST)


def _maybe(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


_RUN = _of("string", "The run's key.", minLength=1, pattern=r"\S")
_RECORD = _object(
    "key type run",
    "What happened in a run; which other members there are depends on the type.",
    key=_of("string", "Unique for ever: a record is applied once, however often it is sent.", minLength=1),
    type=_of("string", enum=["run", "facts", "finish", "log", "node", "edge"]),
    run=_RUN,
    at=_of("integer", "Nanoseconds since the epoch."),
)
_RESULT = _object(
    "key status reason",
    key={"description": "As sent."},
    status=_of("string", enum=["applied", "duplicate", "refused"]),
    reason=_of("string", "Why it was refused.") | {"type": ["string", "null"]},
)
_ENSURED = _object(
    "task number teamId workspaceId appId",
    task=_number("The task's number here."),
    number=_number("Its number at its origin."),
    teamId=_number(),
    workspaceId=_number(),
    appId=_maybe(_number()),
)
_TASK = _object("id name status teamId workspaceId", id=_number(), name=_of("string"), status=_of("string"))
_CARD = _object(
    "key type id title",
    key=_of("string", "What arrows name it by."),
    type=_of("string"),
    id={"type": ["integer", "string"]},
    title=_of("string"),
)
_ARROW = _object(
    "source target kind",
    source=_of("string"),
    target=_of("string"),
    kind=_of("string", enum=["input", "output", "version"]),
)


class Described(NamedTuple):
    """One method.

    Args:
        summary: what it does, in a line.
        takes: its body.
        gives: its answer.
        refuses: statuses of its own, beside 400 and those that any request may meet.
    """

    summary: str
    takes: Schema
    gives: Schema
    refuses: tuple[int, ...] = ()


DESCRIBED: dict[str, Described] = {
    methods.RECORDS_ADD: Described(
        "Apply a batch of records, each whole or not at all, in order.",
        _object("records", records=_of("array", items=_RECORD)),
        _object(
            "results tasks",
            results=_of("array", "One a record, in the order sent.", items=_RESULT),
            tasks=_of("object", "The task of each run that was named.", additionalProperties=_number()),
        ),
    ),
    methods.RUNS_ENSURE: Described(
        "The task of a run, made at first.",
        _object(
            "run",
            run=_RUN,
            name=_of("string", "The app's."),
            task=_maybe(_number("A number given from outside.")),
            origin=_of("string", "Whose number that is; empty for this platform's own."),
            team=_maybe(_number()),
            workspace=_maybe(_number()),
        ),
        _ENSURED,
        (404,),
    ),
    methods.TASKS_ENSURE: Described(
        "The task of a number given from outside, made if it is new.",
        _object("id", id=_number(), teamId=_number()),
        _TASK,
        (404,),
    ),
    methods.SNAPSHOT: Described(
        "Save a project's state; unchanged since the last version, it is that version.",
        _object("projectId", projectId=_number(), title=_maybe(_of("string")), description=_maybe(_of("string"))),
        _object("id version created", id=_number(), version=_number("Counted by project."), created=_of("boolean")),
        (404,),
    ),
    methods.VERSION_MAP: Described(
        "The map of a project's versions as Supervisely keeps it in a file: by their numbers, and the latest.",
        _object("id", id=_number("The project's.")),
        _of("object"),
        (404,),
    ),
    methods.GRAPH: Described(
        "The lineage around one thing, or of a workspace.",
        _object(
            says="At most one of project, task, file and workspace; without any, the first workspace.",
            project=_number(),
            task=_number(),
            file={"type": ["integer", "string"], "description": "A team file's number, or its path or a folder's."},
            workspace=_number(),
            teamId=_number("Whose path that is."),
        ),
        _object("cards arrows", cards=_of("array", items=_CARD), arrows=_of("array", items=_ARROW)),
        (404,),
    ),
    methods.CHANGES: Described(
        "How many writes there were: cheap to ask, and unchanged while nothing changed.",
        _object(),
        _object("changes", changes=_of("integer", minimum=0)),
    ),
    methods.UNKNOWN_METHODS: Described(
        "Which methods clients asked for that are not here, the most wanted first.",
        _object(),
        _object(
            "methods",
            methods=_of(
                "array",
                items=_object(
                    "method count lastAt",
                    method=_of("string"),
                    count=_number(),
                    lastAt=_of("string", format="date-time"),
                ),
            ),
        ),
    ),
}

_ERROR = _object(
    "error details",
    error=_of("string", "The kind of error, in capitals."),
    details=_object("message", message=_of("string", "What was wrong.")),
)
_SAYS = {
    400: "The body is not as described.",
    401: "No token, or one that is not valid.",
    403: "The token's user is in no team, or the request comes from another site's page.",
    404: "No such thing, or another team's.",
    413: "The body is too long: send less at once.",
    429: "Too many tokens that are not valid.",
    503: "Not now; Retry-After says when.",
}
_ANY = (400, 401, 403, 413, 429, 503)


def _content(schema: Schema) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _operation(name: str, described: Described) -> dict[str, Any]:
    error = {"$ref": "#/components/schemas/Error"}
    answers: dict[str, Any] = {"200": {"description": "Done.", **_content(described.gives)}}
    for status in sorted((*_ANY, *described.refuses)):
        answers[str(status)] = {"description": _SAYS[status], **_content(error)}
    return {
        "operationId": name,
        "summary": described.summary,
        "requestBody": {"required": True, **_content(described.takes)},
        "responses": answers,
    }


@functools.cache
def document() -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "autoflow",
            "version": metadata.version("autoflow"),
            "description": "The platform's own methods, beside those of Supervisely's wire.",
        },
        "servers": [{"url": "/"}],
        "paths": {methods.PATH + name: {"post": _operation(name, described)} for name, described in DESCRIBED.items()},
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
        },
        "security": [{"token": []}, {}],
    }
