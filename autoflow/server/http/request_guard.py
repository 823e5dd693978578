"""Refuse requests for another host, and requests that change something and come from another site's page.

A page of any site can make a browser send requests to this machine, and that site's name can be made to resolve to it
(DNS rebinding). So without tokens the server accepts only this machine's own names in the Host header; and a request
that may change something must not come from another site's page, whatever its token.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoflow.server.http.responses import error_response

MAX_PATH = 4096  # characters; also keeps a number in a path below the longest that Python converts

_HOST = re.compile(r"(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::\d{1,5})?")
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

# Browser features that no page of this server uses.
_DENIED_FEATURES = (
    *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation"),
    *("gyroscope", "hid", "idle-detection", "magnetometer", "microphone", "midi", "payment"),
    *("publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
)
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _DENIED_FEATURES),
    "Cache-Control": "no-store",
}


def is_loopback(name: str) -> bool:
    """Return whether a host name means this machine, whoever resolves it."""
    name = name.strip("[]").lower()
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


class RequestGuard:
    """Middleware that checks where requests come from, and adds security headers to responses.

    Args:
        app: application to protect.
        names: lower-case host names accepted beside this machine's own; None for any, when tokens are required.
    """

    def __init__(self, app: ASGIApp, names: Collection[str] | None) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with an error."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        completed = False

        async def send_with_headers(message: Message) -> None:
            nonlocal completed
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = scope["request_id"]
            await send(message)
            completed = message["type"] == "http.response.body" and not message.get("more_body", False)

        error = self._error(scope, Headers(scope=scope))
        app = self._app if error is None else error_response(*error, headers={"Connection": "close"})
        try:
            await app(scope, receive, send_with_headers)
        except Exception:
            if not completed:  # only a closed connection tells the client that bytes are missing
                raise

    def _error(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Return the status and message with which a request is refused; None for one that is passed on."""
        if len(scope["path"]) > MAX_PATH:
            return 414, f"the path is longer than {MAX_PATH} characters"
        if scope["http_version"] not in {"1.0", "1.1"}:
            return 505, "this server speaks HTTP/1.1"
        if "content-length" in headers and "transfer-encoding" in headers:
            # A proxy may have used the other of the two, and taken the rest of the body for the next request.
            return 400, "a request has a Content-Length or a Transfer-Encoding, not both"
        hosts = headers.getlist("host")
        match = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if match is None:
            return 400, "the Host header is missing or invalid"
        if not (self._names is None or is_loopback(match[1]) or match[1].lower() in self._names):
            return 403, f"this server does not answer to the name {match[1]}; `autoflow serve --auth` answers to any"
        if scope["method"] in _SAFE_METHODS:
            return None
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != hosts[0].lower():
            return 403, "the request comes from a page of another site"
        if origin is None and headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
            return 403, "the request comes from a page of another site"
        return None
