"""Where records go, and with which token; first that applies, see the README's table."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from typing import NamedTuple

from autoflow import settings
from autoflow.outbox import home, outbox
from autoflow.outbox.outbox import Outbox
from autoflow.process.posix import SUPPORTED
from autoflow.process.rate_limited_log import RateLimitedLogger
from autoflow.transport.base import Transport
from autoflow.transport.embedded import ORIGIN as EMBEDDED
from autoflow.transport.embedded import EmbeddedTransport
from autoflow.transport.http import HttpTransport, normalise, origin_of
from autoflow.transport.memory import ORIGIN as MEMORY
from autoflow.transport.memory import MemoryTransport
from autoflow.transport.unresolved import ORIGIN as UNRESOLVED
from autoflow.transport.unresolved import UnresolvedTransport

logger = logging.getLogger("autoflow")

OFF = "off"

_log = RateLimitedLogger(logging.getLogger("autoflow"))


class Destination(NamedTuple):
    """One server: its origin, and its address as given (for the three that are none, the same word)."""

    origin: str
    address: str


# what a test session wants when nothing else is said, and what a block of a test wants whatever is said
default_in_tests: str | None = None
override: str | None = None

_outboxes: dict[str, Outbox] = {}
_embedded: dict[str | None, EmbeddedTransport] = {}
_memory = MemoryTransport()
_warned: set[str] = set()


def resolve(server: str | None = None) -> Destination:
    """Where records go.

    Args:
        server: an explicit address, or ``embedded``, ``memory``, ``off``.

    Raises:
        ValueError: an address that is none.
    """
    return resolve_with_rule(server)[0]


def resolve_for_records(server: str | None = None) -> Destination:
    """Where records go, also when the environment names a server by an address that is none: then they wait.

    Raises:
        ValueError: `server` itself is no address.
    """
    try:
        return resolve(server)
    except ValueError as error:
        if server is not None:
            raise
        variable = "AUTOFLOW_SERVER" if settings.server() is not None else "SERVER_ADDRESS"
        message = (
            f"autoflow: {variable} is wrong ({error}); records wait in the outbox: correct it, then run "
            "autoflow outbox sync"
        )
        if message not in _warned:
            _warned.add(message)
            logger.warning("%s", message)
        return Destination(UNRESOLVED, UNRESOLVED)


def resolve_with_rule(server: str | None = None) -> tuple[Destination, str]:
    """Where records go, and what says so; arguments and errors as `resolve`."""
    if not SUPPORTED:
        _log.once(
            "unsupported",
            "nothing is recorded: this system has no POSIX file locks and forks (Windows); "
            "decorated functions run as if they were not decorated",
        )
        return Destination(OFF, OFF), "the system is not supported"
    instance = settings.instance() if settings.production() and settings.instance_token() else None
    rules = (
        (server, "the program"),
        (override, "the test"),
        (settings.server(), "AUTOFLOW_SERVER"),
        (default_in_tests or (MEMORY if settings.memory() else None), "the pytest plugin"),
        (instance, "SERVER_ADDRESS, with ENV=production and API_TOKEN"),
        (EMBEDDED, "nothing: it is the default"),
    )
    address, rule = next((address, rule) for address, rule in rules if address)
    return parse_address(address), rule


def parse_address(address: str) -> Destination:
    """The destination an address means.

    Raises:
        ValueError: it is none.
    """
    word = address.strip().lower()
    if word in {EMBEDDED, MEMORY, OFF, UNRESOLVED}:
        return Destination(word, word)
    return Destination(origin_of(address), normalise(address))


def same_server(origin: str, other: str) -> bool:
    """Whether two origins are one server: this machine goes by several names."""
    one, two = (re.sub(r"://(localhost|\[::1\])(?=:|$)", "://127.0.0.1", name, count=1) for name in (origin, other))
    return one == two


def token_for(origin: str) -> str | None:
    """The token an origin may see: ``API_TOKEN`` is for ``SERVER_ADDRESS`` and goes to no other server."""
    instance = settings.instance()
    server = settings.server()
    if settings.token() is not None and (server is None or _names(server, origin)):
        return settings.token()
    return settings.instance_token() if instance is None or _names(instance, origin) else None


def _names(address: str, origin: str) -> bool:
    """Whether an address of the environment means an origin; one that is no address means none."""
    named = parse_origin(address)
    return named is not None and same_server(named, origin)


def parse_origin(address: str) -> str | None:
    """The origin of an address, None when it is no address."""
    try:
        return parse_address(address).origin
    except ValueError:
        return None


def connect(destination: Destination, token: str | None = None) -> Transport:
    """A transport to a destination; the embedded server and the memory are one a process.

    Args:
        destination: not ``off``.
        token: an explicit one; else the environment's, asked for anew at each request.
    """
    if destination.origin == MEMORY:
        return _memory
    if destination.origin == EMBEDDED:
        return embedded()
    if destination.origin == UNRESOLVED:
        return UnresolvedTransport()
    ask: Callable[[], str | None] = (lambda: token) if token is not None else (lambda: token_for(destination.origin))
    return HttpTransport(destination.address, ask)


def embedded() -> EmbeddedTransport:
    """The server on this machine."""
    found = home.find()
    folder = os.path.join(found, "platform") if found is not None else None
    return _embedded.setdefault(folder, EmbeddedTransport(folder))


def memory_transport() -> MemoryTransport:
    """What was delivered to memory."""
    return _memory


def reset() -> None:
    """Start anew in this process, for tests: the next record opens a new journal."""
    global _memory
    outbox.abandon_all()
    _outboxes.clear()
    _warned.clear()
    _memory = MemoryTransport()


def outbox_for(destination: Destination, token: str | None = None) -> Outbox | None:
    """The outbox of a destination; None when it is off.

    Args:
        destination: where to.
        token: an explicit one, of the first who asks for this destination in the process.
    """
    if destination.origin == OFF:
        return None
    key = f"{settings.home()} {destination.origin}"
    found = _outboxes.get(key)
    if found is None:
        in_memory = destination.origin == MEMORY
        fresh = Outbox(
            destination.origin, destination.address, lambda: connect(destination, token), in_memory=in_memory
        )
        found = _outboxes.setdefault(key, fresh)
    return found
