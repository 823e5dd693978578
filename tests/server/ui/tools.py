"""Development tools of the page from npm, as `package.json` at the root of the repository names them."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
REQUIRED = os.environ.get("CI") == "true" or "browser" in os.environ.get("AUTOFLOW_REQUIRE", "")


def skip_or_fail(reason):
    """Fail where the page's tests are required, else skip."""
    (pytest.fail if REQUIRED else pytest.skip)(reason)


def npm_tool(name: str, lock_folder: Path) -> Path:
    """Return the path of a tool; install all tools first if they are missing."""
    tool = ROOT / "node_modules" / ".bin" / name
    with (lock_folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tool.exists():
            if shutil.which("npm") is None:
                skip_or_fail("npm is missing: `apt-get install npm`")
            install = subprocess.run([ROOT / ".ci" / "node_modules"], capture_output=True, text=True)
            if install.returncode:
                skip_or_fail(f"npm could not install the tools: {install.stderr.strip()[-500:]}")
    return tool
