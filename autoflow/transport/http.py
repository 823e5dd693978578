"""The transport over HTTP, to autoflow's server or a Supervisely instance, with one persistent connection a thread.

The token is sent to the server's own origin only: redirects are followed within it, and no error or log line contains
the token. Every request has a deadline for the whole exchange (`transport.deadline`), so that a server that sends a
byte a second cannot block its client.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urljoin, urlsplit

from autoflow.errors import NotAllowed, ServerBusy, ServerRefused, ServerUnreachable
from autoflow.process import time_budget
from autoflow.process.forks import defer_forks
from autoflow.process.threads import yield_gil
from autoflow.wire import methods
from autoflow.wire.contract.records import RECORDS_ADD, AddRecordsResponse
from autoflow.wire.parts import Part
from autoflow.wire.retry import retry_after

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 30.0
TRANSFER_SECONDS = 3600.0
CHUNK_BYTES = 1 << 20
REDIRECTS = 5
MASK = "***"
JSON = "application/json"
ERROR_BYTES = 1 << 20  # read of an error's body; the API's own errors are short
# the SDK tries these again; everything else from 400 on is final
_BUSY = {408, 429, 499, 500, 502, 503, 504, 509, 598, 599}


def normalise(address: str) -> str:
    """Normalise a server's address as the SDK does: no slash at the ends, ``http://`` when it has no scheme.

    Raises:
        ValueError: the address has no host, or credentials in it.
    """
    address = address.strip().strip("/")
    if address.lower() in {"http:", "https:"}:
        raise ValueError(f"{address}// is not the address of a server; write http://host:port or https://host")
    if "://" not in address:
        address = f"http://{address}"
    parts = urlsplit(address)
    if "@" in address:  # anywhere in it: a message must not repeat what may be a password
        raise ValueError("the address of a server must not hold a user or a password; use AUTOFLOW_TOKEN")
    if parts.scheme not in {"http", "https"} or not parts.hostname or not _has_port(parts):
        raise ValueError(f"{address!r} is not the address of a server; write http://host:port or https://host")
    return address


def _has_port(parts: SplitResult) -> bool:
    """Return whether the port, if there is one, is a number."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def origin_of(address: str) -> str:
    """Return scheme, host and port of an address, lower case, without the scheme's default port."""
    parts = urlsplit(normalise(address))
    default_port = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    port = f":{parts.port}" if parts.port and parts.port != default_port else ""
    return f"{parts.scheme}://{host}{port}"


class HttpTransport:
    """One server by its address.

    Args:
        address: as in ``SERVER_ADDRESS``.
        token: returns the current token, so that a change takes effect at once; None sends no token.
    """

    def __init__(self, address: str, token: Callable[[], str | None]) -> None:
        self._address = normalise(address)
        self.origin = origin_of(address)
        self._token = token
        self._local = threading.local()

    def __repr__(self) -> str:
        return f"HttpTransport({self.origin!r})"

    # -- the protocol

    def call(self, method: str, body: Mapping[str, Any] | Sequence[Any], *, timeout: float | None = None) -> Any:
        """See `Transport.call`."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._json(method, self._post(method, timeout or TOTAL_SECONDS, content, JSON))

    def deliver(self, records: Sequence[Mapping[str, Any]]) -> AddRecordsResponse:
        """See `Transport.deliver`; records are encoded one by one, yielding the GIL in between."""
        encoded = []
        for record in records:
            encoded.append(json.dumps(record).encode())
            yield_gil()
        content = b'{"records":[' + b",".join(encoded) + b"]}"
        response: AddRecordsResponse = self.call(RECORDS_ADD.name, content)
        return response

    def upload(self, method: str, parts: Sequence[Part], query: Mapping[str, str | int] | None = None) -> Any:
        """See `Transport.upload`."""
        from autoflow.transport.multipart import Multipart

        form = Multipart(parts)
        return self._json(method, self._post(method, TRANSFER_SECONDS, form, form.content_type, query))

    def download(self, method: str, body: Mapping[str, Any]) -> Iterator[bytes]:
        """See `Transport.download`."""
        response = self._post(method, TRANSFER_SECONDS, json.dumps(body).encode(), JSON)
        self._raise_for(method, response)
        yield from self._chunks(response)

    def token_fingerprint(self) -> int:
        """See `Transport.token_fingerprint`."""
        return hash(self._token())

    def close(self) -> None:
        """See `Transport.close`."""
        session = getattr(self._local, "session", None)
        if session is not None:
            session.close()
            self._local.session = None

    # -- requests

    def _session(self) -> requests.Session:
        """Return this thread's session; a forked child makes its own."""
        if getattr(self._local, "session", None) is None or self._local.pid != os.getpid():
            with defer_forks():
                import requests

                from autoflow.transport.deadline import DeadlineAdapter

            fresh = requests.Session()
            # proxies and certificates of the environment, read once: requests would read them at each request
            from_environment = fresh.merge_environment_settings(self._address, {}, None, None, None)
            fresh.proxies, fresh.verify = from_environment["proxies"], from_environment["verify"]
            fresh.trust_env = False  # also ignores netrc: the token is the only credential
            for scheme in ("http://", "https://"):
                fresh.mount(scheme, DeadlineAdapter())
            self._local.session, self._local.pid = fresh, os.getpid()
        session: requests.Session = self._local.session
        return session

    def _headers(self, content_type: str) -> dict[str, str]:
        headers = {"Content-Type": content_type, "Accept": "application/json, */*", "User-Agent": "autoflow"}
        token = self._token()
        if not token:
            return headers
        if not (token.isascii() and token.isprintable() and token == token.strip()):
            raise NotAllowed(
                f"the token for {self.origin} contains a space, a line end or a non-printable character", status=401
            )
        return {**headers, "x-api-key": token}

    def _post(
        self, method: str, seconds: float, content: Any, content_type: str, query: Mapping[str, Any] | None = None
    ) -> requests.Response:
        """Send a request; read the response's header, not its body."""
        seconds = time_budget.remaining(seconds)
        if not seconds:
            raise ServerUnreachable(f"{self.origin}: no time is left for a request")
        session = self._session()
        import requests

        from autoflow.transport.deadline import IDLE_SECONDS, within

        url = self._address + methods.PATH + method
        headers = self._headers(content_type)
        timeouts = (min(CONNECT_SECONDS, seconds), min(IDLE_SECONDS, seconds))
        try:
            with within(seconds):
                for _ in range(REDIRECTS):
                    request = requests.PreparedRequest()  # bypasses the session's merging of settings: it has none
                    request.prepare("POST", url, headers, data=content, params=query)
                    response = session.send(request, timeout=timeouts, allow_redirects=False, stream=True)
                    if not 300 <= response.status_code < 400:
                        return response
                    url = self._next(url, response)
        except (requests.RequestException, OSError) as error:
            self.close()  # the next try reads the environment's proxies again
            raise ServerUnreachable(f"{self.origin}: {type(error).__name__}") from error
        raise ServerRefused(f"{self.origin} redirects more than {REDIRECTS} times", status=310, foreign=True)

    def _next(self, url: str, response: requests.Response) -> str:
        """Return the target of a redirect.

        Raises:
            ServerRefused: it leads to another origin.
        """
        target = urljoin(url, response.headers.get("Location", ""))
        response.close()
        try:
            origin = origin_of(target)
        except ValueError:
            origin = "an invalid address"
        if origin != self.origin:
            raise ServerRefused(
                f"{self.origin} redirects to {origin}, and the token is not sent there; if that is the "
                "server, set its address",
                status=response.status_code,
                foreign=True,
            )
        return target

    def _chunks(self, response: requests.Response) -> Generator[bytes, None, None]:
        import requests

        try:
            yield from response.iter_content(CHUNK_BYTES)
        except (requests.RequestException, OSError) as error:
            raise ServerUnreachable(f"{self.origin}: {type(error).__name__}") from error
        finally:
            response.close()

    def _json(self, method: str, response: requests.Response) -> Any:
        self._raise_for(method, response)
        page = "html" in response.headers.get("Content-Type", "").lower()
        content = self._content(response, ERROR_BYTES if page else sys.maxsize)
        try:
            return json.loads(content) if content else None
        except (ValueError, RecursionError) as error:
            raise self._not_the_api(method, response) from error

    def _not_the_api(self, method: str, response: requests.Response) -> ServerBusy:
        """Return the error for a response that reports success but is not in the API's format."""
        content_type = response.headers.get("Content-Type", "no content type")
        return ServerBusy(
            f"{method}: the response ({response.status_code}, {content_type}) is not in the API's format",
            status=response.status_code,
            foreign=True,
        )

    def _raise_for(self, method: str, response: requests.Response) -> None:
        """Raise an error with the server's message for a response with status 400 or above."""
        status = response.status_code
        if status < 400:
            return
        form = self._error_form(response)
        foreign = not _is_api_error(form)
        message = _message_of(form) or response.reason or "no reason given"
        if token := self._token():
            message = message.replace(token, MASK)
        if status in _BUSY:
            delay = retry_after(response.headers.get("Retry-After"))
            raise ServerBusy(f"{method}: {message}", status=status, retry_after=delay, foreign=foreign)
        error_class = NotAllowed if status in {401, 403} else ServerRefused
        raise error_class(
            f"{method}: {message}", status=status, details=None if foreign else form["details"], foreign=foreign
        )

    def _content(self, response: requests.Response, limit: int) -> bytes:
        """Return a response's body, or its first bytes when it is longer than `limit`.

        Raises:
            ServerUnreachable: the connection ended before the body did.
        """
        parts, size = [], 0
        with contextlib.closing(self._chunks(response)) as chunks:
            for chunk in chunks:
                parts.append(chunk)
                size += len(chunk)
                if size > limit:
                    break
        return b"".join(parts)

    def _error_form(self, response: requests.Response) -> Any:
        """Return the JSON body of an error; None when it has none, or one longer than the API's errors are."""
        try:
            return json.loads(self._content(response, ERROR_BYTES))
        except (ValueError, RecursionError, ServerUnreachable):
            return None


def _is_api_error(form: Any) -> bool:
    """Return whether an error body has the API's format: an error's name, and details with one message or several.

    Gateways respond with JSON of their own, such as ``{"error": "forbidden"}`` or ``{"message": "..."}``.
    """
    if not isinstance(form, dict) or not isinstance(form.get("error"), str):
        return False
    details = form.get("details")
    if isinstance(details, list):
        return any(isinstance(part, dict) for part in details)
    return isinstance(details, dict) and isinstance(details.get("message"), str)


def _message_of(form: Any) -> str:
    """Return the message of an error body, in either of Supervisely's two formats."""
    if not isinstance(form, dict):
        return ""
    details = form.get("details")
    if isinstance(details, list):
        details = next((part for part in details if isinstance(part, dict)), None)
    message = details.get("message") if isinstance(details, dict) else None
    return str(message or form.get("error") or form.get("message") or "")
