"""Resolution of the destination of records, and of its token; the first rule that applies, see the README's table."""

from __future__ import annotations

import logging
import os
import re
from typing import NamedTuple

from autoflow import settings
from autoflow.outbox import home, outbox
from autoflow.outbox.destinations import registry
from autoflow.outbox.destinations.base import Connector
from autoflow.outbox.destinations.servers import ServerConnector
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
from autoflow.wire.tokens import is_reproduction_token

logger = logging.getLogger("autoflow")

OFF = "off"
_LOOPBACK = re.compile(r"://(localhost|\[::1\])(?=:|$)")

_log = RateLimitedLogger(logging.getLogger("autoflow"))


class Destination(NamedTuple):
    """A server: its origin and address; for `embedded`, `memory` and `off`, the same word twice."""

    origin: str
    address: str


# the default destination of a test session, and a destination that a test forces
default_in_tests: str | None = None
override: str | None = None

_outboxes: dict[str, Outbox] = {}
_embedded: dict[tuple[str | None, str | None], EmbeddedTransport] = {}
_memory = MemoryTransport()
_warned: set[str] = set()


def resolve(server: str | None = None) -> Destination:
    """Return the destination of records.

    Args:
        server: an explicit address, or ``embedded``, ``memory``, ``off``.

    Raises:
        ValueError: an address is invalid.
    """
    return resolve_with_rule(server)[0]


def resolve_for_records(server: str | None = None) -> Destination:
    """Return the destination of records; while the environment has an invalid address, they wait in the outbox.

    Raises:
        ValueError: `server` itself is invalid.
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
    """Return the destination of records and the name of the rule that chose it; arguments and errors as `resolve`."""
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
        (EMBEDDED, "default"),
    )
    address, rule = next((address, rule) for address, rule in rules if address)
    return parse_address(address), rule


def parse_address(address: str) -> Destination:
    """Return the destination for an address.

    Raises:
        ValueError: the address is invalid.
    """
    word = address.strip().lower()
    if word in {EMBEDDED, MEMORY, OFF, UNRESOLVED}:
        return Destination(word, word)
    if _registered(address) is not None:
        return Destination(address.strip(), address.strip())
    return Destination(origin_of(address), normalise(address))


def _registered(address: str) -> registry.ConnectorFactory | None:
    """Return the connector that a package registers for the scheme of an address (docs/extending.md).

    Raises:
        ValueError: the package cannot be imported.
    """
    scheme = registry.scheme_of(address)
    try:
        return registry.find(scheme)
    except Exception as error:
        raise ValueError(f"the destination registered for {scheme}:// cannot be loaded: {error!r}") from error


def same_server(origin: str, other: str) -> bool:
    """Return whether two origins are one server; the names of this machine are equal."""
    return _LOOPBACK.sub("://127.0.0.1", origin, count=1) == _LOOPBACK.sub("://127.0.0.1", other, count=1)


def token_for(origin: str) -> str | None:
    """Return the token that an origin may see: ``API_TOKEN`` is sent to ``SERVER_ADDRESS`` and no other server."""
    instance = settings.instance()
    server = settings.server()
    if settings.token() is not None and (server is None or _has_origin(server, origin)):
        return settings.token()
    if registry.scheme_of(origin) not in registry.BUILT_IN:
        return None
    return settings.instance_token() if instance is None or _has_origin(instance, origin) else None


def _has_origin(address: str, origin: str) -> bool:
    """Return whether an address of the environment has an origin; an invalid address has none."""
    own = parse_origin(address)
    return own is not None and same_server(own, origin)


def parse_origin(address: str) -> str | None:
    """Return the origin of an address, None when it is invalid."""
    try:
        return parse_address(address).origin
    except ValueError:
        return None


def connect(destination: Destination, token: str | None = None) -> Transport:
    """Return a transport to a destination; embedded server and memory have one a process.

    Args:
        destination: not ``off``.
        token: an explicit one; default the environment's, read at each request.
    """
    if destination.origin == MEMORY:
        return _memory
    if destination.origin == EMBEDDED:
        return embedded(token if token is not None else token_for(EMBEDDED))
    if destination.origin == UNRESOLVED:
        return UnresolvedTransport()
    if _registered(destination.address) is not None:
        raise ValueError(f"{destination.address} only takes records: it has no API")
    return HttpTransport(destination.address, lambda: token if token is not None else token_for(destination.origin))


def connector_to(destination: Destination, token: str | None = None) -> Connector:
    """Return the way to deliver records to a destination; arguments as `connect`."""
    factory = _registered(destination.address)
    if factory is None:
        return ServerConnector(connect(destination, token))
    return factory(destination.address, lambda: token if token is not None else token_for(destination.origin))


def embedded(token: str | None = None) -> EmbeddedTransport:
    """Return the transport to the embedded server of this machine.

    Args:
        token: of a reproduction; the embedded server needs no other one.
    """
    own = token if token is not None and is_reproduction_token(token) else None
    folder = embedded_folder()
    return _embedded.setdefault((folder, own), EmbeddedTransport(folder, own))


def embedded_folder() -> str | None:
    """Return the folder of the embedded server; None if there is no usable one."""
    if (store := settings.store()) is not None:
        return store
    home_folder = home.find()
    return os.path.join(home_folder, "platform") if home_folder is not None else None


def memory_transport() -> MemoryTransport:
    """Return the transport of ``memory``, which holds what was delivered."""
    return _memory


def reset() -> None:
    """Reset the state of this process, for tests: the next record opens a new journal."""
    global _memory
    outbox.abandon_all()
    _outboxes.clear()
    _warned.clear()
    _memory = MemoryTransport()


def outbox_for(destination: Destination, token: str | None = None) -> Outbox | None:
    """Return the outbox of a destination; None when it is off.

    Args:
        destination: of the records.
        token: an explicit one; only that of the first call for a destination in this process counts.
    """
    if destination.origin == OFF:
        return None
    key = f"{settings.home()} {destination.origin}"
    existing = _outboxes.get(key)
    if existing is None:
        in_memory = destination.origin == MEMORY
        new = Outbox(
            destination.origin, destination.address, lambda: connector_to(destination, token), in_memory=in_memory
        )
        existing = _outboxes.setdefault(key, new)
    return existing
