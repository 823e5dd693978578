"""The type of the file system that a folder is on, as Linux reports it; unknown on other systems."""

from __future__ import annotations

import os

# Shared by machines, or without shared memory: SQLite's write-ahead log does not work on them.
NETWORK = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "gfs2", "glusterfs", "gpfs"}
    | {"lustre", "nfs", "nfs4", "ocfs2", "orangefs", "smb3", "smbfs", "vboxsf", "virtiofs"}
)
# Lost at the machine's next start, or with the container.
EPHEMERAL = frozenset({"overlay", "aufs", "tmpfs", "ramfs"})

_MOUNTS = "/proc/self/mountinfo"


def file_system_type(folder: str) -> str | None:
    """Return the type of the file system that a folder is on, such as ``ext4``; None if it is unknown."""
    path = os.path.realpath(folder)
    longest, file_system = -1, None
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as mounts:
            for line in mounts:
                before, _, after = line.partition(" - ")
                point = _unescaped(before.split()[4])
                inside = path == point or path.startswith(point.rstrip("/") + "/")
                if inside and len(point) >= longest:  # of several mounts on one point, the last one counts
                    longest, file_system = len(point), after.split()[0]
    except (OSError, IndexError):
        return None
    return file_system


def _unescaped(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
