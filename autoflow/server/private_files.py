"""Files and folders that only their owner can read, whatever the umask."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat

FILE, FOLDER = 0o600, 0o700


def make_folder(path: str) -> None:
    """Create a folder and its missing parents with mode 0700; existing folders keep their mode.

    Raises:
        OSError: it cannot be made.
    """
    missing: list[str] = []
    while path and not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another process was faster
            os.mkdir(folder, FOLDER)


def restrict_access(path: str, mode: int = FILE) -> None:
    """Remove other users' access to a file or folder; ignore one that is missing or another user's."""
    with contextlib.suppress(OSError):
        if stat.S_IMODE(os.stat(path).st_mode) & ~mode:
            os.chmod(path, mode)


def create(path: str) -> None:
    """Create an empty file with mode 0600 if it does not exist; an existing one is not opened.

    Raises:
        OSError: it cannot be made.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE))


def opener(path: str, flags: int) -> int:
    """Open a file as `open(opener=...)` wants it; a new one has mode 0600."""
    return os.open(path, flags | os.O_CLOEXEC, FILE)


def write_atomically(path: str, content: bytes) -> None:
    """Replace a file's content durably: after a crash it has the old content or the new one.

    Raises:
        OSError: it cannot be written; the old content is still there.
    """
    make_folder(os.path.dirname(path))
    temporary = f"{path}.{secrets.token_hex(4)}"
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    descriptor = os.open(os.path.dirname(path), os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: str) -> bytes | None:
    """Return a file's content, None when there is no such file.

    Raises:
        OSError: there is one and it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
