"""Programs from npm that look at the page, installed once into pytest's cache; a missing npm is named."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = {"typescript": "5.9.3"}
REQUIRED = os.environ.get("CI") == "true" or "browser" in os.environ.get("AUTOFLOW_REQUIRE", "")


def without(what):
    """Fail where the page's tests are required, else skip."""
    (pytest.fail if REQUIRED else pytest.skip)(what)


def package(cache: Path, name: str) -> Path:
    """The folder of an npm package."""
    found = cache / "node_modules" / name
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (found / "package.json").exists():
            npm = shutil.which("npm")
            if npm is None:
                without("no npm here: `apt-get install npm`")
            (cache / "package.json").write_text('{"private": true}')
            wanted = f"{name}@{PACKAGES[name]}"
            command = [
                npm,
                "install",
                "--no-audit",
                "--no-fund",
                "--no-save",
                "--ignore-scripts",
                "--prefix",
                str(cache),
            ]
            done = subprocess.run([*command, wanted], capture_output=True, text=True)
            if done.returncode:
                without(f"npm could not install {wanted}: {done.stderr.strip()[-500:]}")
    return found
