"""Answers: JSON, errors in Supervisely's shape, and file contents, whole or a range."""

from __future__ import annotations

import json
import math
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from autoflow.errors import ServerBusy, ServerError, ServerRefused
from autoflow.server.blobs import Content
from autoflow.server.blobs.composite_content import CompositeContent

_NAMES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "TIMEOUT",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    414: "URI_TOO_LONG",
    416: "RANGE_NOT_SATISFIABLE",
    429: "TOO_MANY_REQUESTS",
    431: "HEADERS_TOO_LARGE",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
# What clients of this wire try again; whatever else a busy server says becomes 503.
_BUSY = {408, 429, 503}
# Types no browser runs, applies as a style or opens as a document of this origin. Any other type a client declared is
# sent as bytes: with `nosniff`, `<script src>` of it is refused though the page's policy allows this origin's scripts.
_INERT = re.compile(
    r"(image|audio|video)/[\w.+-]{1,80}"
    r"|application/(json|zip|gzip|x-tar|pdf)"
    r"|text/(plain|csv)"
    r"|multipart/form-data; boundary=[0-9a-f]{32}",
    re.ASCII,
)
_BYTES = "application/octet-stream"
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def encoded(answer: Any) -> Response:
    """A JSON answer."""
    return Response(json.dumps(answer, separators=(",", ":")).encode(), media_type="application/json")


def failure(
    status: int, message: str, details: Any = None, headers: Mapping[str, str] | None = None, name: str | None = None
) -> Response:
    """An error: ``{"error": NAME, "details": {"message", ...}}``."""
    more = details if isinstance(details, Mapping) else {}
    form = {"error": name or _NAMES.get(status, f"HTTP_{status}"), "details": {**more, "message": message}}
    return Response(json.dumps(form).encode(), status, headers, media_type="application/json")


def refusal(error: ServerError) -> Response:
    """The answer to a request that the server refused, or is too busy for."""
    if isinstance(error, ServerBusy):
        wait = str(max(math.ceil(error.retry_after or 1), 1))
        return failure(error.status if error.status in _BUSY else 503, str(error), headers={"Retry-After": wait})
    assert isinstance(error, ServerRefused)
    size = error.details.get("size") if error.status == 416 and isinstance(error.details, Mapping) else None
    headers = {"Content-Range": f"bytes */{size}"} if size is not None else None
    return failure(error.status, str(error), error.details, headers)


def wanted_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and one past the last byte a Range header asks for; None for all, also when it is none we know.

    Raises:
        ServerRefused: 416, the content is shorter than that.
    """
    match = _RANGE.fullmatch(header.strip()) if header is not None else None
    if match is None or not (match[1] or match[2]):
        return None
    if match[1]:
        start, stop = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
    else:
        start, stop = max(size - int(match[2]), 0), size
    if match[1] and match[2] and int(match[2]) < int(match[1]):
        return None
    if start >= size:
        raise ServerRefused(f"the content has {size} bytes", status=416, details={"size": size})
    return start, stop


async def _rest(first: bytes, chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in iterate_in_threadpool(chunks):
        yield chunk


async def contents(request: Request, content: Content | CompositeContent) -> Response:
    """A file's bytes; never shown by a browser as a page of this site, whatever they are.

    Raises:
        ServerRefused, ServerBusy: the range is none, or the file cannot be read; nothing was answered yet.
    """
    tag = f'"{content.hash}"' if content.hash is not None else None
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(content.name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if tag is not None:
        headers["ETag"] = tag
        if request.method != "POST" and tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
    unchanged = request.headers.get("if-range") in {None, tag}
    part = wanted_range(request.headers.get("range"), content.size) if unchanged else None
    start, stop = part or (0, content.size)
    headers["Content-Length"] = str(stop - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
    elif content.hash is not None:
        headers["x-content-checksum-sha256"] = content.hash  # the SDK compares it with what it received
    headers["Content-Type"] = content.mime if content.mime and _INERT.fullmatch(content.mime) else _BYTES
    status = 206 if part is not None else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    chunks = content.iter_range(start, stop)
    first = await run_in_threadpool(next, chunks, b"")
    return StreamingResponse(_rest(first, chunks), status, headers)
