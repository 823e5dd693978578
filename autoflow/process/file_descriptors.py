"""Descriptors that outlive what apps do to theirs: high numbers, and a check before one is closed.

A daemon closes "all" descriptors, a loop over the low numbers, and the system gives the lowest free number to the
next file of the app. A number is therefore never trusted to be ours because it once was.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import NamedTuple

from autoflow.process.posix import fcntl, resource

HIGH = 1024  # numbers from here on down by a sixteenth: few apps have that many files open


class Held(NamedTuple):
    """A descriptor and the file it was opened for."""

    number: int
    device: int
    inode: int

    @property
    def ours(self) -> bool:
        """Whether the number still means that file."""
        try:
            found = os.fstat(self.number)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (self.device, self.inode)

    def close(self) -> None:
        """Close it, unless the number has become somebody else's."""
        if self.ours:
            with contextlib.suppress(OSError):
                os.close(self.number)


def hold(descriptor: int) -> Held:
    """Say which file a descriptor is open for."""
    found = os.fstat(descriptor)
    return Held(descriptor, found.st_dev, found.st_ino)


def raise_high(descriptor: int) -> int:
    """Move a descriptor to a high number, where the limits of the process allow it; its number."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    least = (HIGH if limit == resource.RLIM_INFINITY else min(limit, HIGH)) * 15 // 16
    try:
        high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, least)
    except OSError:  # so many files are open already
        return descriptor
    os.close(descriptor)
    return high


def raise_socket(sock: socket.socket) -> socket.socket:
    """Move a fresh socket to a high number: a request may last, and the app closes numbers meanwhile.

    Closed in the end by a number that the app has been given since, it would be the app's file that is closed.
    """
    family, kind, protocol = sock.family, sock.type, sock.proto
    return socket.socket(family, kind, protocol, raise_high(sock.detach()))
