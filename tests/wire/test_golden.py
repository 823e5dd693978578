"""autoflow's `Api` posts what the SDK posts, body for body; what it does otherwise is a table, with the reasons.

Two things hold for all calls and are not repeated in the table: a task's number is a number where the SDK writes the
text of ``SUPERVISELY_TASK_ID``, and what the SDK returns (the server's answer) is ``{"recorded": True, "key": ...}``.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

import autoflow
from tests.recording import Recording
from tests.wire.golden import CASES, call, fault_of, made, posts, world

pytestmark = [pytest.mark.core, pytest.mark.slow]


class Other(NamedTuple):
    """What autoflow does where the SDK does something else: why, the edges it posts, whether it says recorded."""

    why: str
    edges: list[tuple[str, str, int]]  # direction, type, id; of task 55 in team 7
    recorded: bool


NO_ID = "The SDK posts an edge without id, which names nothing."
LATER = "The sender finds that out, after the call has returned; the record is a dead letter with the reason."
WAITS = "The SDK gives the record up; here it waits until the server is well."
DELIVERY = "The SDK gives the record up and returns {}; here the call has long returned."

IN_FILE, OUT_FILE = ("input", "file", 1001), ("output", "file", 1001)
OUT_501 = ("output", "project", 501)

OTHERWISE: dict[str, Other] = {
    "add_input_project/project_zero": Other(NO_ID, [], False),
    "add_input_project/project_str": Other(f"{NO_ID} Numeric text is the number.", [("input", "project", 501)], True),
    "add_input_project/project_True": Other("The SDK posts true as an id, which names nothing.", [], False),
    "add_input_dataset/None": Other(NO_ID, [], False),
    "add_input_dataset/str": Other("The SDK posts an id as text; ids are numbers.", [("input", "dataset", 601)], True),
    "add_input_task/None": Other(NO_ID, [], False),
    "add_input_file/path_missing": Other(LATER, [], True),
    "add_input_file/path_no_leading_slash": Other("The slash is added, as the SDK does for folders.", [IN_FILE], True),
    "add_output_file/path": Other("The SDK posts an output's path as its id; the number is.", [OUT_FILE], True),
    "add_output_file/bad_type": Other("The SDK posts 1.5 as an id, which names nothing.", [], False),
    "explicit_task_id_zero": Other("The SDK posts to task 0, which is none; the run's own is meant.", [OUT_501], True),
}

# with an instance or an environment of their own
OTHERWISE_SET: dict[str, Other] = {
    "cold/no_task_id": Other(LATER, [], True),
    "cold/unknown_task_id": Other(LATER, [], True),
    "cold/nonnumeric_env_task_id": Other(LATER, [], True),
    "version_6.9.30/add_output_project": Other(LATER, [], True),
    "version_6.11.10/add_output_job": Other(LATER, [], True),
    "version_None/add_output_project": Other(WAITS, [], True),
    "version_garbage/add_output_project": Other(WAITS, [], True),
    "tasks_info_without_teamId": Other(LATER, [], True),
    "instance_version_fails_500": Other(WAITS, [], True),
    "instance_version_failed_before_then_healthy": Other(
        "The SDK's Api stays deaf once the version could not be asked; here the next record goes out.", [OUT_501], True
    ),
    **{
        f"server_error_{code}": Other(DELIVERY, [OUT_501], True)
        for code in (400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504)
    },
    "server_error_400/instance_6.15.0_older_than_sdk_minimum": Other(DELIVERY, [OUT_501], True),
    "server_status_204": Other("The SDK stumbles over the empty answer, {}; here the record waits.", [OUT_501], True),
    "server_200_not_json": Other(
        "The SDK gives the record up; what answers so is no instance, so it waits.", [OUT_501], True
    ),
    "ENV=development": Other(
        "The SDK switches off outside production; here an Api for a named server records there, and `Api.from_env` "
        "keeps the instance clean by recording on this machine.",
        [OUT_501],
        True,
    ),
    "ENV=development/second_call_same_api": Other("As the first call.", [OUT_501], True),
    "ENV unset": Other("As in development.", [OUT_501], True),
}

_SET = ("cold", "version_", "server_", "tasks_info", "instance_version", "ENV", "production")
PLAIN = [name for name in CASES if not name.startswith(_SET)]
SET = [name for name in CASES if name.startswith(_SET)]
WAITING = {
    name
    for name in SET
    if name.startswith(("version_None", "version_garbage", "instance_version_fails", "server_200_", "server_status_"))
    or name in {f"server_error_{code}" for code in (401, 403, 429, 500, 502, 503, 504)}
}
DEAD = {
    name for name, other in OTHERWISE_SET.items() if name not in WAITING and (other.why is LATER or "error_4" in name)
}


def expected(name, table):
    """The posts of a call as they are to be, and whether it says that it recorded something."""
    theirs = posts(CASES[name])
    if name not in table:
        return theirs, bool(CASES[name]["returned"])
    other = table[name]
    edges = [
        (
            f"workflow.node.add-{direction}",
            {"teamId": 7, "node": {"type": "task", "id": 55}, "type": entity, "id": number},
        )
        for direction, entity, number in other.edges
    ]
    return edges, other.recorded


def same(ours, theirs):
    """Whether posts are equal to the byte, the order of the members included."""
    return json.dumps(ours) == json.dumps(theirs)


@pytest.fixture
def instance(monkeypatch):
    monkeypatch.setenv("SUPERVISELY_TASK_ID", "55")
    with Recording(world()).running() as recording:
        yield recording


def test_every_call_is_accounted_for():
    """All 387 calls are made by one of the two tests below, and the tables name no other."""
    assert len(CASES) == len(PLAIN) + len(SET) == 387
    assert set(OTHERWISE) <= set(PLAIN)
    assert set(OTHERWISE_SET) <= set(SET)


def test_calls_post_what_the_sdk_posts(instance):
    """Each call's posts equal the SDK's to the byte, or are as the table says."""
    workflow = autoflow.Api(instance.url, "token").app.workflow
    wrong = {}
    for name in PLAIN:
        before = len(instance.edges)
        returned = call(workflow, CASES[name], autoflow)
        assert autoflow.flush(60)
        edges, recorded = expected(name, OTHERWISE)
        raised = TypeError if CASES[name]["raised"] else None
        fits = returned is raised if raised else bool(returned) is recorded
        if not (fits and same(made(instance, before), edges)):
            wrong[name] = (made(instance, before), returned)
    assert wrong == {}


@pytest.mark.parametrize("name", SET)
def test_calls_in_an_environment_of_their_own(name, instance, monkeypatch):
    """The same with a bad server, an old one, without a task, in development: posted, waiting or a dead letter."""
    case = CASES[name]
    env = case.get("env", {})
    instance.world.version = env.get("version", "6.18.3")
    instance.faults = fault_of(case)
    if name.startswith("ENV=development"):
        monkeypatch.setenv("ENV", "development")
    elif not name.startswith("ENV"):
        monkeypatch.setenv("ENV", "production")
    if "task" in env:
        monkeypatch.delenv("SUPERVISELY_TASK_ID")
        if env["task"] is not None:
            monkeypatch.setenv("SUPERVISELY_TASK_ID", env["task"])
    api = autoflow.Api(instance.url, "token")
    if name.endswith("after_enable()"):
        api.app.workflow.enable()
    if name.endswith("after_disable()"):
        api.app.workflow.disable()
    returned = call(api.app.workflow, case, autoflow)
    delivered = autoflow.flush(60)
    edges, recorded = expected(name, OTHERWISE_SET)
    assert bool(returned) is recorded
    assert returned != {} or case["returned"] == {}
    assert same(made(instance, 0)[:1], edges)
    counts = autoflow.status()
    assert delivered is (name not in WAITING)
    assert (counts["waiting"] > 0) is (name in WAITING)
    assert counts["dead"] == (name in DEAD)
    assert counts["dropped"] == 0
