"""``autoflow runs`` and ``autoflow compare``, `run.result` and `run.link`, as docs/versions.md shows them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import autoflow
from autoflow import Api

DOCS = Path(__file__).parents[2] / "docs" / "versions.md"


@pytest.fixture
def trained(monkeypatch):
    """The ids of two runs on an embedded server, the first as in the documentation."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    example = re.search(r"### Results.*?```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    names = {"autoflow": autoflow}
    exec(example[1], names)
    with autoflow.workflow("Train", parameters={"epochs": 5}) as second:
        second.result(mAP=0.4)
        second.result(mAP=0.5)
    assert autoflow.flush()
    return names["run"].task_id, second.task_id


def test_the_documented_search_and_comparison(trained, command):
    """The command line of the documentation, its JSON, and the same in Python."""
    first, second = trained
    code, text, errors = command(
        "runs",
        "--where",
        "result.mAP > 0.6 and parameters.epochs = 20 and state = finished",
        "--sort",
        "-result.mAP",
    )
    assert (code, errors) == (0, "")
    assert text.startswith(f"task:{first}  Train  finished")
    assert "loss=0.2 mAP=0.61  epochs=20" in text
    assert [run["id"] for run in json.loads(command("runs", "--sort", "result.mAP", "--json")[1])["runs"]] == [
        second,
        first,
    ]
    api = Api()
    assert [run["id"] for run in api.runs("result.mAP = 0.5")] == [second]
    assert api.runs("result.loss > 0")[0]["links"] == [{"title": "W&B", "url": "https://wandb.ai/team/lemons/runs/7"}]
    code, text, _ = command("compare", f"task:{first}", str(second))
    assert code == 0
    assert "W&B: https://wandb.ai/team/lemons/runs/7" in text
    assert "unknown: neither run recorded the data that it read" in text
    assert "mAP  0.61 -> 0.5  (-0.11)" in text
    assert "epochs  20 -> 5  (-15)" in text
    assert json.loads(command("compare", str(first), str(second), "--json")[1])["comparable"] is None
    assert command("runs", "--where", "mAP > 1")[0] == 1
    assert command("compare", "project:1", "2")[0] == 1


def test_what_is_no_result_or_link_is_a_failure_of_recording(non_strict):
    """The app goes on; the failure is kept with the run."""
    with autoflow.workflow("Train") as run:
        run.result(mAP=float("nan"), loss="low", good=1)
        run.link("evil", "javascript:alert(1)")
    assert len(run.failures) == 3
