"""autoflow's own methods in OpenAPI 3.1: a table beside what the operations read, and the document made of it.

Supervisely's methods are described where they come from; the docs name those that are answered here.
"""

from __future__ import annotations

import functools
from typing import Any

from autoflow.distribution import VERSION
from autoflow.server.http.folder_schemas import FOLDERS
from autoflow.server.http.graph_schemas import SCENES
from autoflow.server.http.schemas import Described, Schema
from autoflow.server.http.schemas import fields as _object
from autoflow.server.http.schemas import maybe as _maybe
from autoflow.server.http.schemas import number as _number
from autoflow.server.http.schemas import of as _of
from autoflow.server.http.version_schemas import RESTORES
from autoflow.server.methods.admin.search import KINDS
from autoflow.wire import methods

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

_FILE = _object(
    "id path sha256 size current number count tasks",
    id=_number(),
    path=_of("string"),
    sha256=_maybe(_of("string")),
    size=_of("integer", minimum=0),
    current=_of("boolean"),
    number=_number("Which one of the path it is, from 1."),
    count=_number("How many the path has had."),
    tasks=_of("array", "Those that wrote it.", items=_number()),
)

_LIMIT = _of("integer", "How many of the list, at most.", minimum=1)
_LIST = _of("array", items=_of("object"))
_TEXT = _of("string")
_USERS = _object(
    "runs total", says="The runs that read or wrote it, the latest first.", runs=_LIST, total=_of("integer")
)


_STEPPED = {
    "done": _of("boolean"),
    "state": _maybe(_of("string", "To go on with; null when it is done.")),
    "counts": _of("object", "So far.", additionalProperties=_of("integer", minimum=0)),
}
_PROBLEM = _object(
    "hash problem projects versions files",
    hash=_maybe(_of("string", "Of the bytes; null when it is about a version's rows.")),
    problem=_of("string", "missing, size, content, damaged (found before), unreadable, or a sentence."),
    projects=_of("array", items=_of("object")),
    versions=_of("array", items=_of("object")),
    files=_of("array", items=_of("object")),
)

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
            origin=_of("string", "Whose number that is; empty for this server's own."),
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
    methods.TRACE: Described(
        "Everything a thing came from: the runs that wrote it, what these read, and so on.",
        _object(
            "ref",
            ref=_of("string", "project:7, project:7#3, version:12, dataset:3, file:9, task:5, job:2, or a /path."),
            teamId=_number("Whose path that is."),
            every=_of("boolean", "Follow every run that wrote a thing, not the latest alone."),
        ),
        _object(
            "ref complete runs data graph",
            ref=_of("string"),
            complete=_of("boolean", "False when there was more than one answer holds."),
            runs=_of("object", "Runs by the keys of their cards: facts, inputs, outputs."),
            data=_of("object", "What they read and wrote, by key."),
            graph=_object("cards arrows", cards=_of("array", items=_CARD), arrows=_of("array", items=_ARROW)),
        ),
        (404,),
    ),
    methods.REPRODUCTIONS: Described(
        "The tasks that repeated a task, or those of one attempt at that.",
        _object(
            says="A task or an attempt.",
            task=_number("The one that was repeated."),
            attempt=_of("string", "As it was given to the runs of it.", minLength=1),
        ),
        _object("tasks", tasks=_of("array", "The first one first.", items=_number())),
        (404,),
    ),
    methods.REPRODUCTION_ISSUE: Described(
        "A token for the command of a reproduction: it reads what the task's team has, and changes only what is made "
        "with it or since it was issued.",
        _object("task", task=_number("The task that is reproduced.")),
        _object(
            "id token expiresAt",
            "All null where the server asks for no token.",
            id=_maybe(_number()),
            token=_maybe(_of("string")),
            expiresAt=_maybe(_of("string", format="date-time")),
        ),
        (404,),
    ),
    methods.REPRODUCTION_REVOKE: Described(
        "Revoke a token that this user got for a reproduction.",
        _object("id", id=_number("The token's.")),
        _object("success", success=_of("boolean")),
        (404,),
    ),
    methods.FILE_HISTORY: Described(
        "The files a path has had, the last one first.",
        _object(
            says="The path, or a file that is or was there.",
            path=_of("string"),
            teamId=_number("Whose path that is."),
            id=_number("A file's."),
        ),
        _object("teamId path files", teamId=_number(), path=_of("string"), files=_of("array", items=_FILE)),
        (404,),
    ),
    "autoflow.overview.start": Described(
        "What the start page shows: workspaces, the projects changed last, the latest runs.",
        _object(limit=_LIMIT),
        _object("workspaces projects runs", workspaces=_LIST, projects=_of("object"), runs=_of("object")),
        (404,),
    ),
    "autoflow.overview.projects": Described(
        "Projects, the ones changed last first.",
        _object(
            workspace=_number(),
            after=_object("updatedAt id", "The next of the part before.", updatedAt=_TEXT, id=_number()),
            limit=_LIMIT,
        ),
        _object("projects next", projects=_LIST, next=_maybe(_of("object"))),
        (404,),
    ),
    "autoflow.overview.runs": Described(
        "Runs, the latest first.",
        _object(workspace=_number(), app=_number(), before=_number("The next of the part before."), limit=_LIMIT),
        _object("runs next", runs=_LIST, next=_maybe(_number())),
        (404,),
    ),
    "autoflow.overview.project": Described(
        "A project's page: facts, datasets, classes and tags, the runs that used it.",
        _object("id", id=_number()),
        _object(
            "id name datasets meta users", id=_number(), name=_TEXT, datasets=_LIST, meta=_of("object"), users=_USERS
        ),
        (404,),
    ),
    "autoflow.overview.counts": Described(
        "How often a project's classes and tags are used, in a stretch of its images.",
        _object("id", id=_number("The project's."), after=_number("As the stretch before gave it.")),
        _object(
            "images after classes tags",
            images=_of("integer", minimum=0),
            after=_maybe(_number("Null when all are counted.")),
            classes=_of("object", "By number: how many objects, in how many images."),
            tags=_of("object", "By number: on how many objects, on how many images."),
        ),
        (404,),
    ),
    "autoflow.overview.versions": Described(
        "A project's versions, the latest first, each with the runs that named it.",
        _object("id", id=_number("The project's."), before=_number("A version's number."), limit=_LIMIT),
        _object(
            "project changed versions next",
            project=_of("object"),
            changed=_of("boolean", "Whether the project is other than its last version."),
            versions=_LIST,
            next=_maybe(_number()),
        ),
        (404,),
    ),
    "autoflow.overview.images": Described(
        "A stretch of a project's or a dataset's images, with what is drawn of their labels.",
        _object(
            says="Of a project, or of a dataset and those in it.",
            project=_number(),
            dataset=_number(),
            start=_of("integer", "The place of the first.", minimum=0),
            q=_of("string", "A part of the name."),
            labeled=_of("boolean", "Those with labels, or those without."),
            limit=_LIMIT,
        ),
        _object("images start total", images=_LIST, start=_of("integer"), total=_of("integer")),
        (404,),
    ),
    "autoflow.overview.image": Described(
        "An image's page: facts, all its labels, its neighbours by name.",
        _object("id", id=_number()),
        _object("id name objects tags project datasets", id=_number(), name=_TEXT, objects=_LIST, tags=_LIST),
        (404,),
    ),
    "autoflow.overview.file": Described(
        "A team file's page: facts, and the runs that wrote or read it.",
        _object("id", id=_number()),
        _object("id path size sha256 current users", id=_number(), path=_TEXT, size=_of("integer"), users=_USERS),
        (404,),
    ),
    "autoflow.overview.folder": Described(
        "What is right in a folder of team files.",
        _object(
            "path",
            path=_TEXT,
            team=_number(),
            after=_of("string", "A path: the next of the part before."),
            limit=_LIMIT,
        ),
        _object("path teamId folders files next users", path=_TEXT, folders=_of("array", items=_TEXT), files=_LIST),
        (404,),
    ),
    "autoflow.overview.run": Described(
        "A run's page: how it ran, what it read and wrote.",
        _object("id", id=_number("The task's.")),
        _object("id name state facts inputs outputs", id=_number(), name=_TEXT, inputs=_LIST, outputs=_LIST),
        (404,),
    ),
    "autoflow.overview.log": Described(
        "A part of a run's log; the end of it unless a place is named.",
        _object(
            "id",
            id=_number("The task's."),
            before=_number("A part's: what stands before it."),
            after=_of("integer", "A part's: what came since."),
            limit=_LIMIT,
        ),
        _object("parts earlier state", parts=_LIST, earlier=_of("boolean"), state=_TEXT),
        (404,),
    ),
    "autoflow.overview.job": Described(
        "A labeling job's page.",
        _object("id", id=_number()),
        _object("id name status project dataset images", id=_number(), name=_TEXT, status=_TEXT, images=_LIST),
        (404,),
    ),
    "autoflow.overview.drawn": Described(
        "Images as a version has them, or as a project has them now, with what is drawn of their labels.",
        _object(
            "images",
            "Of a version, or of a project.",
            version=_number(),
            project=_number(),
            images=_of("array", items=_number(), maxItems=200),
        ),
        _object("images classes tags", images=_LIST, classes=_LIST, tags=_LIST),
        (404,),
    ),
    "autoflow.versions.picture": Described(
        "A small picture of an image in a version, as bytes.",
        _object("id version", id=_number("The image's."), version=_number()),
        _of("string", format="binary"),
        (404,),
    ),
    "autoflow.previews": Described(
        "A small picture of an image, as bytes; never larger than the image.",
        _object(
            "id",
            id=_number(),
            width=_of("integer", "In pixels, at most; 0 for what follows from the height.", minimum=0),
            height=_of("integer", minimum=0),
            resize=_of("string", enum=["fit", "fill", "fill-down", "force", "auto"]),
            quality=_of("integer", minimum=1, maximum=100),
            ext=_of("string", enum=["jpeg", "png"]),
        ),
        _of("string", format="binary"),
        (404,),
    ),
    "autoflow.search": Described(
        "Everything by a part of its name, or by its number.",
        _object(
            q=_of("string", "project:7 and #7 name a number."),
            kinds=_of("array", items=_of("string", enum=[*KINDS])),
            limit=_LIMIT,
        ),
        _object(
            "results more",
            results=_of(
                "array",
                items=_object("kind id title detail link at", kind=_TEXT, id=_number(), title=_TEXT, link=_TEXT),
            ),
            more=_of("array", "Kinds of which there are more.", items=_TEXT),
        ),
    ),
    methods.COLLECT: Described(
        "Remove what no version, project, file, edge or upload needs: some of it a call, until it is done.",
        _object(
            state=_maybe(_of("string", "As the call before answered; none at first.")),
            confirm=_of("boolean", "Whether a large share of all blobs may be removed; else that is refused (409)."),
            emptyTrash=_of("boolean", "Whether files leave the trash before their time."),
        ),
        _object("done state counts", "", **_STEPPED),
        (409,),
    ),
    methods.VERIFY: Described(
        "Look whether what is kept is whole: rows of versions (level 1), files (2), every byte (3); some of it a call.",
        _object(
            level=_of("integer", minimum=1, maximum=3),
            id=_maybe(_number("A version, to look at it alone.")),
            projectId=_maybe(_number("A project, to look at it and its versions alone.")),
            state=_maybe(_of("string", "As the call before answered; none at first.")),
        ),
        _object(
            "done state counts problems",
            "",
            **_STEPPED,
            problems=_of("array", "What this call found: what is wrong, and what is affected by it.", items=_PROBLEM),
        ),
        (404,),
    ),
    **FOLDERS,
    **SCENES,
    **RESTORES,
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
    403: "The token's user is in no team, the token is restricted, or the request comes from another site's page.",
    404: "No such thing, or another team's.",
    409: "The state of what is there does not allow it.",
    410: "It was by reference, and its source is gone or has changed.",
    413: "The body is too long: send less at once.",
    429: "Too many tokens that are not valid.",
    503: "Not now; Retry-After says when.",
}
_ANY = (400, 401, 403, 413, 429, 503)


def _content(schema: Schema) -> dict[str, Any]:
    kind = "*/*" if schema.get("format") == "binary" else "application/json"
    return {"content": {kind: {"schema": schema}}}


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
            "version": VERSION,
            "description": "The server's own methods, beside those of Supervisely's wire.",
        },
        "servers": [{"url": "/"}],
        "paths": {methods.PATH + name: {"post": _operation(name, described)} for name, described in DESCRIBED.items()},
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
        },
        "security": [{"token": []}, {}],
    }
