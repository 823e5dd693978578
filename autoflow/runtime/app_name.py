"""The default name of a run: the app's name, not that of the program which serves or runs it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence

from autoflow import settings

_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.()]*")  # as module:attribute
_MODULE = re.compile(r"[A-Za-z_][\w./-]*")


def app_name() -> str:
    """Return the app's name: the target of a known program, else the module or script, else ``python``."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    module = str(spec.name).removesuffix(".__main__") if spec is not None and spec.name else ""
    path = getattr(main, "__file__", None) or (sys.argv[0] if sys.argv else "")
    if os.path.basename(path) == "__main__.py":  # of a package; a spawned worker does not know its module
        path = os.path.dirname(path)
    program = module or os.path.splitext(os.path.basename(path))[0]
    read_target = _PROGRAMS.get(program.rpartition(".")[2])
    return (read_target and read_target(sys.argv[1:])) or program or "python"


def _server_target(arguments: Sequence[str]) -> str | None:
    """Return the ``module:attribute`` among a server's arguments, else its last positional one."""
    positional = _positional(arguments)
    targets = [word for word in positional if _TARGET.fullmatch(word)]
    targets += [word for word in arguments if _TARGET.fullmatch(word)]
    return next(iter(targets or [word for word in positional[-1:] if _MODULE.fullmatch(word)]), None)


def _positional(arguments: Sequence[str]) -> list[str]:
    """Return the arguments that are neither options nor follow one."""
    predecessors = ("", *arguments)
    return [
        word
        for previous, word in zip(predecessors, arguments, strict=False)
        if not word.startswith("-") and (not previous.startswith("-") or "=" in previous)
    ]


def _option(*options: str) -> Callable[[Sequence[str]], str | None]:
    """Return a reader of the app that an option names: ``-A proj``, ``-Aproj``, ``--app proj`` or ``--app=proj``."""

    def read(arguments: Sequence[str]) -> str | None:
        for index, word in enumerate(arguments):
            name, _, value = word.partition("=")
            if name in options:
                return value or next(iter(arguments[index + 1 :]), None)
            for option in options:
                if not option.startswith("--") and word.startswith(option):
                    return word[len(option) :]
        return None

    return read


def _script(arguments: Sequence[str]) -> str | None:
    """Return the name of the first script or module among the arguments."""
    scripts = [word for word in arguments if word.endswith(".py")] or _positional(arguments)[1:2]
    return next((os.path.splitext(os.path.basename(word))[0] for word in scripts), None)


def _notebook(_arguments: Sequence[str]) -> str | None:
    """Return the name of a kernel's notebook, from Jupyter or VS Code."""
    path = getattr(sys.modules.get("__main__"), "__vsc_ipynb_file__", None) or settings.notebook() or "notebook"
    return os.path.splitext(os.path.basename(str(path)))[0]


def _parent(_arguments: Sequence[str]) -> str | None:
    """Return the script of the process that spawned this one: spawned workers get its arguments."""
    return os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))[0]


_PROGRAMS: dict[str, Callable[[Sequence[str]], str | None]] = {
    **dict.fromkeys(("uvicorn", "gunicorn", "hypercorn", "daphne", "granian", "waitress-serve"), _server_target),
    **dict.fromkeys(("celery", "flask"), _option("-A", "--app")),
    **dict.fromkeys(("fastapi", "streamlit", "torchrun"), _script),
    "popen_loky_posix": _parent,
    **dict.fromkeys(("ipykernel_launcher", "ipykernel", "colab_kernel_launcher"), _notebook),
}
