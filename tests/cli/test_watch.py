"""``autoflow watch``: a program without a line of autoflow is recorded, and behaves as it would without."""

from __future__ import annotations

import subprocess
import sys

import pytest

from autoflow.cli.watch import split_command

TRAIN = """
import os, sys
from pathlib import Path

def load(path):
    with open(path) as file:
        return file.read()

def save(model, path):
    scratch = f"{path}.tmp"
    with open(scratch, "w") as file:
        file.write(model)
    os.replace(scratch, path)

if __name__ == "__main__":
    with open("config.yaml") as file:
        file.read()
    save(load("data/train.csv"), Path("model.bin"))
    print(sys.argv[1:])
"""

PROGRAMS = {
    "script": ["app.py", "--sort", "-x"],
    "module": ["-m", "pkg", "a"],
    "exception": ["-W", "error", "-c", "import sys; print(sys.argv, repr(sys.path[0]), __name__); 1 / 0", "b"],
    "signal": ["-c", "import os, signal; print(1, flush=True); os.kill(os.getpid(), signal.SIGTERM)"],
}


def run(folder, *command):
    return subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_watched_program_is_recorded_and_its_decorators_are_printed(tmp_path, monkeypatch, command):
    """The trace names what it opened; a function that has the path as an argument gets a decorator."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").touch()
    (tmp_path / "config.yaml").touch()
    (tmp_path / "train.py").write_text(TRAIN)
    process = run(tmp_path, "-m", "autoflow", "watch", sys.executable, "train.py", "--sort", "-x")
    assert (process.returncode, process.stdout) == (0, "['--sort', '-x']\n")
    assert process.stderr.splitlines() == [
        "autoflow watch: task:1 read 2 and wrote 1 files that it did not declare",
        "",
        "train.py:5  # data/train.csv",
        '    @workflow_input("file", value="path")',
        "    def load(…):",
        "",
        "train.py:9  # model.bin",
        '    @workflow_output("file", value="path")',
        "    def save(…):",
        "",
        'inside of `with workflow("…") as run:`, as no function has their paths as an argument',
        '    run.input("file", "config.yaml")',
    ]
    code, text, errors = command("trace", "task:1")
    assert code == 0, errors
    assert "train  task:1  finished" in text
    assert "read and not declared: config.yaml, data/train.csv\n" in text
    assert "wrote and not declared: model.bin\n" in text


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_watched_program_behaves_as_without(tmp_path, monkeypatch, name):
    """Arguments, names, import path, output and exit code, also of a signal."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "off")
    (tmp_path / "app.py").write_text("import sys\nprint(sys.argv, sys.path[0], __name__, __file__)\nsys.exit(3)\n")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").touch()
    (tmp_path / "pkg" / "__main__.py").write_text("import sys\nprint(sys.argv, __name__, __package__, __file__)\n")
    plain = run(tmp_path, *PROGRAMS[name])
    watched = run(tmp_path, "-m", "autoflow", "watch", sys.executable, *PROGRAMS[name])
    assert watched.stdout == plain.stdout
    assert watched.returncode == plain.returncode


@pytest.mark.parametrize(
    ("line", "interpreter", "options", "program"),
    [
        ("python train.py --lr 1", "python", [], ["train.py", "--lr", "1"]),
        ("-- /venv/bin/python3.12 -u -X dev -m pkg", "/venv/bin/python3.12", ["-u", "-X", "dev"], ["-m", "pkg"]),
        ("train.py -v", sys.executable, [], ["train.py", "-v"]),
    ],
)
def test_commands_of_python_programs_are_understood(line, interpreter, options, program):
    """Options of the interpreter are kept apart from those of the program."""
    assert split_command(line.split()) == (interpreter, options, program)


@pytest.mark.parametrize("line", ["", "ls", "python", "python -m", "python -u"])
def test_other_commands_are_refused_with_the_remedy(line, command):
    """The message says what to write."""
    code, _, errors = command("watch", *line.split())
    assert code == 1
    assert "autoflow watch" in errors
