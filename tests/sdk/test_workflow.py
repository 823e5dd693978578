"""The workflow by the unmodified SDK: its thirteen methods, and three public apps from end to end."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from autoflow.errors import ServerBusy
from autoflow.wire import methods
from tests.sdk import edges
from tests.sdk.conftest import Sdk
from tests.serving import served

TASK = 52345


def graph(server, **entry):
    return server.call(methods.GRAPH, entry)


def cards(server, **entry):
    return {card["key"]: card for card in graph(server, **entry)["cards"]}


def arrows(server, **entry):
    return sorted((arrow["source"], arrow["target"]) for arrow in graph(server, **entry)["arrows"])


@pytest.fixture
def world(server):
    """One of everything that an edge may name."""
    return edges.world(server)


@pytest.mark.parametrize("meta", [False, True], ids=["plain", "with settings"])
def test_all_thirteen_methods_draw_edges(sdk, server, world, meta):
    """Each method's edge is in the graph, in its direction, with its settings where cards may be customised."""
    entity_ids = {name: number for name, number in world.items() if name != "in"}
    assert sdk("every_edge", task=TASK, meta=meta, known=entity_ids) == [{"success": True}] * 14
    me = f"task:{TASK}"
    read, written = edges.drawn(world, TASK)
    drawn = arrows(server, task=TASK)
    assert {source for source, target in drawn if target == me} == read
    assert {target for source, target in drawn if source == me} == written
    known = cards(server, task=TASK)
    assert (known[me]["title"] == "The app") is meta
    assert (known[f"file:{world['file']}"]["title"] == "Card") is meta
    assert known[f"project:{world['project']}"]["title"] == "lemons"


def test_a_lost_answer_gives_one_edge(sdk, server, monkeypatch, world):
    """The SDK posts again what was stored when the answer got lost: it is the same edge."""
    answer, lost = server.call, threading.Event()

    def losing(method, *request):
        response = answer(method, *request)
        if method == methods.ADD_EDGE["output"] and not lost.is_set():
            lost.set()
            raise ServerBusy("the answer is lost", status=503)
        return response

    monkeypatch.setattr(server, "call", losing)
    assert sdk("one_edge", task=TASK, project=world["other"]) == {"success": True}
    assert lost.is_set()
    assert arrows(server, task=TASK) == [(f"task:{TASK}", f"project:{world['other']}")]


def _cutting(listening, upstream, marked, cut):
    """Pass connections on to a server; the first with an answer to a marked request is cut when the server has
    given it.
    """
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return
        with contextlib.closing(client), contextlib.closing(socket.create_connection(upstream)) as server:
            received = b""
            while b"\r\n\r\n" not in received:
                received += client.recv(65536)
            head, _, body = received.partition(b"\r\n\r\n")
            length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))[15:])
            while len(body) < length:
                body += client.recv(65536)
            server.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
            answer = b""
            while data := server.recv(65536):
                answer += data
            if marked in head and not cut.is_set():
                cut.set()
            else:
                client.sendall(answer)


def test_a_connection_cut_before_the_answer_gives_one_edge(sdk_process, server, world):
    """A proxy that loses the answer of an edge that was stored: the SDK connects anew and posts it again."""
    cut = threading.Event()
    with served(server) as url, socket.create_server(("127.0.0.1", 0)) as listening:
        upstream = ("127.0.0.1", int(url.rpartition(":")[2]))
        marked = methods.ADD_EDGE["output"].encode()
        thread = threading.Thread(target=_cutting, args=(listening, upstream, marked, cut), daemon=True)
        thread.start()
        behind = Sdk(sdk_process, f"http://127.0.0.1:{listening.getsockname()[1]}")
        assert behind("one_edge", task=TASK, project=world["other"]) == {"success": True}
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)
    assert cut.is_set()
    assert arrows(server, task=TASK) == [(f"task:{TASK}", f"project:{world['other']}")]


def test_another_teams_task_is_refused(sdk_process, server, world):
    """A token of one team names no task, and no project, of another; no edge is drawn."""
    token = server.tokens.create("eve", ["Others"])
    project = server.call("projects.add", {"workspaceId": 1, "name": "theirs"})["id"]
    with served(server, auth=True) as url:
        eve = Sdk(sdk_process, url, token)
        assert eve("one_edge", task=world["task"], project=project) == {}
        assert eve("one_edge", task=TASK, project=project) == {}
    assert arrows(server, workspace=1) == []


def test_an_exporter(sdk, server):
    """export-to-coco downloads a project whole and leaves an archive with a download link."""
    project = sdk("fill", count=6)["project"]
    response = sdk("exporter", task=TASK, project=project)
    assert response["items"] == 6
    file = f"file:{response['file']}"
    assert arrows(server, project=project) == [(f"project:{project}", f"task:{TASK}"), (f"task:{TASK}", file)]
    card = cards(server, project=project)[file]
    assert card["title"] == response["name"] == f"{TASK}_lemons.tar"
    assert card["link"]["url"] == f"/files/{response['file']}/true/?teamId=1"
    facts = server.call(methods.TASK_INFO, {"id": TASK})["autoflow"]["facts"]
    assert facts["output"]["general"]["title"] == response["name"]


def test_a_trainer(sdk, server):
    """train-yolov8 saves its project by the SDK's own versions, reads weights, leaves a checkpoint and a report."""
    project = sdk("fill", count=6)["project"]
    response = sdk("trainer", task=TASK, project=project)
    me, version = f"task:{TASK}", f"project_version:{response['version']}"
    assert arrows(server, task=TASK) == sorted(
        [
            (f"project:{project}", version),
            (version, me),
            (f"file:{response['weights']}", me),
            (me, f"file:{response['best']}"),
            (me, f"file:{response['report']}"),
        ]
    )
    known = cards(server, task=TASK)
    assert known[me]["title"] == "Train YOLOv8"
    assert known[f"file:{response['best']}"]["title"] == "Checkpoints"
    assert known[f"file:{response['report']}"]["link"]["url"] == f"/model-benchmark?id={response['report']}"
    assert known[version]["badge"] == "V1"
    assert sdk("versions", project=project) == [[1, response["version"], "Train YOLOv9", "committed"]]


def test_a_labeler(sdk, server):
    """nn-image-labeling reads a session and a project and leaves a labeled copy, whose images are not sent again."""
    project = sdk("fill", count=6)["project"]
    session = server.call(methods.TASKS_ENSURE, {"id": 888})["id"]
    response = sdk("labeler", task=TASK, project=project, session=session)
    assert response["items"] == 6
    me, made = f"task:{TASK}", f"project:{response['project']}"
    assert arrows(server, task=TASK) == sorted([("task:888", me), (f"project:{project}", me), (me, made)])
    assert cards(server, task=TASK)[made]["title"] == "lemons (inference)"
