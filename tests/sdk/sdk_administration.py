"""Agents, users, modules of the ecosystem and activity by the SDK: functions of its Api that return plain values."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import supervisely as sly


def agent_files(api: sly.Api) -> dict[str, Any]:
    """Look for files of an agent's storage, and download one and a folder."""
    agent = api.agent.get_list_available(1)[0]
    root = f"agent://{agent.id}/"
    with tempfile.TemporaryDirectory() as folder:
        file, directory = os.path.join(folder, "a.txt"), os.path.join(folder, "in")
        api.file.download(1, root + "in/a.txt", file)
        api.file.download_directory(1, root + "in/", directory)
        with open(file) as stored:
            content = stored.read()
        downloaded = sorted(os.path.relpath(path, directory) for path in sly.fs.list_files_recursively(directory))
    return {
        "listed": sorted(info.path for info in api.file.list(1, root, return_type="fileinfo")),
        "exist": [api.file.exists(1, root + path) for path in ("in/a.txt", "in/b.txt", "out/a.txt")],
        "folders": [api.file.dir_exists(1, root + path) for path in ("in", "out")],
        "sizes": [api.file.get_info_by_path(1, root + "in/a.txt").sizeb, api.file.get_directory_size(1, root + "in/")],
        "content": content,
        "downloaded": downloaded,
    }


def people(api: sly.Api) -> dict[str, Any]:
    """Add a user, who becomes a member with a role, gets another role, and leaves."""
    roles = {role.role: role.id for role in api.role.get_list()}
    user = api.user.create("bob", "secret", name="Bob")
    api.user.add_to_team(user.id, 1, roles["viewer"])
    first = api.user.get_team_role(user.id, 1).role
    api.user.change_team_role(user.id, 1, roles["editor"])
    second = api.user.get_member_info_by_login(1, "bob").role
    api.user.remove_from_team(user.id, 1)
    return {
        "created": [user.login, user.name],
        "roles": [first, second],
        "left": [member.login for member in api.user.get_team_members(1)],
    }


def modules(api: sly.Api) -> dict[str, Any]:
    """Look up modules, and models that are deployed; what a team made, and buckets."""
    own = api.app.get_list_ecosystem_modules(search="train")
    viewer = api.app.get_ecosystem_module_id("supervisely-ecosystem/tensorboard-experiments-viewer")
    created = api.project.create(1, "made")
    return {
        "own": [module["name"] for module in own],
        "viewer": api.app.get_ecosystem_module_info(viewer).name,
        "sessions": api.app.get_sessions(1, own[0]["id"]) != [],
        "deployed": api.nn.list_deployed_models(team_id=1),
        "made": [
            (entry["action"], entry["projectId"] == created.id)
            for entry in api.team.get_activity(1, filter_actions=["create_project"])
        ],
    }


def bucket_files(api: sly.Api, bucket: str) -> dict[str, Any]:
    """List a bucket of a team, page by page and folder by folder, and download an object."""
    root = f"s3://{bucket}/"
    storage = api.remote_storage

    def paths(path: str, **arguments: Any) -> list[str]:
        return [f"{entry['type']}:{entry['prefix']}/{entry['name']}" for entry in storage.list(path, **arguments)]

    with tempfile.TemporaryDirectory() as folder:
        storage.download_path(root + "in/a.txt", os.path.join(folder, "a.txt"), team_id=1)
        with open(os.path.join(folder, "a.txt")) as file:
            content = file.read()
    refused = []
    for path in ("s3://others/", "google://x/"):
        try:
            storage.list(path, team_id=1)
        except Exception as error:
            refused.append(error.response.status_code)
    return {
        "all": paths(root),
        "page": paths(root, limit=1, start_after="in/a.txt"),
        "direct": paths(root, recursive=False),
        "folders": paths(root + "in", recursive=False, files=False),
        "file": storage.get_file_info_by_path(root + "in/a.txt")["size"],
        "exist": [
            storage.is_path_exist(path) for path in (root + "in/a.txt", root + "in", root + "x", "s3://others/a")
        ],
        "content": content,
        "providers": [entry["buckets"] == [bucket] for entry in storage.get_list_available_providers(1)],
        "refused": refused,
    }


def webhooks(api: sly.Api) -> dict[str, Any]:
    """Add a webhook, change it, test it, list it, and remove it."""
    made = api.webhook.create(1, "https://example.com/", "labeling_job.completed", retries_count=2, headers={"A": "b"})
    changed = api.webhook.update(made.id, url="https://example.org/", retries_delay=7)
    tested = api.webhook.test(1, made.id, payload={"a": 1})
    listed = [hook.id for hook in api.webhook.get_list(1)]
    api.webhook.remove(made.id)
    return {
        "made": made[1:6],
        "changed": changed[1:6],
        "tested": tested,
        "listed": listed == [made.id],
        "left": api.webhook.get_list(1),
    }
