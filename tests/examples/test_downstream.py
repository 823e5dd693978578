"""Verification of `docs/downstream.md`: its blocks are run in order, and its outputs compared."""

from __future__ import annotations

import contextlib
import doctest
import re
import runpy
import shlex
from pathlib import Path

import pytest

from autoflow.cli.main import main
from autoflow.process.os_user import user_at_host
from autoflow.runtime import destination
from tests.serving import serving

pytest.importorskip("PIL")

ADDRESS = "http://127.0.0.1:8765"
PAGE = (Path(__file__).parents[2] / "docs" / "downstream.md").read_text(encoding="utf-8")
_VARIABLE = {
    r"\d{1,2} \w{3} \d{4}, \d\d:\d\d": "TIME",
    r"\b\d+\.\d s\b": "DURATION",
    r"\b[0-9a-f]{12,64}\b": "DIGITS",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with two images, an embedded server, and no variables that a trace would print."""
    from PIL import Image

    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    monkeypatch.chdir(tmp_path)
    Path("lemons").mkdir()
    for name, color in (("lemon", (250, 220, 0)), ("lime", (0, 220, 0))):
        Image.new("RGB", (3, 2), color).save(f"lemons/{name}.png")
    return tmp_path


def uniform(text: str) -> str:
    """Return an output without what differs between two runs of the page."""
    text = text.replace(user_at_host(), "anna@laptop")
    for pattern, name in _VARIABLE.items():
        text = re.sub(pattern, name, text)
    return text


class Page:
    """The blocks of the page as they are run.

    Args:
        capsys, caplog: what a command prints and logs.
    """

    def __init__(self, capsys, caplog):
        self._capsys, self._caplog = capsys, caplog
        self._names: dict[str, object] = {}
        self._address = ADDRESS
        self._servers = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._servers.close()

    def execute(self, block):
        """Run a block of Python."""
        exec(block.replace(ADDRESS, self._address), self._names)

    def run(self, command):
        """Run a command, and return what it printed."""
        self._capsys.readouterr()
        self._caplog.clear()
        program, *arguments = shlex.split(command)
        if command == "autoflow serve":
            _, self._address, lines = self._servers.enter_context(serving())
            print(*lines, sep="\n")
        elif program == "python":
            runpy.run_path(*arguments)
        else:
            destination.reset()
            main(arguments)
        output = self._capsys.readouterr()
        return "".join([*(f"{message}\n" for message in self._caplog.messages), output.err, output.out])


def test_the_page_does_and_prints_what_it_says(folder, capsys, caplog):
    """By commands and in Python on the embedded server, and at last by requests to `autoflow serve`."""
    checker = doctest.OutputChecker()
    with Page(capsys, caplog) as page:
        for language, block in re.findall(r"```(python|console)\n(.*?)```", PAGE, re.DOTALL):
            if block.startswith("# train.py"):
                (folder / "train.py").write_text(block, encoding="utf-8")
            elif language == "python":
                page.execute(block)
            else:
                for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                    printed = uniform(page.run(command))
                    assert checker.check_output(uniform(expected), printed, doctest.ELLIPSIS), (command, printed)
