"""The OpenAPI 3.1 document of autoflow's own methods, generated from their declarations in `wire.contract`.

Supervisely documents its methods itself; the docs name those that this server answers.
"""

from __future__ import annotations

import functools
from typing import Any, TypedDict

import msgspec

from autoflow.distribution import VERSION
from autoflow.server import validation
from autoflow.wire import methods
from autoflow.wire.contract.catalog import METHODS
from autoflow.wire.contract.method import Method, descriptions

_REFERENCE = "#/components/schemas/{name}"
_STATUSES = {
    400: "The body is not as described.",
    401: "The token is missing or invalid.",
    403: "The token's user is in no team, the token is restricted, or the request comes from another site's page.",
    404: "The entity does not exist, or belongs to another team.",
    409: "The stored state does not allow it.",
    410: "An external file was removed or changed.",
    413: "The body is too long: send less at once.",
    429: "Too many invalid tokens.",
    503: "The server is busy; Retry-After says when to try again.",
}
_COMMON_STATUSES = (400, 401, 403, 413, 429, 503)


class ErrorDetails(TypedDict):
    """Details of an error; some errors have further members.

    Args:
        message: what happened, and what to do.
    """

    message: str


class Error(TypedDict):
    """Body of every response that is not 200.

    Args:
        error: kind of the error, in capitals.
    """

    error: str
    details: ErrorDetails


def _schemas() -> tuple[dict[type, dict[str, Any]], dict[str, Any]]:
    """Return the schema of each request and response, and the schemas that they refer to by name."""
    declared = list(dict.fromkeys(part for method in METHODS.values() for part in (method.request, method.response)))
    types = [part for part in (*declared, Error) if part is not bytes]
    schemas, components = msgspec.json.schema_components(map(validation.translate, types), ref_template=_REFERENCE)
    by_type: dict[type, dict[str, Any]] = dict(zip(types, schemas, strict=True))
    return {**by_type, bytes: {"type": "string", "format": "binary"}}, components


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    media_type = "*/*" if schema.get("format") == "binary" else "application/json"
    return {"content": {media_type: {"schema": schema}}}


_FORM = {"multipart/form-data": {"schema": {"type": "object", "additionalProperties": {"format": "binary"}}}}


def _operation(method: Method[Any, Any], schemas: dict[type, dict[str, Any]]) -> dict[str, Any]:
    responses: dict[str, Any] = {"200": {"description": "Success.", **_content(schemas[method.response])}}
    for status in sorted((*_COMMON_STATUSES, *method.errors)):
        responses[str(status)] = {"description": _STATUSES[status], **_content(schemas[Error])}
    return {
        "operationId": method.name,
        "summary": descriptions(method.request)[0],
        "requestBody": {
            "required": True,
            **({"content": _FORM} if method.files else _content(schemas[method.request])),
        },
        "responses": responses,
    }


@functools.cache
def document() -> dict[str, Any]:
    """Return the document."""
    schemas, components = _schemas()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "autoflow",
            "version": VERSION,
            "description": "The server's own methods, beside those of Supervisely's wire.",
        },
        "servers": [{"url": "/"}],
        "paths": {methods.PATH + name: {"post": _operation(method, schemas)} for name, method in METHODS.items()},
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "x-api-key"}},
        },
        "security": [{"token": []}, {}],
    }
