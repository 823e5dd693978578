"""``autoflow watch python train.py``: run a program as an observed run, without a change of its code."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Sequence

_PYTHON = re.compile(r"python[\d.]*")
_WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})
_TARGETS = frozenset({"-m", "-c"})


def watch(args: argparse.Namespace) -> int:
    """Replace this process by the program, so that signals reach it and its exit code is that of the command.

    Raises:
        ValueError: the command is not that of a Python program.
    """
    interpreter, options, program = split_command(args.program)
    path = shutil.which(interpreter)
    if path is None:
        raise ValueError(f"{interpreter} is not a program on the PATH")
    environment = {**os.environ, "AUTOFLOW_OBSERVE": "1"}
    sys.stdout.flush()
    os.execve(path, [path, *options, "-m", "autoflow.cli.watched", *program], environment)  # noqa: S606 - the user's command
    return 1


def split_command(command: Sequence[str]) -> tuple[str, list[str], list[str]]:
    """Return the interpreter of a command, the interpreter's options, and the script or module with its arguments.

    Raises:
        ValueError: it is not the command of a Python program.
    """
    words = list(command[1:] if command[:1] == ["--"] else command)
    interpreter = sys.executable
    if words and _PYTHON.fullmatch(os.path.basename(words[0])):
        interpreter = words.pop(0)
    elif not (words and words[0].endswith(".py")):
        raise ValueError(
            "autoflow watch runs a Python program: write autoflow watch python train.py, python -m MODULE, "
            'or python "$(which SCRIPT)" for an installed script'
        )
    options: list[str] = []
    while words and words[0].startswith("-") and words[0] not in _TARGETS:
        options.append(words.pop(0))
        if options[-1] in _WITH_VALUE and words:
            options.append(words.pop(0))
    if not words or (words[0] in _TARGETS and len(words) == 1):
        raise ValueError("autoflow watch needs a script, -m MODULE or -c CODE after python")
    return interpreter, options, words
