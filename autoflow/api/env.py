"""``sly.env``: the ids and names that an instance passes to an app in its environment.

Each function raises `KeyError`, which names the variables, if none of them is set; with ``raise_not_found=False`` it
returns None. Functions of the SDK's module that are missing here raise `AttributeError` by their name.
"""

from __future__ import annotations

from typing import TypeVar

from autoflow import settings
from autoflow.api.missing_names import missing_name

T = TypeVar("T")


def _required(value: T | None, name: str, variables: str, raise_not_found: bool) -> T | None:
    if value is None and raise_not_found:
        raise KeyError(f"{name} is not defined: set one of the environment variables {variables} to a valid value")
    return value


def team_id(raise_not_found: bool = True) -> int | None:
    """Return the id of the team that the app was started in."""
    return _required(settings.team(), "team_id", "CONTEXT_TEAMID, context.teamId, TEAM_ID", raise_not_found)


def workspace_id(raise_not_found: bool = True) -> int | None:
    """Return the id of the workspace that the app was started in."""
    variables = "CONTEXT_WORKSPACEID, context.workspaceId, WORKSPACE_ID"
    return _required(settings.workspace(), "workspace_id", variables, raise_not_found)


def project_id(raise_not_found: bool = True) -> int | None:
    """Return the id of the project that the app was started on."""
    variables = "CONTEXT_PROJECTID, context.projectId, modal.state.slyProjectId, PROJECT_ID"
    return _required(settings.project(), "project_id", variables, raise_not_found)


def dataset_id(raise_not_found: bool = True) -> int | None:
    """Return the id of the dataset that the app was started on."""
    variables = "CONTEXT_DATASETID, context.datasetId, modal.state.slyDatasetId, DATASET_ID"
    return _required(settings.dataset(), "dataset_id", variables, raise_not_found)


def task_id(raise_not_found: bool = True) -> int | None:
    """Return the id of the app's task."""
    return _required(settings.task(), "task_id", "SUPERVISELY_TASK_ID, TASK_ID", raise_not_found)


def user_id(raise_not_found: bool = True) -> int | None:
    """Return the id of the user who started the app."""
    return _required(settings.user(), "user_id", "CONTEXT_USERID, context.userId, USER_ID", raise_not_found)


def user_login(raise_not_found: bool = True) -> str | None:
    """Return the login of the user who started the app."""
    variables = "CONTEXT_USERLOGIN, context.userLogin, USER_LOGIN"
    return _required(settings.user_login(), "user_login", variables, raise_not_found)


def app_name(raise_not_found: bool = True) -> str | None:
    """Return the app's name."""
    return _required(settings.app_name(), "app_name", "APP_NAME", raise_not_found)


def team_files_folder(raise_not_found: bool = True) -> str | None:
    """Return the folder in Team Files that the app was started on."""
    variables = "CONTEXT_SLYFOLDER, context.slyFolder, modal.state.slyFolder, FOLDER"
    return _required(settings.team_files_folder(), "team_files_folder", variables, raise_not_found)


def team_files_file(raise_not_found: bool = True) -> str | None:
    """Return the path in Team Files of the file that the app was started on."""
    variables = "CONTEXT_SLYFILE, context.slyFile, modal.state.slyFile, FILE"
    return _required(settings.team_files_file(), "team_files_file", variables, raise_not_found)


folder = team_files_folder
file = team_files_file


def server_address(raise_not_found: bool = True) -> str | None:
    """Return the address of the instance."""
    return _required(settings.instance(), "server_address", "SERVER_ADDRESS", raise_not_found)


def api_token(raise_not_found: bool = True) -> str | None:
    """Return the token for the instance."""
    return _required(settings.instance_token(), "api_token", "API_TOKEN", raise_not_found)


def agent_id(raise_not_found: bool = True) -> int | None:
    """Return the id of the agent that runs the app."""
    return _required(settings.agent(), "agent_id", "AGENT_ID", raise_not_found)


def __getattr__(name: str) -> None:
    raise missing_name("autoflow.env", name, f"sly.env.{name}")
