"""Environment variables that a reproduction may set: those that only the program itself reads."""

from __future__ import annotations

import re
from collections.abc import Mapping

# Variables that choose what is executed or loaded, where connections go, or what autoflow and git do.
_REFUSED = re.compile(
    r"(LD_|DYLD_|GIT_|AUTOFLOW_|PYTHON|BASH|PIP_|UV_|SSL_|NODE_|JAVA_|PERL|RUBY|XDG_).*|.*_PROXY|PATH|.*_PATH|HOME|"
    r"SHELL|ENV|IFS|PS\d|PROMPT_COMMAND|TMPDIR|TEMP|TMP|VIRTUAL_ENV|CONDA_.*|USER|LOGNAME|EDITOR|PAGER|VISUAL|"
    r"SERVER_ADDRESS|API_TOKEN|.*(TOKEN|SECRET|PASSWORD|CREDENTIAL).*",
    re.IGNORECASE,
)
# Variables by which torchrun, and launchers like it, tell a process its part in a distributed run.
LAUNCHED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT")
_LAUNCHED = re.compile(rf"{'|'.join(LAUNCHED)}|(GROUP|ROLE)_(NAME|RANK|WORLD_SIZE)|TORCHELASTIC_.*|TORCH_NCCL_.*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")


def is_settable(name: str) -> bool:
    """Return whether a recorded variable of this name is set again in a reproduction."""
    return _NAME.fullmatch(name) is not None and _REFUSED.fullmatch(name) is None


def without_launched(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that no launcher sets for each of its processes."""
    return {name: value for name, value in environment.items() if _LAUNCHED.fullmatch(name) is None}
