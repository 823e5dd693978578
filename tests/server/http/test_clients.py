"""autoflow's own clients against a server: records and data arrive as they do embedded."""

from __future__ import annotations

import threading

import pytest

import autoflow
from autoflow.errors import NotAllowed, ServerRefused
from autoflow.transport.http import HttpTransport
from autoflow.wire import methods


def test_records_reach_a_server(client, monkeypatch):
    """What an app records is in the server's graph once it was flushed, and the run knows its number."""
    monkeypatch.setenv("AUTOFLOW_SERVER", client.url)
    with autoflow.workflow("Train") as run:
        run.output("folder", "/experiments/7")
    assert autoflow.flush(60)
    graph = autoflow.Api(client.url, "any").graph(task=run.task_id)
    assert {card.name for card in graph.cards} == {"Train", "/experiments/7"}


def test_a_token_is_sent_where_one_is_needed(guarded):
    """An Api with a good token is answered, one with another is told so."""
    token = guarded.server.tokens.create("ann", ["Team"])
    assert autoflow.Api(guarded.url, token).project.get_list(1) == []
    with pytest.raises(NotAllowed, match="not valid"):
        autoflow.Api(guarded.url, "wrong").project.get_list(1)


def test_a_batch_that_is_too_long_is_refused_as_the_sender_expects(client):
    """413 reaches our transport as a refusal with its status, not as a broken connection."""
    transport = HttpTransport(client.url, lambda: None)
    record = {"key": "k", "type": "log", "run": "r", "lines": "x" * (17 * 1024 * 1024)}
    with pytest.raises(ServerRefused) as refusal:
        transport.deliver([record])
    assert refusal.value.status == 413
    assert transport.call(methods.INSTANCE_VERSION, {})[methods.AUTOFLOW_MARK]
    transport.close()


def test_many_clients_at_once_lose_nothing(client):
    """Clients that write at the same time all get their answer, and everything is there."""
    clients, each = 16, 5
    failed = []

    def work(number):
        transport = HttpTransport(client.url, lambda: None)
        try:
            for count in range(each):
                entity = {"type": "folder", "id": f"/{number}/{count}"}
                record = {"key": f"{number}.{count}", "type": "edge", "run": f"r{number}", "direction": "output"}
                (result,) = transport.deliver([{**record, "entity": entity}])["results"]
                assert result["status"] == "applied"
        except Exception as error:
            failed.append(error)
        finally:
            transport.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(client.call("autoflow.graph", workspace=1)["arrows"]) == clients * each
