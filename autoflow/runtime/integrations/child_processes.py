"""Child processes: a child of `multiprocessing`, `subprocess` or `os.posix_spawn` belongs to the run that started it.

That holds with several open runs too, and for children of a fork server. The runs that a program leaves open end when
it is reaped.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from autoflow.guard import guard
from autoflow.runtime.context import join, text_for_child
from autoflow.runtime.integrations import patching, reaping
from autoflow.runtime.run import VARIABLE

_ATTRIBUTE = "_autoflow_run"
_ENV = 11  # the position of `env` among the arguments of `Popen.__init__`, self included


def install_multiprocessing(process: Any) -> None:
    """Have `start` pickle the run with the process object."""
    patching.wrap(process.BaseProcess, "start", _start_process)


def install_subprocess(subprocess: Any) -> None:
    """Name the run in the environment of each child."""
    patching.wrap(subprocess.Popen, "__init__", _popen)
    patching.wrap(subprocess.Popen, "send_signal", reaping.send_signal)
    patching.wrap(subprocess.Popen, "_handle_exitstatus", reaping.poll)
    for name in ("posix_spawn", "posix_spawnp"):
        if name in vars(os):
            patching.wrap(os, name, _posix_spawn)
            setattr(sys.modules[os.name], name, getattr(os, name))  # pickles refer to it there


class _Membership:
    """Attribute of a process object while it is pickled; unpickling it joins the run, in the child."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    def __reduce__(self) -> Any:
        return join, (self._text,)


def _start_process(original: Any, process: Any, *args: Any, **kwargs: Any) -> Any:
    with guard:
        vars(process)[_ATTRIBUTE] = _Membership(text_for_child(None))
    try:
        return original(process, *args, **kwargs)
    finally:
        vars(process).pop(_ATTRIBUTE, None)


def _popen(original: Any, *args: Any, **kwargs: Any) -> Any:
    with guard:
        if len(args) > _ENV:
            args = (*args[:_ENV], _environment(args[_ENV]), *args[_ENV + 1 :])
        elif (env := _environment(kwargs.get("env"))) is not None:
            kwargs["env"] = env
    return original(*args, **kwargs)


def _posix_spawn(original: Any, path: Any, argv: Any, env: Any, *args: Any, **kwargs: Any) -> Any:
    with guard:
        env = _environment(env)
    return original(path, argv, env, *args, **kwargs)


def _environment(env: Mapping[Any, Any] | None) -> Any:
    """Return the environment for a child: the app's own object when nothing changes in it."""
    base: Mapping[Any, Any] = os.environ if env is None else env
    key: Any = VARIABLE.encode() if isinstance(env, dict) and VARIABLE.encode() in env else VARIABLE
    before = os.fsdecode(base[key]) if key in base else None
    text = text_for_child(before)
    if text == before:
        return env
    changed = {name: value for name, value in base.items() if name != key}
    if text is not None:
        changed[VARIABLE] = text
    return changed
