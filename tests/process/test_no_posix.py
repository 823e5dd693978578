"""A system without POSIX locks and forks (Windows): the package imports, and decorated functions run as they are."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.core

# hides what such a system lacks, after the standard library has looked for it; the real thing cannot be had here
HIDE = """
import asyncio, logging, multiprocessing, os, random, subprocess, sys, tempfile, threading, concurrent.futures

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name in {modules!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Hidden())
for name in {modules!r}:
    sys.modules.pop(name, None)
for name in {functions!r}:
    if hasattr(os, name):
        delattr(os, name)
"""
FEW = HIDE.format(modules=["fcntl"], functions=["register_at_fork"])
ALL = HIDE.format(
    modules=["fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog"],
    functions=[
        *[
            "register_at_fork",
            "fork",
            "geteuid",
            "getuid",
            "getgid",
            "O_CLOEXEC",
            "O_NOFOLLOW",
            "posix_spawn",
            "waitid",
        ],
        *[
            "posix_spawnp",
            "WNOHANG",
            "pread",
            "pwrite",
            "killpg",
            "setsid",
            "uname",
            "fchmod",
            "chown",
        ],
    ],
)

APP = """
import autoflow

@autoflow.workflow_input("project")
@autoflow.workflow_output("file", title="{value}")
def train(project_id, broken=False):
    if broken:
        raise ValueError("broken")
    return f"/weights/{project_id}.pt"

@autoflow.versioned
def save(project_id):
    return "saved"

@autoflow.versioned
async def save_later(project_id):
    return "saved later"

@autoflow.workflow_input("project", value="item")
def stream():
    yield 1
    yield 2

@autoflow.workflow("main")
def main():
    autoflow.current_run().output("file", "/a.pt")
    return train(8)

print(train(7), main(), save(7), asyncio.run(save_later(7)), list(stream()), autoflow.propagate(train)(9))
with autoflow.workflow("Train", parameters={"epochs": 3}) as run:
    run.node(title="T")
    threads = [threading.Thread(target=train, args=(7,)) for _ in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    try:
        train(7, broken=True)
    except ValueError as error:
        print(error)
print(run.task_id, run.failures, autoflow.flush(5), autoflow.status()["recorded"])
"""


@pytest.mark.parametrize("hide", [FEW, ALL], ids=["few", "all"])
def test_decorators_pass_through_where_there_is_no_posix(tmp_path, hide):
    """One warning, nothing recorded, nothing changed."""
    script = (
        f"{hide}\nlogging.basicConfig(level=logging.WARNING, format='%(name)s %(message)s')\n{textwrap.dedent(APP)}"
    )
    home = tmp_path / "none"
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, "AUTOFLOW_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [
        "/weights/7.pt /weights/8.pt saved saved later [1, 2] /weights/9.pt",
        "broken",
        "None [] True 0",
    ]
    (line,) = ended.stderr.splitlines()
    assert "nothing is recorded" in line
    assert "Windows" in line
    assert not home.exists()
