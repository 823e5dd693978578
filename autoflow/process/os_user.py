"""The operating system's user of this process."""

from __future__ import annotations

import getpass
import os


def user_at_host() -> str:
    """Return the user and the machine, as ``anna@laptop``; a user without a name is ``uid1000``."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may be in no password file
        user = f"uid{os.getuid()}"
    return f"{user}@{os.uname().nodename}"
