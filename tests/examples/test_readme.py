"""Verification of the README: its code, its commands and its links."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.core

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ROOT = Path(__file__).parents[2]
OTHER_PROJECT = re.compile(r"""pip install (?:-\S+ )*["'`]?autoflow(?![-\w./])|["'`]autoflow\[[a-z]""")


@pytest.fixture
def run(tmp_path):
    """Run Python with an empty home and no settings."""
    outside = ("AUTOFLOW_", "SERVER_ADDRESS", "API_TOKEN", "ENV", "TASK_ID", "SUPERVISELY_", "PYTEST_", "XDG_")

    def run(*arguments, **more):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**environment, "HOME": str(tmp_path), "AUTOFLOW_HOME": str(tmp_path / "home"), **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done

    return run


def test_the_example_prints_the_documented_graph(run, tmp_path):
    """After two runs `autoflow graph` prints the README's tree, and no record is lost or dead."""
    pytest.importorskip("sqlalchemy", reason="the server needs autoflow-lineage[server]")
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tree,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    (tmp_path / "lemons.py").write_text(block)
    assert run("lemons.py").stderr == ""
    assert tree in run("-m", "autoflow", "graph").stdout
    run("lemons.py")
    counts = json.loads(run("-m", "autoflow", "outbox", "status", "--json").stdout)
    assert counts["recorded"] == counts["sent"] > 0
    assert "Train lemons \u00d72  finished" in run("-m", "autoflow", "graph").stdout


def test_an_empty_graph_prints_instructions(run):
    """Without any run the message says how to record one, and where the runs of the demo are."""
    pytest.importorskip("sqlalchemy", reason="the server needs autoflow-lineage[server]")
    done = run("-m", "autoflow", "graph")
    assert "0 runs, 0 data cards" in done.stdout
    assert 'autoflow.workflow("Train")' in done.stderr
    assert "AUTOFLOW_HOME=.demo autoflow graph" in done.stderr


CORE = """
import importlib.abc, logging, sys
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"sqlalchemy", "alembic", "starlette"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
import autoflow
for number in range(3):
    with autoflow.workflow("Core") as run:
        run.output("folder", f"/lemons/{number}")
    assert not autoflow.flush()
"""


def test_a_core_installation_logs_once_that_records_are_pending(run):
    """One INFO line names the packages to install, and the records are in the outbox."""
    done = run("-c", CORE)
    lines = [line for line in done.stderr.splitlines() if "pip install" in line]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("INFO ")
    assert 'pip install "autoflow-lineage[server]"' in lines[0]
    assert "wait" in lines[0]


def test_every_installation_names_the_distribution():
    """`pip install autoflow` installs another project, so all documents name `autoflow-lineage`."""
    wrong = []
    for folder in ("autoflow", "docs", "examples", "tests", "."):
        files = (ROOT / folder).glob("*" if folder == "." else "**/*")
        for file in files:
            if file.suffix in {".py", ".md", ".toml", ".js"} and file != Path(__file__):
                text = file.read_text(encoding="utf-8")
                wrong += [f"{file.name}: {line}" for line in text.splitlines() if OTHER_PROJECT.search(line)]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(set(re.findall(r"(?:docs|examples)/[\w./]*\w|CHANGELOG\.md", README))))
def test_named_files_exist(name):
    """All files and folders that the README names exist."""
    assert (ROOT / name).exists()


def test_named_make_targets_exist():
    """`make demo`, `make test` and the others are targets."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {word for line in re.findall(r"make ((?:[a-z]+ ?)+)", README) for word in line.split()}
    named &= {"demo", "test", "lint", "types", "bench", "soak", "clean"}
    assert named
    assert {target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)} == set()
