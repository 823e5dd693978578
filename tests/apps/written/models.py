"""Apps that train, serve and evaluate models."""

from __future__ import annotations

import functools
import os
from typing import Any

from autoflow import FileInfo, cards, select, versioned, workflow, workflow_input, workflow_output
from tests.apps.case import Case

BACKUP = "This backup was created automatically by Supervisely before the {app} task with ID: {{task_id}}"


def _checkpoints(call):
    """The app keeps its uploads as lists of the fields of FileInfo."""
    return [FileInfo(*fields) for fields in call.generated["checkpoints"]]


def _custom(call):
    return "Train Custom Model" if (call.state or {}).get("weightsInitialization") == "custom" else None


def train_with_state(app: str, case: Case) -> dict[str, Any]:
    @versioned(title=app, description=BACKUP.format(app=app))
    @workflow_input(
        "file", value="state.weightsPath", model_weight=True, when={"state.weightsInitialization": "custom"}
    )
    def prepare(api, project_info, state=None): ...

    @workflow_output(
        "file",
        value=select.best_checkpoint(_checkpoints),
        model_weight=True,
        card=cards.checkpoints,
        node=cards.session,
        node_title=_custom,
    )
    @workflow_output("file", value="report", card=cards.report, node=cards.session, node_title=_custom)
    def upload(generated, state, report=None): ...

    return {"workflow_input": functools.partial(prepare, case.api), "workflow_output": upload}


train_mmdetection = functools.partial(train_with_state, "Train MMDetection")
train_mmsegmentation = functools.partial(train_with_state, "Train MMSegmentation")


def _family(verb: str, name: str, otherwise: str) -> str:
    version = next((mark for mark in ("v8", "v9", "v10", "v11") if mark in name), None)
    return f"{verb} YOLO{version}" if version else otherwise


def train_yolov8(case: Case) -> dict[str, Any]:
    every = "Train YOLOv8 | v9 | v10 | v11"

    def title(call):
        return every if call.weights is None else _family("Train", call.weights.name, every)

    def node_title(call):
        return _family("Train", call.model_name, "Train Custom Model")

    @versioned(title=title, description=lambda call: BACKUP.format(app=title(call)).format(task_id=call.task_id))
    @workflow_input("file", value="weights", model_weight=True)
    def prepare(api, project_info, weights=None): ...

    @workflow_output(
        "file",
        value=lambda call: f"{call.folder}/weights/{call.best}",
        model_weight=True,
        card=cards.checkpoints,
        node=cards.session,
        node_title=node_title,
    )
    @workflow_output("file", value="report", card=cards.report, node=cards.session, node_title=node_title)
    def upload(model_name, folder, best, report=None): ...

    return {"workflow_input": functools.partial(prepare, case.api), "workflow_output": upload}


def train_template(case: Case) -> dict[str, Any]:
    inputs = case.injected

    class TrainApp:
        project_id = inputs.project_id
        model_source = inputs.model_source
        checkpoint_path = inputs.checkpoint_path
        name = inputs.app_name

        @versioned(value="self.project_id", title="{self.name}", description=BACKUP.format(app="{self.name}"))
        @workflow_input("file", value="self.checkpoint_path", model_weight=True, when={"self.model_source": "custom"})
        def prepare(self): ...

        @workflow_output(
            "folder",
            value=lambda call: f"{call.folder}/checkpoints",
            card=cards.checkpoints,
            url="/files/{best.id}/true",
            node=cards.session,
            node_title="{self.name}",
        )
        @workflow_output(
            "file",
            value="report",
            title="Model Benchmark",
            icon="assignment",
            icon_color="#674EA7",
            icon_bg_color="#CCCCFF",
            url="/model-benchmark?id={report_id}",
            url_title="Open Report",
            node=cards.session,
            node_title="{self.name}",
        )
        def upload(self, folder, best, report=None, report_id=None): ...

    app = TrainApp()
    case.session.enter_context(workflow(app.name, api=case.api))
    return {"_workflow_input": app.prepare, "_workflow_output": app.upload}


def serve_mmsegmentation(case: Case) -> dict[str, Any]:
    @workflow_input("file", value="path", model_weight=True, node_title="Serve Custom Model")
    def load(path): ...

    return {"workflow_input": load}


def serve_yolov8(case: Case) -> dict[str, Any]:
    @workflow_input(
        "file",
        value="model.checkpoint_url",
        model_weight=True,
        node_title=lambda call: _family("Serve", call.model["checkpoint_name"], "Serve Custom Model"),
    )
    def load(model): ...

    return {"workflow_input": load}


def benchmark_evaluate(case: Case) -> dict[str, Any]:
    app = "Evaluator for Model Benchmark"

    @versioned(title=app, description=BACKUP.format(app=app))
    @workflow_input("task", value="session_id")
    def start(api, project_info, session_id): ...

    @workflow_output(
        "file",
        value="model_benchmark_report",
        card=cards.report,
        url="/model-benchmark?id={model_benchmark_report_id}",
    )
    def save(folder, model_benchmark_report=None, model_benchmark_report_id=None): ...

    return {"workflow_input": functools.partial(start, case.api), "workflow_output": save}


def benchmark_compare(case: Case) -> dict[str, Any]:
    def reports(call):
        return [os.path.join(folder, "visualizations", "Model Evaluation Report.lnk") for folder in call.folders]

    @workflow_input("file", value=reports)
    def compare(team_id, folders): ...

    return {"workflow_comparison_input": compare}
