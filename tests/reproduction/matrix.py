"""Runs that are started in every way, and changed in every way afterwards: the verdict is known by construction."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from autoflow import Api
from tests.cli.repository import git

TEAM_FILE, OUTPUT = "/data/team.txt", "/models/out.txt"
APP = """
import os
import sys
import tempfile

from autoflow import Api, flush, workflow

import lemonlib
from RATE_MODULE import RATE

PRELUDE
api = Api.from_env()
with workflow("Train", environment=["LR", "DB_PASSWORD"]) as run:
    run.input("file", TEAM)
    with tempfile.NamedTemporaryFile() as file:
        api.file.download(1, TEAM, file.name)
        data = file.read().decode()
    run.input("file", LOCAL)
    parts = [data, open(LOCAL).read(), RATE, lemonlib.VERSION, os.environ["LR"], os.environ.get("DB_PASSWORD")]
    rank = os.environ.get("RANK", "")
    parts.append(rank)
    parts += [hash("lemon")] if "--seed" in sys.argv or "SEEDED" in os.environ else []
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(repr(parts))
        file.flush()
        run.output("file", api.file.upload(1, file.name, OUTPUT + rank.strip("0")))
    flush(30)
"""


class Truth(NamedTuple):
    """The verdict that is true: on the outputs, on the inputs, and a cause that must be named."""

    outputs: str
    inputs: str
    cause: str | None = None


RESTORED = Truth("equal", "read")
CHANGES = {
    "nothing": RESTORED,
    "data": RESTORED,  # a file of the team was replaced
    "local data": Truth("different", "different", "data"),  # a file of the machine was rewritten
    "code": RESTORED,  # changes were not committed, and the code is another one now
    "package": Truth("different", "read", "environment"),
    "env": RESTORED,  # a recorded variable has another value now
    "secret": Truth("different", "read", "environment"),  # a variable that was masked
    "seed": Truth("different", "read", "seed"),
}
WAYS = ("launcher", "module", "console", "shell", "chdir", "submodule")
SLOW_WAYS = ("script", "notebook")  # in `make soak` only
PRELUDES = {
    "chdir": 'os.chdir("inside")',
    # a process waits for the others, as a collective operation does
    "launcher": """
import time
open("ready" + os.environ["RANK"], "w").close()
deadline = time.monotonic() + 30
while not all(os.path.exists(f"ready{rank}") for rank in range(int(os.environ["WORLD_SIZE"]))):
    assert time.monotonic() < deadline, "the other processes are missing"
""",
}
# what a kernel does with its cells, without a kernel's sockets
SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in json.loads(sys.argv[1]):
    shell.run_cell(cell, store_history=True)
"""
# starts processes as torchrun does, which needs torch
LOOKALIKE_TORCHRUN = """
import os, subprocess, sys
port = str(20000 + os.getpid() % 10000)
shared = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": port}
variables = [{**shared, "RANK": rank, "LOCAL_RANK": rank} for rank in "01"]
workers = [subprocess.Popen([sys.executable, "-u", *sys.argv[1:]], env=each) for each in variables]
sys.exit(any([worker.wait() for worker in workers]))
"""


class Project:
    """A repository whose app is started in one way.

    Args:
        folder: a new folder.
        way: one of `WAYS`.
    """

    def __init__(self, folder: Path, way: str) -> None:
        self.folder, self.way = folder / "repo", way
        self.site, self.local = folder / "site", folder / "local.txt"
        self.rates = self.folder / "rates.py"
        self.folder.mkdir(parents=True)
        self.local.write_text("local")
        self.set_library("1.0")
        git(self.folder, "init", "-q")
        (self.folder / ".gitignore").write_text(".venv\n__pycache__\n")
        self._write_code()
        git(self.folder, "add", ".")
        git(self.folder, "commit", "-q", "-m", "first")

    def _write_code(self) -> None:
        module = {"submodule": "library.rates", "module": "lemonapp.rates", "console": "lemonapp.rates"}
        app = APP.replace("RATE_MODULE", module.get(self.way, "rates")).replace("TEAM", repr(TEAM_FILE))
        app = app.replace("OUTPUT", repr(OUTPUT)).replace("LOCAL", repr(str(self.local)))
        app = app.replace("PRELUDE", PRELUDES.get(self.way, ""))
        self.app = app
        package = self.folder / "lemonapp"
        if self.way in {"module", "console"}:
            package.mkdir()
            (package / "__init__.py").touch()
            (package / "train.py").write_text(app)
            self.rates = package / "rates.py"
        elif self.way != "notebook":
            (self.folder / "train.py").write_text(app)
        if self.way == "chdir":
            (self.folder / "inside").mkdir()
            (self.folder / "inside" / "kept").touch()
        if self.way == "launcher":
            (self.folder / "lookalike_torchrun.py").write_text(LOOKALIKE_TORCHRUN)
        if self.way == "shell":
            (self.folder / "train.sh").write_text(f'{sys.executable} train.py "$@"\n')
        if self.way == "submodule":
            origin = self.folder.parent / "library"
            origin.mkdir()
            git(origin, "init", "-q")
            (origin / "rates.py").write_text("RATE = 1\n")
            git(origin, "add", ".")
            git(origin, "commit", "-q", "-m", "first")
            git(self.folder, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(origin), "library")
            self.rates = self.folder / "library" / "rates.py"
        self.rates.write_text("RATE = 1\n")
        if self.way == "console":
            self._make_environment()

    def _make_environment(self) -> None:
        """Make an environment inside the project, as uv and poetry do, with the package in editable mode."""
        environment = self.folder / ".venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
        (packages,) = environment.glob("lib/python*/site-packages")
        ours = [path for path in sys.path if path.endswith("site-packages")]
        root = Path(__file__).parents[2]
        (packages / "paths.pth").write_text("\n".join([str(self.folder), str(root), *ours]) + "\n")
        info = packages / "lemonapp-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lemonapp\nVersion: 1.0\n")
        source = {"url": self.folder.as_uri(), "dir_info": {"editable": True}}
        (info / "direct_url.json").write_text(json.dumps(source))
        (environment / "bin" / "train").write_text("#!python\nimport lemonapp.train\n")

    def set_library(self, version: str) -> None:
        """Install a version of a package beside the others."""
        for info in self.site.glob("*.dist-info"):
            (info / "METADATA").unlink()
            info.rmdir()
        info = self.site / f"lemonlib-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: lemonlib\nVersion: {version}\n")
        (self.site / "lemonlib.py").write_text(f"VERSION = {version!r}\n")

    def command(self) -> list[str]:
        """Return the command line."""
        python = sys.executable
        return {
            "module": [python, "-m", "lemonapp.train"],
            "console": [".venv/bin/python", str(self.folder / ".venv" / "bin" / "train")],
            "shell": ["sh", "train.sh"],
            "notebook": [python, "-c", SHELL, json.dumps(["import os", self.app])],
            "launcher": [python, "-m", "lookalike_torchrun", "train.py"],
        }.get(self.way, [python, "train.py"])

    def record(self, changes: list[str]) -> None:
        """Run the app; what a change needs beforehand is done."""
        if "code" in changes and self.way != "submodule":  # of a submodule, only commits are restored
            self.rates.write_text("RATE = 2\n")
        variables = {**os.environ, "LR": "0.5", "DB_PASSWORD": "hunter", "PYTHONPATH": str(self.site)}
        variables["PYTHONDONTWRITEBYTECODE"] = "1"  # a rewritten file of the same second is imported
        if "seed" not in changes:
            variables["PYTHONHASHSEED"] = "0"
        if "secret" not in changes:
            del variables["DB_PASSWORD"]
        words = self.command()
        if "seed" in changes and self.way == "notebook":
            variables["SEEDED"] = "1"
        elif "seed" in changes:
            words.append("--seed")
        done = subprocess.run(words, cwd=self.folder, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def change(self, api: Api, changes: list[str]) -> None:
        """Change what the run used."""
        if "data" in changes:
            upload(api, self.folder.parent, "changed")
        if "local data" in changes:
            self.local.write_text("changed")
        if "code" in changes:
            self.rates.write_text("RATE = 3\n")
        if "package" in changes:
            self.set_library("2.0")
        if "env" in changes:
            os.environ["LR"] = "0.9"


def upload(api: Api, folder: Path, text: str) -> None:
    """Write the team file that the app reads."""
    local = folder / "upload.txt"
    local.write_text(text)
    api.file.upload(1, str(local), TEAM_FILE)


def judge(api: Api, folder: Path, way: str, changes: list[str]) -> tuple[Truth, str]:
    """Record a run, change things, reproduce it; return the verdict, and a description of the result."""
    project = Project(folder, way)
    upload(api, folder, "team")
    project.record(changes)
    project.change(api, changes)
    ref = api.file.get_info_by_path(1, OUTPUT)
    try:
        result = api.reproduce(f"file:{ref.id}", run=True, lock=str(folder / "lock"), no_env=True)
    finally:
        os.environ.pop("LR", None)
    causes = [cause.kind for cause in result.causes] if result.outputs == "different" else []
    truth = next((CHANGES[change] for change in changes if CHANGES[change].cause is not None), RESTORED)
    named = truth.cause if truth.cause in causes else None
    return Truth(str(result.outputs), str(result.inputs), named), f"{way}, {changes}: {result}"
