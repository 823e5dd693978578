"""The workflow methods of `Api` record the same edges on our server as the SDK's do (`tests.sdk`)."""

from __future__ import annotations

import pytest

import autoflow
from autoflow import WorkflowMeta, WorkflowSettings
from autoflow.wire import methods
from tests.sdk import edges

TASK = 52345


@pytest.fixture(params=["embedded", "served"])
def api(request, monkeypatch, tmp_path):
    from autoflow.server.server import Server  # not at the top: other tests here run without the server
    from tests.serving import served

    monkeypatch.setenv("SUPERVISELY_TASK_ID", str(TASK))
    if request.param == "embedded":
        monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
        yield autoflow.Api.from_env()
        return
    server = Server.open(tmp_path / "served")
    with served(server) as url:
        monkeypatch.setenv("AUTOFLOW_SERVER", url)
        yield autoflow.Api.from_env()
        assert autoflow.flush(60)
    server.close()


@pytest.mark.parametrize("customised", [False, True], ids=["plain", "with settings"])
def test_all_methods_record_edges(api, customised):
    """The edge of each method is in the graph with its direction and, if supported, its card settings."""
    known = edges.world(api.transport)
    card = WorkflowSettings("Card", "archive", "#33c94c", "#d9f7e4", "/files/1/true", "Download", "why")
    meta = WorkflowMeta(card, WorkflowSettings("The app")) if customised else None
    assert all(answer["recorded"] for answer in edges.post(api, known, meta))
    assert autoflow.flush(60)
    graph = api.transport.call(methods.GRAPH, {"task": TASK})
    me = f"task:{TASK}"
    read, written = edges.drawn(known, TASK)
    assert {arrow["source"] for arrow in graph["arrows"] if arrow["target"] == me} == read
    assert {arrow["target"] for arrow in graph["arrows"] if arrow["source"] == me} == written
    titles = {card["key"]: card["title"] for card in graph["cards"]}
    assert (titles[me] == "The app") is customised
    assert (titles[f"file:{known['file']}"] == "Card") is customised
    assert titles[f"project:{known['project']}"] == "lemons"
