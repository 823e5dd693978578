"""`autoflow.runs.search` and `autoflow.runs.compare`: results and parameters of runs."""

from __future__ import annotations

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.db import run_values, schema


@pytest.fixture
def run(filled):
    """A function that records a run with facts and inputs, and returns its task's id."""
    names = iter(range(1, 10**6))

    def record(name="Train", state="finished", inputs=(), parameters=None, facts=None, **results):
        key = f"run-{next(names)}"
        scores = {f"result.{result}": number for result, number in results.items()}
        records = [
            filled.record("run", key, name=name, parameters=parameters or {}, **(facts or {})),
            *(
                filled.record("edge", key, direction="input", entity={"type": kind, "id": number, "origin": ""})
                for kind, number in inputs
            ),
            filled.record("facts", key, facts=scores),
        ]
        records += [filled.record("finish", key, state=state)] if state != "running" else []
        assert {result["status"] for result in filled.send(*records)["results"]} == {"applied"}
        return filled.call("autoflow.runs.ensure", run=key)["task"]

    return record


@pytest.fixture
def search(filled):
    """A function that returns the ids of the runs that a condition holds for."""
    return lambda where=None, **more: [
        run["id"] for run in filled.call("autoflow.runs.search", where=where, **more)["runs"]
    ]


def test_runs_are_searched_by_results_and_parameters(filled, run, search):
    """Numbers and texts, nested parameters, state and app, with and, or, not and parentheses."""
    good = run(parameters={"epochs": 20, "optimizer": {"name": "adam", "lr": 0.001}}, mAP=0.7)
    poor = run(parameters={"epochs": 20}, mAP=0.5)
    failed = run("Evaluate", "failed", parameters={"epochs": 5})
    assert search("result.mAP > 0.6 and parameters.epochs = 20 and state = finished") == [good]
    assert search("result.mAP <= 0.5 or state = failed") == [failed, poor]
    assert search("not (result.mAP >= 0.7)") == [failed, poor]
    assert search("parameters.optimizer.name = adam and parameters.optimizer.lr < 1e-2") == [good]
    assert search('app = "Evaluate"') == [failed]
    assert search(f"id != {poor}", sort="id") == [good, failed]
    assert search(sort="-result.mAP") == [good, poor]
    assert search(sort="result.mAP") == [poor, good]
    assert search() == [failed, poor, good]
    page = filled.call("autoflow.runs.search", limit=2)
    assert (len(page["runs"]), page["next"]) == (2, 2)
    assert search(limit=2, offset=2) == [good]
    (best,) = filled.call("autoflow.runs.search", where="result.mAP > 0.6")["runs"]
    assert best["results"] == {"mAP": 0.7}
    assert best["parameters"] == {"epochs": 20, "optimizer.name": "adam", "optimizer.lr": 0.001}
    assert best["createdBy"] == "admin"


@pytest.mark.parametrize(
    "where",
    [
        "mAP > 0.6",
        "result.mAP",
        "result.mAP > ",
        "(state = failed",
        "state = 1",
        "id = x",
        "a = 1; drop table tasks",
        ")",
    ],
)
def test_a_condition_that_is_not_one_is_refused(search, where):
    """The message shows what a condition looks like, or names the fields."""
    with pytest.raises(ServerRefused, match="where") as refusal:
        search(where)
    assert refusal.value.status == 400


def test_the_last_result_wins_until_the_run_has_ended(filled, run, search):
    """Afterwards a new result is added, and one that differs is stored beside it."""
    task = run(state="running", mAP=0.1)
    filled.send(filled.record("facts", "run-1", facts={"result.mAP": 0.6, "result.note": "text", "result.bad": True}))
    filled.send(filled.record("finish", "run-1", state="finished"))
    filled.send(filled.record("facts", "run-1", facts={"result.mAP": 0.9, "result.loss": 2}))
    assert search("result.mAP = 0.6 and result.loss = 2") == [task]
    (ended,) = filled.call("autoflow.runs.search")["runs"]
    assert ended["results"] == {"mAP": 0.6, "loss": 2}


def test_links_are_of_the_web(filled, run):
    """An address of another scheme is not shown."""
    links = {"link.W&B": "https://wandb.ai/a/b", "link.evil": "javascript:alert(1)", "link.none": 5}
    run(facts={"facts": links})
    (shown,) = filled.call("autoflow.runs.search")["runs"]
    assert shown["links"] == [{"title": "W&B", "url": "https://wandb.ai/a/b"}]


def test_two_runs_are_compared(filled, run):
    """Data by content, parameters, code, packages and results; scores on different data are not comparable."""
    project = filled.project()
    first_version = filled.snapshot(project)["id"]
    filled.dataset(project)
    second_version = filled.snapshot(project)["id"]
    code = {"commit": "a" * 40, "packages": {"torch": "2.1", "numpy": "2"}}
    base = run(inputs=[("project_version", first_version)], parameters={"epochs": 5}, facts=code, mAP=0.5)
    same = run(inputs=[("project_version", first_version)], parameters={"epochs": 9}, facts=code, mAP=0.6)
    newer = {**code, "commit": "b" * 40, "packages": {"torch": "2.2", "numpy": "2"}}
    other = run(inputs=[("project_version", second_version)], parameters={"epochs": 5}, facts=newer, mAP=0.7)
    plain = run(inputs=[("project", project)])
    answer = filled.call("autoflow.runs.compare", first=base, second=same)
    assert (answer["comparable"], answer["reason"]) == (True, None)
    assert answer["parameters"] == [{"name": "epochs", "first": 5, "second": 9}]
    assert answer["results"] == [{"name": "mAP", "first": 0.5, "second": 0.6}]
    assert (answer["code"], answer["packages"]) == ([], [])
    answer = filled.call("autoflow.runs.compare", first=base, second=other)
    assert answer["comparable"] is False
    assert f"version:{first_version}" in answer["reason"]
    assert [read["ref"] for read in answer["onlySecond"]] == [f"version:{second_version}"]
    assert [pair["name"] for pair in answer["code"]] == ["commit"]
    assert answer["packages"] == [{"name": "torch", "first": "2.1", "second": "2.2"}]
    answer = filled.call("autoflow.runs.compare", first=plain, second=plain)
    assert answer["comparable"] is None
    assert "@versioned" in answer["reason"]


def test_another_teams_runs_are_not_shown(filled, run):
    """Neither by a search for their results nor in a comparison."""
    task = run(mAP=0.7)
    caller = filled.server.tokens.caller(filled.server.tokens.create("eve", ("Rivals",)))
    assert filled.server.call("autoflow.runs.search", {"where": "result.mAP > 0"}, caller)["runs"] == []
    assert filled.server.call("autoflow.runs.search", {"sort": "-result.mAP"}, caller)["runs"] == []
    with pytest.raises(ServerRefused) as refusal:
        filled.server.call("autoflow.runs.compare", {"first": task, "second": task}, caller)
    assert refusal.value.status == 404


def test_what_cannot_be_indexed_is_left_out():
    """Names and numbers that no database stores, and more values than a run may have."""
    facts = {"result.a\0b": 1, "result.nan": float("nan"), "result.big": 10**400, "result.ok": 1}
    assert [row["name"] for row in run_values.values_of(facts)] == ["result.ok"]
    many = {"parameters": {str(number): number for number in range(1000)}}
    assert len(run_values.values_of(many)) == run_values.MAX_VALUES
    long = run_values.values_of({"parameters": {"text": "x\0" * 1000, "flag": True, "none": None}})
    assert [len(row["text"]) for row in long] == [run_values.MAX_TEXT, 4]
    assert {*schema.run_values.c.keys()} == {"task_id", "name", "number", "text"}
