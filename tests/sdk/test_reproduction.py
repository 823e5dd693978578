"""The SDK in the command of a reproduction: it reads the recorded data, and writes apart."""

from __future__ import annotations

import io

from autoflow.wire.parts import Part
from tests.sdk.conftest import Sdk
from tests.serving import served

PATH = "/weights/best.pt"


def upload(server, data):
    parts = [Part("name", "best.pt"), Part("path", "/weights/"), Part("file", io.BytesIO(data), "best.pt")]
    return server.upload("file-storage.bulk.upload", parts, {"teamId": 1})[0]["id"]


def test_the_sdk_reads_the_recorded_data_and_writes_apart(sdk_process, server):
    """On a server without authorization, which recognizes the token of the reproduction."""

    def call(method, **body):
        return server.call(method, body)

    project = call("projects.add", workspaceId=1, name="lemons")["id"]
    call("datasets.add", projectId=project, name="ds")
    version = call("autoflow.versions.snapshot", projectId=project)["id"]
    recorded = upload(server, b"recorded")
    task = call("autoflow.runs.ensure", run="r", name="Train")["task"]
    call("datasets.add", projectId=project, name="later")
    upload(server, b"later")
    token = call("autoflow.reproduction.token", task=task)
    restored = call("autoflow.versions.restore", id=version)["id"]
    projects = [{"recorded": project, "restored": restored, "name": "lemons"}]
    files = [{"id": recorded, "path": PATH}]
    call("autoflow.reproduction.view", id=token["id"], projects=projects, files=files)
    with served(server) as url:
        seen = Sdk(sdk_process, url, token["token"])("reproduced", project=project, path=PATH)
    assert seen == {
        "by number": "lemons",
        "by name": project,
        "listed": ["lemons", "predictions"],
        "dataset": ("ds", project),
        "files": ["recorded", PATH, "own", PATH],
        "created": ["predictions", True],
    }
    assert [entry["name"] for entry in call("projects.list")["entities"]][-1] == "predictions (reproduced task-1)"
    content = b"".join(server.download("file-storage.download", {"teamId": 1, "path": PATH}))
    assert content == b"later"
