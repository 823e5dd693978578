"""The environment of a run: variables, lock files, hardware, locale; gathered by the sender.

Variables are those of `VARIABLES`, those that the app names, and those that the process got beyond the shell that it
was started from. What is a secret by its name or its shape is masked; of the last group it is left out.
"""

from __future__ import annotations

import contextlib
import importlib
import locale
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from autoflow.model.run import CodeFile, Hardware, RunFacts
from autoflow.model.run_variables import is_settable
from autoflow.runtime import code_state, masking
from autoflow.runtime.secret_names import Secrecy, secrecy

MAX_VARIABLES = 100
LONGEST_VALUE = 1024
MAX_LOCK = 4 << 20  # bytes of a lock file
LOCK_FILES = ("uv.lock", "pylock.toml", "poetry.lock", "pixi.lock", "Pipfile.lock", "requirements.txt")

# set by shells, terminals and desktops, whatever is run in them
_SESSION = re.compile(
    r"_|PWD|OLDPWD|SHLVL|PS\d|TERM.*|COLORTERM|COLUMNS|LINES|SSH_.*|XDG_.*|DBUS_.*|DISPLAY|WAYLAND_.*|LS_COLORS|"
    r"LESS.*|PAGER|EDITOR|VISUAL|MAIL|LOGNAME|USER|TMUX.*|STY|GPG_.*|VSCODE_.*|HOSTNAME|KUBERNETES_.*|.*_SERVICE_.*|"
    r".*_PORT(_.*)?|PYTEST_.*|COV_.*|CONDA_(PROMPT_MODIFIER|SHLVL|EXE|PYTHON_EXE)|VIRTUAL_ENV.*|M(AKE)?FLAGS|MAKELEVEL|JPY_.*|UV|LANG|LC_.*"
)


def gather_variables(listed: Iterable[str], named: Iterable[str]) -> dict[str, str]:
    """Return environment variables, masked.

    Args:
        listed: names that are always recorded.
        named: names that the app asks for; a secret among them is recorded as a mask.
    """
    variables = {name: masking.text(os.environ[name]) for name in listed if name in os.environ}
    for name in named:
        if (value := os.environ.get(name)) is not None:
            variables[name] = masking.value({name: value})[name]
    before = _session_environment()
    for name, value in os.environ.items():
        if len(variables) >= MAX_VARIABLES:
            break
        if name not in variables and before.get(name) != value and _is_plain(name, value):
            variables[name] = value
    return variables


def gather_machine(root: str | None, pieces: code_state.Pieces) -> RunFacts:
    """Return hardware, locale and lock files, and add the pieces of the lock files' contents."""
    facts: RunFacts = {"hardware": _hardware(), "locale": _locale()}
    folders = dict.fromkeys(folder for folder in (root, os.getcwd()) if folder is not None)
    locks: list[CodeFile] = []
    for folder in folders:
        names = [name for name in LOCK_FILES if os.path.isfile(os.path.join(folder, name))]
        locks += code_state.describe(folder, names, names, pieces, limit=MAX_LOCK)
    if locks:
        facts["locks"] = list({lock["path"]: lock for lock in reversed(locks)}.values())
    return facts


def _is_plain(name: str, value: str) -> bool:
    """Return whether a variable may be recorded unasked."""
    if _SESSION.fullmatch(name) or len(value) > LONGEST_VALUE or not is_settable(name):
        return False
    return secrecy(name) is Secrecy.NEVER and masking.text(value) == value


def _session_environment() -> Mapping[str, str]:
    """Return the environment that this process's session was started with; empty where that cannot be read."""
    with contextlib.suppress(OSError, AttributeError):
        session = os.getsid(0)
        if session not in {0, os.getpid()}:
            with open(f"/proc/{session}/environ", "rb") as file:
                pairs = (os.fsdecode(entry).partition("=") for entry in file.read().split(b"\0") if entry)
                return {name: value for name, _, value in pairs}
    return {}


def _locale() -> dict[str, str]:
    with contextlib.suppress(ValueError, TypeError, locale.Error):
        return {"language": locale.setlocale(locale.LC_CTYPE), "encoding": locale.getpreferredencoding(False)}
    return {}


def _hardware() -> Hardware:
    hardware: Hardware = {
        "os": _operating_system(),
        "kernel": platform.release(),
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
    }
    torch = sys.modules.get("torch")
    with contextlib.suppress(Exception):  # a module that is still being imported, or another of that name
        if torch is not None:
            hardware["threads"] = int(torch.get_num_threads())
            hardware["cuda"] = str(torch.version.cuda or "")
    with contextlib.suppress(Exception):  # no library, no driver, or no permission
        hardware.update(_graphics())
    return hardware


def _graphics() -> Hardware:
    """Return the graphics cards and their driver; needs ``nvidia-ml-py``."""
    nvml: Any = importlib.import_module("pynvml")
    nvml.nvmlInit()
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
        names: list[Any] = [nvml.nvmlDeviceGetName(handle) for handle in handles]
        return {
            "gpus": [name.decode() if isinstance(name, bytes) else str(name) for name in names],
            "driver": str(nvml.nvmlSystemGetDriverVersion()),
        }
    finally:
        nvml.nvmlShutdown()


def _operating_system() -> str:
    with contextlib.suppress(OSError, AttributeError):
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return platform.platform(terse=True)


def _cpu() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
