"""What the real SDK does, in a process of its own: ``python -m tests.wire.sdk_app calls|beside``.

``calls`` makes the captured calls named on standard input with the SDK's Api. ``beside`` is an app that uses the SDK's
Api and infos for its data and autoflow's decorators for its workflow.
"""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

try:
    import supervisely as sly
except ImportError as error:
    sys.exit(f"supervisely cannot be imported: {error}")


def calls() -> None:
    from tests.wire.golden import CASES, call

    names = ("ProjectInfo", "DatasetInfo", "WorkflowSettings", "WorkflowMeta")
    package = SimpleNamespace(FileInfo=sly.api.file_api.FileInfo, **{name: getattr(sly, name) for name in names})
    workflow = sly.Api.from_env().app.workflow
    for name in json.load(sys.stdin):
        call(workflow, CASES[name], package)


def beside() -> None:
    import autoflow

    api = sly.Api.from_env()

    def info(kind, **known):
        return kind(**{**dict.fromkeys(kind._fields), **known})

    @autoflow.workflow_input("project")
    @autoflow.workflow_input("dataset")
    @autoflow.workflow_input("file", model_weight=True)
    def load(project_info, dataset_info, file_info): ...

    @autoflow.workflow_output("file", card=autoflow.cards.archive)
    def save():
        return api.file.get_info_by_path(7, "/models/model.pt")

    with autoflow.workflow("Beside", api=api):
        load(info(sly.ProjectInfo, id=501), info(sly.DatasetInfo, id=601), info(sly.api.file_api.FileInfo, id=1001))
        save()
    assert autoflow.flush(60)


if __name__ == "__main__":
    {"calls": calls, "beside": beside}[sys.argv[1]]()
