"""Who asks: the user of the token a request carries; without tokens, whoever reaches the server is its local user.

An address that keeps sending wrong tokens is answered 429 for them. A valid token always passes: behind one address
(NAT, a proxy) there may be many users.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import threading
import time
from collections import OrderedDict

from starlette.requests import Request

from autoflow.errors import NotAllowed, ServerBusy
from autoflow.server.authorization import Tokens
from autoflow.server.db.access import LOCAL, Caller

FAILURES = 10  # of one address, before it is put off
WINDOW = 60.0  # seconds
REMEMBERED = 10_000  # addresses


def token_of(request: Request) -> str | None:
    """The token: ``x-api-key``, or the password of Basic authorization, which a browser asks its user for."""
    key = request.headers.get("x-api-key")
    if key:
        return key
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def network(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 an IPv6 user has to themselves."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if known.version == 4 else str(ipaddress.ip_network((known, 64), strict=False))


class Failures:
    """How often each client failed lately."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Seconds until a client may try again; 0 for now."""
        with self._lock:
            count, since = self._counts.get(client, (0, 0.0))
        left = since + WINDOW - time.monotonic()
        return left if count >= FAILURES and left > 0 else 0.0

    def add(self, client: str) -> None:
        """Count one more."""
        now = time.monotonic()
        with self._lock:
            count, since = self._counts.pop(client, (0, now))
            self._counts[client] = (count + 1, since) if now - since < WINDOW else (1, now)
            if len(self._counts) > REMEMBERED:
                self._counts.popitem(last=False)


class Identity:
    """Tells callers apart.

    Args:
        tokens: those of the server.
        required: whether one is needed.
    """

    def __init__(self, tokens: Tokens, *, required: bool) -> None:
        self._tokens = tokens
        self.required = required
        self._failures = Failures()

    def caller(self, token: str | None, address: str, site: str) -> Caller:
        """Who sent a request.

        Args:
            token: what it carried.
            address: where it came from.
            site: the address it was sent to.

        Raises:
            NotAllowed: 401 or 403, see `Tokens.caller`.
            ServerBusy: 429, the token is wrong, as were too many others from this address lately.
        """
        if not self.required:
            return LOCAL._replace(site=site)
        if token is None:
            raise NotAllowed("this server needs a token; `autoflow token create` makes one", status=401)
        try:
            found = self._tokens.caller(token)
        except NotAllowed as refused:
            client = network(address)
            wait = self._failures.wait(client)
            if wait:
                raise ServerBusy("too many wrong tokens came from this address", status=429, retry_after=wait) from None
            self._failures.add(client)
            raise refused
        return found._replace(site=site)
