"""Edges of tasks whose numbers the server has not seen: an Api that sends no ``x-task-id``, a ``task_id=`` argument."""

from __future__ import annotations

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.server import Server
from autoflow.wire import methods
from tests.postgres import DATABASES, database_of
from tests.sdk import edges
from tests.sdk.conftest import Sdk
from tests.sdk.test_workflow import arrows
from tests.serving import served

TASK = 52345
SENT = {
    "no header": {"task": TASK, "ignore_task_id": True},
    "an argument": {"task_id": TASK},
    "an argument beside another number": {"task": TASK + 1, "task_id": TASK},
}


@pytest.fixture(params=DATABASES)
def server(request, tmp_path):
    with database_of(request) as url:
        opened = Server.open(tmp_path / "home", url)
        yield opened
        opened.close()


@pytest.mark.parametrize("auth", [False, True], ids=["open", "auth"])
@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_all_thirteen_methods_draw_edges(sdk_process, server, sent, auth):
    """Each method's edge is in the graph, in its direction; the first one creates the task in the caller's team."""
    world = edges.world(server)
    token = server.tokens.create("ann", ["Team"])
    known = {name: number for name, number in world.items() if name != "in"}
    with served(server, auth=auth) as url:
        responses = Sdk(sdk_process, url, token)("every_edge", meta=False, known=known, **sent)
    assert responses == [{"success": True}] * 14
    read, written = edges.drawn(world, TASK)
    drawn = arrows(server, task=TASK)
    assert {source for source, target in drawn if target == f"task:{TASK}"} == read
    assert {target for source, target in drawn if source == f"task:{TASK}"} == written
    assert server.call(methods.TASK_INFO, {"id": TASK})["teamId"] == 1


def test_two_teams_use_one_number(sdk_process, server):
    """Each token's edge belongs to its own team's task, and neither team reads the other's."""
    callers, tokens, projects = [], [], []
    for name in ("ann", "bob"):
        tokens.append(server.tokens.create(name, [f"{name}'s"]))
        callers.append(server.tokens.caller(tokens[-1]))
        team = min(callers[-1].teams)
        workspace = server.call("workspaces.list", {"teamId": team})["entities"][0]["id"]
        projects.append(server.call("projects.add", {"workspaceId": workspace, "name": name})["id"])
    with served(server, auth=True) as url:
        for token, own, other in zip(tokens, projects, projects[::-1], strict=True):
            app = Sdk(sdk_process, url, token)
            assert app("one_edge", task=TASK, ignore_task_id=True, project=own) == {"success": True}
            assert app("one_edge", task=TASK, ignore_task_id=True, project=other) == {}
    for caller, own in zip(callers, projects, strict=True):
        task = server.call(methods.TASK_INFO, {"id": TASK}, caller)
        assert task["teamId"] == min(caller.teams)
        graph = server.call(methods.GRAPH, {"task": TASK}, caller)
        assert [(arrow["source"], arrow["target"]) for arrow in graph["arrows"]] == [
            (f"task:{task['id']}", f"project:{own}")
        ]


def test_another_teams_run_is_not_taken(sdk_process, server):
    """The number that this server assigned to another team's run is refused, by the lookup and by the edge."""
    task = server.call("autoflow.runs.ensure", {"run": "r", "name": "Train"})["task"]
    token = server.tokens.create("eve", ["Others"])
    caller = server.tokens.caller(token)
    workspace = server.call("workspaces.list", {"teamId": min(caller.teams)})["entities"][0]["id"]
    project = server.call("projects.add", {"workspaceId": workspace, "name": "own"})["id"]
    with served(server, auth=True) as url:
        assert Sdk(sdk_process, url, token)("one_edge", task_id=task, project=project) == {}
    with pytest.raises(ServerRefused) as refusal:
        server.call(methods.TASK_INFO, {"id": task}, caller)
    assert refusal.value.status == 404
    assert arrows(server, task=task) == []
