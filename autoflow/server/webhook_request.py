"""One signed HTTP request of a webhook, to no address inside unless that is allowed.

The host is resolved once, every address must be public, and the connection is made to the address that was checked, so
that a name cannot change its address in between. Redirects are not followed, and proxies are not used.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, urlsplit

TIMEOUT = 10.0  # seconds for a whole attempt
MAX_URL = 2000  # characters
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # NAT64: the last bytes are an address of IPv4
_PORTS = {"http": 80, "https": 443}


class DeliveryFailed(Exception):
    """An attempt failed; the message says why, and may be shown to the admins of the team."""


def check_url(url: str) -> SplitResult:
    """Return the parts of a webhook's url.

    Raises:
        ValueError: it is not an http or https url of a host, without a user.
    """
    parts = urlsplit(url)
    printable = url.isascii() and url.isprintable() and " " not in url and len(url) <= MAX_URL
    if not printable or parts.scheme not in _PORTS or not parts.hostname or parts.username or parts.password:
        raise ValueError("a webhook's url must begin with http:// or https://, and have a host and no password")
    _ = parts.port  # raises ValueError
    return parts


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a request: the HMAC-SHA256 of the time, a dot and the body."""
    return hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()


def _addresses(host: str, port: int, *, allow_private: bool) -> list[str]:
    """Return the addresses of a host.

    Raises:
        DeliveryFailed: it has none, or one of them is inside.
    """
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeliveryFailed(f"{host} cannot be resolved: {error}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    if not allow_private and any(is_private(address) for address in addresses):
        raise DeliveryFailed(f"{host} is an address inside; `autoflow serve --private-webhooks` allows those")
    return addresses


def is_private(address: str) -> bool:
    """Return whether an IP address is not public: private, loopback, link-local, multicast, reserved."""
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        translated = ipaddress.IPv4Address(ip.packed[-4:]) if ip in _TRANSLATED else None
        inner = translated or ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
        if inner is not None:
            return not inner.is_global or is_private(str(inner))
    return not ip.is_global or ip.is_multicast


def _connect(addresses: list[str], parts: SplitResult, *, verify: bool) -> socket.socket:
    """Return a connection to one of some addresses; the handshake of TLS is not done yet."""
    last: OSError | None = None
    until = time.monotonic() + TIMEOUT
    for address in addresses:
        left = until - time.monotonic()
        if left <= 0:
            break
        try:
            sock = socket.create_connection((address, parts.port or _PORTS[parts.scheme]), timeout=left)
        except OSError as error:
            last = error
            continue
        if parts.scheme == "http":
            return sock
        context = ssl.create_default_context()
        if not verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(sock, server_hostname=parts.hostname, do_handshake_on_connect=False)
    raise last or OSError("it has no address")


def send(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    secret: str,
    *,
    allow_private: bool,
    verify: bool = True,
) -> None:
    """Post a signed body; return when the receiver has answered with a status of success.

    Args:
        url: the receiver.
        body: JSON.
        headers: further headers.
        secret: of the signature.
        allow_private: whether an address inside is allowed.
        verify: whether the certificate of https is verified.

    Raises:
        DeliveryFailed: it did not.
    """
    try:
        parts = check_url(url)
    except ValueError as error:
        raise DeliveryFailed(str(error)) from error
    assert parts.hostname is not None
    addresses = _addresses(parts.hostname, parts.port or _PORTS[parts.scheme], allow_private=allow_private)
    timestamp = int(time.time())
    signed = {
        **headers,
        "Host": parts.netloc,
        "Content-Type": "application/json",
        "User-Agent": "autoflow-webhooks",
        "X-Autoflow-Signature": f"t={timestamp},v1={signature(secret, timestamp, body)}",
    }
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        sock = _connect(addresses, parts, verify=verify)
        with contextlib.closing(sock), _time_limit(sock):
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            conn = http.client.HTTPConnection(parts.hostname, timeout=TIMEOUT)
            conn.sock = sock
            conn.request("POST", target, body, signed)
            status = conn.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DeliveryFailed(f"{parts.netloc}: {error or type(error).__name__}") from error
    if not 200 <= status < 300:
        raise DeliveryFailed(f"{parts.netloc} answered with status {status}")


@contextlib.contextmanager
def _time_limit(sock: socket.socket) -> Iterator[None]:
    """Shut a connection down after `TIMEOUT`, however slowly the receiver sends."""
    timer = threading.Timer(TIMEOUT, _shut_down, (sock,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut_down(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)  # that of TLS takes the state away from the other thread
