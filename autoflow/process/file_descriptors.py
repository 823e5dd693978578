"""File descriptors that survive what apps do to theirs: moved to high numbers, and checked before they are closed.

A daemon closes "all" descriptors, in a loop over the low numbers, and the system gives the lowest free number to the
app's next file. So a number that was once ours may mean another file now.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import NamedTuple

from autoflow.process.posix import fcntl, resource

HIGH = 1024  # descriptors are moved to 15/16 of this (960) and above: few apps have that many files open


class OwnedFd(NamedTuple):
    """A descriptor, with the identity of the file it was opened for."""

    number: int
    device: int
    inode: int

    @property
    def ours(self) -> bool:
        """Whether the number still refers to that file."""
        try:
            status = os.fstat(self.number)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == (self.device, self.inode)

    def close(self) -> None:
        """Close the descriptor, unless its number refers to another file now."""
        if self.ours:
            with contextlib.suppress(OSError):
                os.close(self.number)


def own_fd(descriptor: int) -> OwnedFd:
    """Record which file a descriptor refers to."""
    status = os.fstat(descriptor)
    return OwnedFd(descriptor, status.st_dev, status.st_ino)


def move_high(descriptor: int) -> int:
    """Move a descriptor to a high number, where the limits of the process allow it; return its number."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    lowest = (HIGH if limit == resource.RLIM_INFINITY else min(limit, HIGH)) * 15 // 16
    try:
        high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, lowest)
    except OSError:  # too many files are open already
        return descriptor
    os.close(descriptor)
    return high


def move_socket_high(sock: socket.socket) -> socket.socket:
    """Move a new socket to a high number: the app may close low numbers while a request is running.

    Python would then close, with the socket, whatever file of the app has been given the number since.
    """
    family, kind, protocol = sock.family, sock.type, sock.proto
    return socket.socket(family, kind, protocol, move_high(sock.detach()))
