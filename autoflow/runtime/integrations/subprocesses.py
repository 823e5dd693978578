"""`subprocess.Popen` and `os.posix_spawn`: a child belongs to the run that started it, also one of several; what it
left open ends when it is reaped.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from autoflow.guard import guard
from autoflow.runtime.context import text_for_child
from autoflow.runtime.integrations import patching, reaping
from autoflow.runtime.run import VARIABLE

_ENV = 11  # the position of `env` among the arguments of `Popen.__init__`, self included


def install(subprocess: Any) -> None:
    """Give each child the environment of the run that starts it."""
    patching.around(subprocess.Popen, "__init__", _popen)
    patching.around(subprocess.Popen, "send_signal", reaping.signalled)
    patching.around(subprocess.Popen, "_handle_exitstatus", reaping.reaped)
    for name in ("posix_spawn", "posix_spawnp"):
        if name in vars(os):
            patching.around(os, name, _posix_spawn)
            setattr(sys.modules[os.name], name, getattr(os, name))  # pickles find it there


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
    """The environment for a child: the app's own object where nothing is to be changed in it."""
    inherits: Mapping[Any, Any] = os.environ if env is None else env
    key: Any = VARIABLE.encode() if isinstance(env, dict) and VARIABLE.encode() in env else VARIABLE
    before = os.fsdecode(inherits[key]) if key in inherits else None
    text = text_for_child(before)
    if text == before:
        return env
    changed = {name: value for name, value in inherits.items() if name != key}
    if text is not None:
        changed[VARIABLE] = text
    return changed
