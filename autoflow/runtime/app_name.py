"""The name of a run that nobody named: the app's, not that of the program which serves or runs it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence

from autoflow import settings

_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.()]*")  # as module:attribute
_MODULE = re.compile(r"[A-Za-z_][\w./-]*")


def app_name() -> str:
    """The app's name: what a known program was told to run, else the module or script, else ``python``."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    module = str(spec.name).removesuffix(".__main__") if spec is not None and spec.name else ""
    path = getattr(main, "__file__", None) or (sys.argv[0] if sys.argv else "")
    if os.path.basename(path) == "__main__.py":  # of a package; a spawned worker knows its module no more
        path = os.path.dirname(path)
    program = module or os.path.splitext(os.path.basename(path))[0]
    named = _PROGRAMS.get(program.rpartition(".")[2])
    return (named and named(sys.argv[1:])) or program or "python"


def _served(arguments: Sequence[str]) -> str | None:
    """The ``module:attribute`` among a server's arguments, else its last plain one."""
    plain = _plain(arguments)
    targets = [word for word in plain if _TARGET.fullmatch(word)]
    targets += [word for word in arguments if _TARGET.fullmatch(word)]
    return next(iter(targets or [word for word in plain[-1:] if _MODULE.fullmatch(word)]), None)


def _plain(arguments: Sequence[str]) -> list[str]:
    """The arguments that are no options and follow none."""
    before = ("", *arguments)
    return [
        word
        for previous, word in zip(before, arguments, strict=False)
        if not word.startswith("-") and (not previous.startswith("-") or "=" in previous)
    ]


def _option(*options: str) -> Callable[[Sequence[str]], str | None]:
    """A reader of the app that an option names, as ``-A proj``, ``-Aproj``, ``--app proj`` or ``--app=proj``."""

    def read(arguments: Sequence[str]) -> str | None:
        for number, word in enumerate(arguments):
            name, _, value = word.partition("=")
            if name in options:
                return value or next(iter(arguments[number + 1 :]), None)
            for option in options:
                if not option.startswith("--") and word.startswith(option):
                    return word[len(option) :]
        return None

    return read


def _script(arguments: Sequence[str]) -> str | None:
    """The name of the first script or module among the arguments."""
    scripts = [word for word in arguments if word.endswith(".py")] or _plain(arguments)[1:2]
    return next((os.path.splitext(os.path.basename(word))[0] for word in scripts), None)


def _notebook(_arguments: Sequence[str]) -> str | None:
    """The name of a kernel's notebook, as Jupyter and VS Code tell it."""
    path = getattr(sys.modules.get("__main__"), "__vsc_ipynb_file__", None) or settings.notebook() or "notebook"
    return os.path.splitext(os.path.basename(str(path)))[0]


def _parent(_arguments: Sequence[str]) -> str | None:
    """The script of the process that spawned this one: spawned workers get its arguments."""
    return os.path.splitext(os.path.basename(sys.argv[0] if sys.argv else ""))[0]


_PROGRAMS: dict[str, Callable[[Sequence[str]], str | None]] = {
    **dict.fromkeys(("uvicorn", "gunicorn", "hypercorn", "daphne", "granian", "waitress-serve"), _served),
    **dict.fromkeys(("celery", "flask"), _option("-A", "--app")),
    **dict.fromkeys(("fastapi", "streamlit", "torchrun"), _script),
    "popen_loky_posix": _parent,
    **dict.fromkeys(("ipykernel_launcher", "ipykernel", "colab_kernel_launcher"), _notebook),
}
