"""A server over HTTP: our own or a Supervisely instance, on one kept connection a thread.

The token goes to the server's own origin and nowhere else: redirects are followed within it only, and no error or
log line holds it. Every request has a deadline for the whole of it (`transport.deadline`), so that a server that
sends a byte a second cannot hold anybody.
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
ERROR_BYTES = 1 << 20  # of an error's body that are read; the API's own errors are short
# the SDK tries these again; everything else from 400 on is final
_BUSY = {408, 429, 499, 500, 502, 503, 504, 509, 598, 599}


def normalise(address: str) -> str:
    """Give a server's address as the SDK does: no slash at the ends, ``http://`` when no scheme is said.

    Raises:
        ValueError: the address has no host, or credentials in it.
    """
    address = address.strip().strip("/")
    if address.lower() in {"http:", "https:"}:
        raise ValueError(f"{address}// is no address of a server; write http://host:port or https://host")
    if "://" not in address:
        address = f"http://{address}"
    parts = urlsplit(address)
    if "@" in address:  # also where it belongs to no user: a message must not repeat what may be a password
        raise ValueError("the address of a server must not hold a user or a password; use AUTOFLOW_TOKEN")
    if parts.scheme not in {"http", "https"} or not parts.hostname or not _has_port(parts):
        raise ValueError(f"{address!r} is no address of a server; write http://host:port or https://host")
    return address


def _has_port(parts: SplitResult) -> bool:
    """Whether the port, if one is given, is a number."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def origin_of(address: str) -> str:
    """Scheme, host and port of an address, lower case, without the scheme's own port."""
    parts = urlsplit(normalise(address))
    usual = {"http": 80, "https": 443}[parts.scheme]
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    port = f":{parts.port}" if parts.port and parts.port != usual else ""
    return f"{parts.scheme}://{host}{port}"


class HttpTransport:
    """One server by its address.

    Args:
        address: as in ``SERVER_ADDRESS``.
        token: gives the token when asked, so that a changed one counts at once; None sends no token.
    """

    def __init__(self, address: str, token: Callable[[], str | None]) -> None:
        self._address = normalise(address)
        self.origin = origin_of(address)
        self._token = token
        self._local = threading.local()

    def __repr__(self) -> str:
        return f"HttpTransport({self.origin!r})"

    # -- what a transport does

    def call(self, method: str, body: Mapping[str, Any] | Sequence[Any], *, timeout: float | None = None) -> Any:
        """See `Transport.call`."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._json(method, self._post(method, timeout or TOTAL_SECONDS, content, JSON))

    def deliver(self, records: Sequence[dict[str, Any]]) -> Mapping[str, Any]:
        """See `Transport.deliver`; records are encoded one by one, between breaths."""
        encoded = []
        for record in records:
            encoded.append(json.dumps(record).encode())
            yield_gil()
        content = b'{"records":[' + b",".join(encoded) + b"]}"
        answer: Mapping[str, Any] = self.call(methods.RECORDS_ADD, content)
        return answer

    def upload(self, method: str, parts: Sequence[Part], query: Mapping[str, str | int] | None = None) -> Any:
        """See `Transport.upload`."""
        from autoflow.transport.multipart import Multipart

        form = Multipart(parts)
        return self._json(method, self._post(method, TRANSFER_SECONDS, form, form.content_type, query))

    def download(self, method: str, body: Mapping[str, Any]) -> Iterator[bytes]:
        """See `Transport.download`."""
        answer = self._post(method, TRANSFER_SECONDS, json.dumps(body).encode(), JSON)
        self._raise_for(method, answer)
        yield from self._chunks(answer)

    def token_fingerprint(self) -> int:
        """See `Transport.token_fingerprint`."""
        return hash(self._token())

    def close(self) -> None:
        """See `Transport.close`."""
        session = getattr(self._local, "session", None)
        if session is not None:
            session.close()
            self._local.session = None

    # -- underneath

    def _session(self) -> requests.Session:
        """This thread's connection; a forked child makes its own."""
        if getattr(self._local, "session", None) is None or self._local.pid != os.getpid():
            with defer_forks():
                import requests

                from autoflow.transport.deadline import DeadlineAdapter

            fresh = requests.Session()
            # the environment's proxies and certificates, asked for once: requests would ask at each request
            found = fresh.merge_environment_settings(self._address, {}, None, None, None)
            fresh.proxies, fresh.verify = found["proxies"], found["verify"]
            fresh.trust_env = False  # nor is a netrc read: the token is ours to give
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
                f"the token for {self.origin} holds a space, a line end or another odd character", status=401
            )
        return {**headers, "x-api-key": token}

    def _post(
        self, method: str, seconds: float, content: Any, content_type: str, query: Mapping[str, Any] | None = None
    ) -> requests.Response:
        """Send a request; the answer's header is read, its body is not."""
        seconds = time_budget.remaining(seconds)
        if not seconds:
            raise ServerUnreachable(f"{self.origin}: there is no time left to ask it")
        session = self._session()
        import requests

        from autoflow.transport.deadline import IDLE_SECONDS, within

        url = self._address + methods.PATH + method
        headers = self._headers(content_type)
        timeouts = (min(CONNECT_SECONDS, seconds), min(IDLE_SECONDS, seconds))
        try:
            with within(seconds):
                for _ in range(REDIRECTS):
                    request = requests.PreparedRequest()  # without a session's merging of settings: it has none
                    request.prepare("POST", url, headers, data=content, params=query)
                    answer = session.send(request, timeout=timeouts, allow_redirects=False, stream=True)
                    if not 300 <= answer.status_code < 400:
                        return answer
                    url = self._next(url, answer)
        except (requests.RequestException, OSError) as error:
            self.close()  # the next try finds the proxies that the environment names then
            raise ServerUnreachable(f"{self.origin}: {type(error).__name__}") from error
        raise ServerRefused(f"{self.origin} redirects without end", status=310, foreign=True)

    def _next(self, url: str, answer: requests.Response) -> str:
        """Where a redirect leads, if it stays on this origin."""
        target = urljoin(url, answer.headers.get("Location", ""))
        answer.close()
        try:
            origin = origin_of(target)
        except ValueError:
            origin = "nowhere"
        if origin != self.origin:
            raise ServerRefused(
                f"{self.origin} redirects to {origin}, where the token does not go; if that is the server, "
                "set its address",
                status=answer.status_code,
                foreign=True,
            )
        return target

    def _chunks(self, answer: requests.Response) -> Generator[bytes, None, None]:
        import requests

        try:
            yield from answer.iter_content(CHUNK_BYTES)
        except (requests.RequestException, OSError) as error:
            raise ServerUnreachable(f"{self.origin}: {type(error).__name__}") from error
        finally:
            answer.close()

    def _json(self, method: str, answer: requests.Response) -> Any:
        self._raise_for(method, answer)
        page = "html" in answer.headers.get("Content-Type", "").lower()
        content = self._content(answer, ERROR_BYTES if page else sys.maxsize)
        try:
            return json.loads(content) if content else None
        except (ValueError, RecursionError) as error:
            raise self._no_answer(method, answer) from error

    def _no_answer(self, method: str, answer: requests.Response) -> ServerBusy:
        """The error of a response that reports success and is not the API's."""
        kind = answer.headers.get("Content-Type", "no content type")
        return ServerBusy(
            f"{method}: the response ({answer.status_code}, {kind}) is not the API's",
            status=answer.status_code,
            foreign=True,
        )

    def _raise_for(self, method: str, answer: requests.Response) -> None:
        """Turn an answer from 400 on into an error with the server's words."""
        status = answer.status_code
        if status < 400:
            return
        form = self._error_form(answer)
        foreign = not _is_api_error(form)
        words = _words(form) or answer.reason or "no reason given"
        if token := self._token():
            words = words.replace(token, MASK)
        if status in _BUSY:
            wish = retry_after(answer.headers.get("Retry-After"))
            raise ServerBusy(f"{method}: {words}", status=status, retry_after=wish, foreign=foreign)
        kind = NotAllowed if status in {401, 403} else ServerRefused
        raise kind(f"{method}: {words}", status=status, details=None if foreign else form["details"], foreign=foreign)

    def _content(self, answer: requests.Response, limit: int) -> bytes:
        """A response's body, or its first bytes when it is longer than `limit`.

        Raises:
            ServerUnreachable: it did not come whole.
        """
        parts, size = [], 0
        with contextlib.closing(self._chunks(answer)) as chunks:
            for chunk in chunks:
                parts.append(chunk)
                size += len(chunk)
                if size > limit:
                    break
        return b"".join(parts)

    def _error_form(self, answer: requests.Response) -> Any:
        """The JSON body of an error; None when it has none, or one longer than any of the API's."""
        try:
            return json.loads(self._content(answer, ERROR_BYTES))
        except (ValueError, RecursionError, ServerUnreachable):
            return None


def _is_api_error(form: Any) -> bool:
    """Whether an error body has the API's format: an error's name, and details with a message (or a list of such).

    Gateways answer with JSON of their own, such as ``{"error": "forbidden"}`` or ``{"message": "..."}``.
    """
    if not isinstance(form, dict) or not isinstance(form.get("error"), str):
        return False
    details = form.get("details")
    if isinstance(details, list):
        return any(isinstance(part, dict) for part in details)
    return isinstance(details, dict) and isinstance(details.get("message"), str)


def _words(form: Any) -> str:
    """The message of an error body, in Supervisely's two shapes."""
    if not isinstance(form, dict):
        return ""
    details = form.get("details")
    if isinstance(details, list):
        details = next((part for part in details if isinstance(part, dict)), None)
    message = details.get("message") if isinstance(details, dict) else None
    return str(message or form.get("error") or form.get("message") or "")
