"""The files that a run opened: recorded with their content where observing is on, and never in the app's way."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest

from autoflow.runtime import code_state, observation

pytestmark = pytest.mark.core

OPENS = """
import os, sys, tempfile, threading
import autoflow

@autoflow.workflow_input("file")
def load(path):
    return open(path).read()

open("before.csv").close()
with autoflow.workflow("Train", observe=True) as run:
    import local_module, colorsys
    load("data/declared.csv")
    os.chdir("data")
    open("train.csv").read()
    with open("model.tmp", "w") as file:
        file.write("weights")
    os.replace("model.tmp", "../model.bin")
    open("../model.bin").read()
    with open("changed.csv") as file:
        file.read()
    open("changed.csv", "a").write("more")
    thread = threading.Thread(target=lambda: open(b"thread.csv").read())
    thread.start()
    thread.join()
    with tempfile.NamedTemporaryFile() as scratch:
        open(scratch.name).read()
    os.makedirs(".cache")
    open(".cache/x", "w").close()
    try:
        open("absent.csv")
    except FileNotFoundError:
        pass
    os.listdir(".")
open("train.csv.after", "w").close()
autoflow.flush(10)
"""


def observed(script):
    """Return the facts of opened files by path, and the fact about all of them."""
    facts = {}
    for record in script.records():
        if record["type"] == "facts":
            facts.update(record["facts"])
    prefix = f"observed.{script.folder.resolve()}/"
    names = [name for name in facts if name.startswith("observed.")]
    return {name.removeprefix(prefix): facts[name] for name in names}, facts.get("observed")


def test_files_that_a_run_opened_are_recorded(script):
    """Read and written ones with size and hash; not code, caches, temporary files, nor what a decorator declared."""
    (script.folder / "data").mkdir()
    (script.folder / "local_module.py").write_text("x = 1")
    for name in ("train.csv", "declared.csv", "changed.csv", "thread.csv", "../before.csv"):
        (script.folder / "data" / name).write_text(name)
    script(OPENS, TMPDIR="/dev/shm" if sys.platform == "linux" else None)
    files, count = observed(script)
    train = {"read": True, "size": 9, "sha256": hashlib.sha256(b"train.csv").hexdigest()}
    model = {"written": True, "size": 7, "sha256": hashlib.sha256(b"weights").hexdigest()}
    assert files.pop("data/train.csv") == train
    assert files.pop("model.bin") == model
    assert files.pop("data/thread.csv")["read"]
    changed = files.pop("data/changed.csv")
    assert (changed["read"], changed["written"], changed["size"]) == (True, True, 15)
    assert files == {}
    assert count == {"files": 4, "more": False}


def test_the_environment_turns_observing_on(script):
    """``AUTOFLOW_OBSERVE=1`` observes every run."""
    (script.folder / "a.csv").touch()
    script(
        "import autoflow\nwith autoflow.workflow('x'):\n    open('a.csv').close()\nautoflow.flush(10)\n",
        AUTOFLOW_OBSERVE="1",
    )
    assert list(observed(script)[0]) == ["a.csv"]


@pytest.mark.parametrize(("option", "variable"), [("False", "1"), ("None", "0")])
def test_observing_is_off_by_default(script, option, variable):
    """No hook is installed then, and no fact recorded."""
    script(
        "import autoflow\n"
        f"with autoflow.workflow('x', observe={option}):\n"
        "    open(__file__).close()\n"
        "from autoflow.runtime import observation\n"
        "assert not observation._installed\n"
        "autoflow.flush(10)\n",
        AUTOFLOW_OBSERVE=variable,
    )
    assert observed(script) == ({}, None)


def test_files_belong_to_the_run_of_their_context(script):
    """An inner run has its own; a file that another run's code opens is not the outer one's."""
    for name in ("outer.csv", "inner.csv"):
        (script.folder / name).touch()
    script(
        "import autoflow\n"
        "with autoflow.workflow('outer', observe=True):\n"
        "    open('outer.csv').close()\n"
        "    with autoflow.workflow('inner', observe=True):\n"
        "        open('inner.csv').close()\n"
        "autoflow.flush(10)\n"
    )
    records = script.records()
    names = {record["run"]: record["name"] for record in records if record["type"] == "run"}
    pairs = {
        (names[record["run"]], name.rsplit("/", 1)[1])
        for record in records
        if record["type"] == "facts"
        for name in record["facts"]
        if name.startswith("observed.")
    }
    assert pairs == {("outer", "outer.csv"), ("inner", "inner.csv")}


def test_the_number_of_paths_is_bounded(monkeypatch):
    """More are counted as more."""
    monkeypatch.setattr(observation, "MAX_OPENED", 2)
    opened = observation.Observation()
    for path in ("/a", "/b", "/a", "/c"):
        opened.add(path, False)
    assert [path for path, _ in opened.opened] == ["/a", "/b"]
    assert opened.incomplete


@pytest.mark.parametrize(("images", "stored"), [(0, ["rates.txt"]), (20, [])])
def test_small_files_outside_of_git_that_a_run_read_are_stored_with_its_code(script, images, stored):
    """With their content, whatever they are called; not one that it wrote itself, a large one, or a data set."""
    for line in ("init -q", "-c user.name=n -c user.email=e@x commit -q --allow-empty -m first"):
        subprocess.run(["git", "-C", script.folder, *line.split()], check=True)
    (script.folder / "rates.txt").write_text("0.5")
    images = [f"{number}.png" for number in range(images)]
    for name in images:
        (script.folder / name).touch()
    (script.folder / "large.bin").write_bytes(bytes(code_state.MAX_FILE + 1))
    script(
        "import autoflow\n"
        "with autoflow.workflow('x', observe=True):\n"
        f"    for path in {['rates.txt', 'large.bin', *images]}:\n"
        "        open(path, 'rb').close()\n"
        "    open('out.txt', 'w').close()\n"
        "autoflow.flush(10)\n"
    )
    late = [record["facts"]["late"] for record in script.records() if "late" in record.get("facts", {})]
    files = [file for facts in late for file in facts["untracked"]]
    assert [file["path"] for file in files] == stored
    assert all(file["used"] and file["content"] for file in files)
