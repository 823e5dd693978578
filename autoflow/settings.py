"""The environment variables that autoflow reads, one function each; read at each call, so that changes take effect.

Booleans are true for ``1 true yes on`` in any case. An empty variable counts as unset.
"""

from __future__ import annotations

import os


def _text(*names: str) -> str | None:
    for name in names:
        value = os.environ.get(name)
        if value and value.strip():
            return value.strip()
    return None


def _number(*names: str) -> int | None:
    value = _text(*names)
    return int(value) if value is not None and value.isdecimal() else None


def _flag(name: str, default: bool) -> bool:
    value = _text(name)
    return default if value is None else value.lower() in {"1", "true", "yes", "on"}


def server() -> str | None:
    """``AUTOFLOW_SERVER``: where records go: a url, ``embedded``, ``memory`` or ``off``."""
    return _text("AUTOFLOW_SERVER")


def token() -> str | None:
    """``AUTOFLOW_TOKEN``: the token for that server."""
    return _text("AUTOFLOW_TOKEN")


def home() -> str | None:
    """``AUTOFLOW_HOME``: the folder of the outbox and of the embedded server (default: the XDG state folder)."""
    return _text("AUTOFLOW_HOME")


def store() -> str | None:
    """``AUTOFLOW_STORE``: the folder of the embedded server beside another home; set by `autoflow reproduce`."""
    return _text("AUTOFLOW_STORE")


def state_folders() -> list[str]:
    """The folders tried in turn when ``AUTOFLOW_HOME`` is unset: ``XDG_STATE_HOME``, then ``HOME``/.local/state."""
    folders = []
    if (xdg := _text("XDG_STATE_HOME")) is not None and os.path.isabs(xdg):
        folders.append(xdg)
    if (user := _text("HOME")) is not None and os.path.isabs(user):
        folders.append(os.path.join(user, ".local", "state"))
    return folders


def run() -> str | None:
    """``AUTOFLOW_RUN``: the run a child process joins; set by `workflow`, not by hand."""
    return _text("AUTOFLOW_RUN")


def propagate() -> bool:
    """``AUTOFLOW_PROPAGATE``: whether threads, pools and child processes carry the run by themselves (default yes)."""
    return _flag("AUTOFLOW_PROPAGATE", default=True)


def observe() -> bool:
    """``AUTOFLOW_OBSERVE``: whether runs record the files they open (default no); see ``workflow(observe=...)``."""
    return _flag("AUTOFLOW_OBSERVE", default=False)


def notebook() -> str | None:
    """``JPY_SESSION_NAME``: the path of the notebook that a Jupyter server started this kernel for."""
    return _text("JPY_SESSION_NAME")


def memory() -> tuple[int, str] | None:
    """``AUTOFLOW_MEMORY``: a test's process and the folder for its children's records (``pid:folder``).

    Set by `autoflow.testing`, not by hand.
    """
    pid, _, folder = (_text("AUTOFLOW_MEMORY") or "").partition(":")
    return (int(pid), folder) if pid.isdecimal() and folder else None


def reproduces() -> str | None:
    """``AUTOFLOW_REPRODUCES``: the task this process repeats and which attempt it is; set by `autoflow reproduce`."""
    return _text("AUTOFLOW_REPRODUCES")


def strict() -> bool:
    """``AUTOFLOW_STRICT``: raise autoflow's own errors instead of swallowing them."""
    return _flag("AUTOFLOW_STRICT", default=False)


def durability() -> str:
    """``AUTOFLOW_DURABILITY``: ``process`` (default), ``interval`` (a sync each second) or ``sync`` (each record)."""
    value = (_text("AUTOFLOW_DURABILITY") or "process").lower()
    return value if value in {"process", "interval", "sync"} else "process"


def exit_flush() -> bool:
    """``AUTOFLOW_EXIT_FLUSH``: whether the exit waits, at most 2 s, for records to be sent (default yes)."""
    return _flag("AUTOFLOW_EXIT_FLUSH", default=True)


_SERVE = "AUTOFLOW_SERVE_"


def serve_options() -> dict[str, str]:
    """``AUTOFLOW_SERVE_<OPTION>``: the options of `autoflow serve`, such as ``AUTOFLOW_SERVE_PORT``; by their names.

    ``AUTOFLOW_SERVE_CONFIG`` names the file with the others. An unknown name is an error of that command.
    """
    names = sorted(name for name in os.environ if name.startswith(_SERVE))
    texts = {name.removeprefix(_SERVE).lower(): _text(name) for name in names}
    return {name: text for name, text in texts.items() if text is not None}


def serve_variable(name: str) -> str:
    """Return the variable of an option of `autoflow serve`."""
    return _SERVE + name.upper()


def instance() -> str | None:
    """``SERVER_ADDRESS``: the Supervisely instance the app works with."""
    return _text("SERVER_ADDRESS")


def instance_token() -> str | None:
    """``API_TOKEN``: the token for that instance."""
    return _text("API_TOKEN")


def production() -> bool:
    """``ENV``: exactly ``production`` on an instance; everything else is development (the SDK's rule)."""
    return os.environ.get("ENV") == "production"


def task() -> int | None:
    """``SUPERVISELY_TASK_ID``, else ``TASK_ID``: the number the instance gave this run."""
    return _number("SUPERVISELY_TASK_ID", "TASK_ID")


def team() -> int | None:
    """``CONTEXT_TEAMID``, ``context.teamId`` or ``TEAM_ID``, in the SDK's order."""
    return _number("CONTEXT_TEAMID", "context.teamId", "TEAM_ID")


def workspace() -> int | None:
    """``CONTEXT_WORKSPACEID``, ``context.workspaceId`` or ``WORKSPACE_ID``, in the SDK's order."""
    return _number("CONTEXT_WORKSPACEID", "context.workspaceId", "WORKSPACE_ID")


def project() -> int | None:
    """``CONTEXT_PROJECTID``, ``context.projectId``, ``modal.state.slyProjectId`` or ``PROJECT_ID``, in that order."""
    return _number(
        "CONTEXT_PROJECTID", "context.projectId", "modal.state.slyProjectId", "PROJECT_ID", "modal.state.inputProjectId"
    )


def dataset() -> int | None:
    """``CONTEXT_DATASETID``, ``context.datasetId``, ``modal.state.slyDatasetId`` or ``DATASET_ID``, in that order."""
    return _number(
        "CONTEXT_DATASETID", "context.datasetId", "modal.state.slyDatasetId", "DATASET_ID", "modal.state.inputDatasetId"
    )


def user() -> int | None:
    """``CONTEXT_USERID``, ``context.userId`` or ``USER_ID``: the user who started the app."""
    return _number("CONTEXT_USERID", "context.userId", "USER_ID")


def user_login() -> str | None:
    """``CONTEXT_USERLOGIN``, ``context.userLogin`` or ``USER_LOGIN``: the login of that user."""
    return _text("CONTEXT_USERLOGIN", "context.userLogin", "USER_LOGIN")


def app_name() -> str | None:
    """``APP_NAME``: the name that the instance has for the app."""
    return _text("APP_NAME")


def team_files_folder() -> str | None:
    """``CONTEXT_SLYFOLDER`` and its siblings: the folder in Team Files that the app was started on."""
    return _text("CONTEXT_SLYFOLDER", "context.slyFolder", "modal.state.slyFolder", "FOLDER")


def team_files_file() -> str | None:
    """``CONTEXT_SLYFILE`` and its siblings: the file in Team Files that the app was started on."""
    return _text("CONTEXT_SLYFILE", "context.slyFile", "modal.state.slyFile", "FILE")


def agent() -> int | None:
    """``AGENT_ID``: the agent that runs the app."""
    return _number("AGENT_ID")


def debug_with_sly_net() -> bool:
    """``DEBUG_WITH_SLY_NET``: set while an app is debugged through the instance's network."""
    return "DEBUG_WITH_SLY_NET" in os.environ


def agent_folder() -> str | None:
    """``AUTOFLOW_AGENT_FOLDER``: a folder of the server's machine with a subfolder for each team, by its id, that apps
    read as ``agent://<team>/``; unset, the server offers none.
    """
    return _text("AUTOFLOW_AGENT_FOLDER")


def buckets() -> list[tuple[int, str]]:
    """``AUTOFLOW_BUCKETS``: buckets that apps of a team read as ``s3://bucket/…``, each as ``<team id>=<bucket>``,
    separated by spaces; what is written otherwise connects nothing.
    """
    entries = (entry.partition("=") for entry in (_text("AUTOFLOW_BUCKETS") or "").split())
    return [(int(team), bucket) for team, _, bucket in entries if team.isdecimal() and team.isascii() and bucket]
