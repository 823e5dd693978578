"""Authenticate requests by their tokens; without tokens, every client is the server's local user.

An address that keeps sending wrong tokens gets 429 for them. A valid token always passes: behind one address (NAT, a
proxy) there may be many users.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import threading
import time

from starlette.requests import Request

from autoflow.errors import NotAllowed, ServerBusy
from autoflow.process.lru_cache import LruCache
from autoflow.server.authorization import Tokens
from autoflow.server.db.access import LOCAL, Caller
from autoflow.server.errors import Forbidden
from autoflow.wire.tokens import is_reproduction_token

MAX_FAILURES = 10  # wrong tokens of one address in a window
WINDOW = 60.0  # seconds
MAX_ADDRESSES = 10_000


def token_of(request: Request) -> str | None:
    """Return a request's token: ``x-api-key``, ``x-token``, as the SDK sends ``AGENT_TOKEN``, the password of Basic
    authentication, for which browsers prompt, or a Bearer token, as Prometheus sends it.
    """
    key = request.headers.get("x-api-key") or request.headers.get("x-token")
    if key:
        return key
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def network(address: str) -> str:
    """Return the network that counts as one client: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))


class FailureCounter:
    """Counts each client's wrong tokens in a window of time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: LruCache[str, tuple[int, float]] = LruCache(MAX_ADDRESSES)

    def wait(self, client: str) -> float:
        """Return the seconds until a client may try again, 0 if it may now."""
        count, since = self._counts.get(client) or (0, 0.0)
        remaining = since + WINDOW - time.monotonic()
        return remaining if count >= MAX_FAILURES and remaining > 0 else 0.0

    def add(self, client: str) -> None:
        """Count a wrong token of a client."""
        now = time.monotonic()
        with self._lock:
            count, since = self._counts.get(client) or (0, now)
            self._counts.put(client, (count + 1, since) if now - since < WINDOW else (1, now))


class Authenticator:
    """Finds the user of a token.

    Args:
        tokens: the server's tokens.
        required: whether every request needs a token.
    """

    def __init__(self, tokens: Tokens, *, required: bool) -> None:
        self._tokens = tokens
        self.required = required
        self._failures = FailureCounter()

    def needs_query(self, token: str | None) -> bool:
        """Return whether the user of a request is not known without a query: a reproduction is known by its token, also
        to a server that needs none.
        """
        return self.required or (token is not None and is_reproduction_token(token))

    def authenticate(self, token: str | None, address: str | None, site: str) -> Caller:
        """Return the user who sent a request.

        Args:
            token: the request's token.
            address: the client's IP address; None for a token that is not to be counted if it is wrong.
            site: scheme and host that the request was sent to.

        Raises:
            NotAllowed: 401 or 403, see `Tokens.caller`.
            ServerBusy: 429, the token is wrong, as were `MAX_FAILURES` others from this address lately.
        """
        if not self.needs_query(token):
            return LOCAL._replace(site=site)
        if token is None:
            raise NotAllowed("this server needs a token; create one with `autoflow token create`", status=401)
        try:
            caller = self._tokens.caller(token)
            if self.required and caller.teams is None:
                raise Forbidden("this token was issued while the server needed none")
        except NotAllowed as refused:
            if address is None:
                raise
            client = network(address)
            wait = self._failures.wait(client)
            if wait:
                raise ServerBusy("too many wrong tokens from this address", status=429, retry_after=wait) from None
            self._failures.add(client)
            raise refused
        return caller._replace(site=site)
