"""Responses: JSON, errors in Supervisely's shape, and files or ranges of them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from autoflow.errors import ServerBusy, ServerError, ServerRefused
from autoflow.server.blobs import Content
from autoflow.server.blobs.composite_content import CompositeContent

_ERROR_NAMES = {
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
# Statuses after which clients of this wire try again; every other status of `ServerBusy` becomes 503.
_RETRIED = {408, 429, 503}
# Media types that no browser runs, applies as a style or opens as a document of this origin. A file of any other
# declared type is sent as bytes: the page's policy allows `<script src>` of it, which `nosniff` then refuses.
_INERT = re.compile(
    r"(image|audio|video)/[\w.+-]{1,80}"
    r"|application/(json|zip|gzip|x-tar|pdf)"
    r"|text/(plain|csv)"
    r"|multipart/form-data; boundary=[0-9a-f]{32}",
    re.ASCII,
)
_OCTET_STREAM = "application/octet-stream"
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def json_response(value: Any) -> Response:
    """Return a response with a JSON body."""
    try:
        body = msgspec.json.encode(value)
    except (TypeError, UnicodeEncodeError):  # keys that are null or booleans, and lone surrogates: `json` writes them
        body = json.dumps(value, separators=(",", ":")).encode()
    return Response(body, media_type="application/json")


def error_response(
    status: int, message: str, details: Any = None, headers: Mapping[str, str] | None = None, name: str | None = None
) -> Response:
    """Return an error: ``{"error": NAME, "details": {"message", ...}}``."""
    more = details if isinstance(details, Mapping) else {}
    value = {"error": name or _ERROR_NAMES.get(status, f"HTTP_{status}"), "details": {**more, "message": message}}
    return Response(json.dumps(value).encode(), status, headers, media_type="application/json")


def refusal(error: ServerError) -> Response:
    """Return the response to a request that raised `ServerRefused` or `ServerBusy`."""
    if isinstance(error, ServerBusy):
        wait = str(max(math.ceil(error.retry_after or 1), 1))
        status = error.status if error.status in _RETRIED else 503
        return error_response(status, str(error), headers={"Retry-After": wait})
    assert isinstance(error, ServerRefused)
    size = error.details.get("size") if error.status == 416 and isinstance(error.details, Mapping) else None
    headers = {"Content-Range": f"bytes */{size}"} if size is not None else None
    return error_response(error.status, str(error), error.details, headers)


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the start and stop of the bytes that a Range header names; None for all, also if the header is invalid.

    Raises:
        ServerRefused: 416, the content ends before the range begins.
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


async def _stream(first: bytes, chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in iterate_in_threadpool(chunks):
        yield chunk


async def file_response(
    request: Request, content: Content | CompositeContent, *, has_checksum: bool = True
) -> Response:
    """Return a file or a range of it, with headers that keep a browser from opening it as a page of this site.

    Args:
        request: the request.
        content: the file.
        has_checksum: whether the response tells the hash in the header by which the SDK checks what it received.

    Raises:
        ServerRefused, ServerBusy: the range cannot be satisfied, or the file cannot be read. No response has begun.
    """
    etag = f'"{content.hash}"' if content.hash is not None else None
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(content.name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if etag is not None:
        headers["ETag"] = etag
        if request.method != "POST" and etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
    unchanged = request.headers.get("if-range") in {None, etag}
    byte_range = parse_range(request.headers.get("range"), content.size) if unchanged else None
    start, stop = byte_range or (0, content.size)
    headers["Content-Length"] = str(stop - start)
    if byte_range is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{content.size}"
    elif content.hash is not None and has_checksum:
        headers["x-content-checksum-sha256"] = content.hash  # the SDK compares it with what it received
    headers["Content-Type"] = content.mime if content.mime and _INERT.fullmatch(content.mime) else _OCTET_STREAM
    status = 206 if byte_range is not None else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    chunks = content.iter_range(start, stop)
    first = await run_in_threadpool(next, chunks, b"")
    return StreamingResponse(_stream(first, chunks), status, headers)
