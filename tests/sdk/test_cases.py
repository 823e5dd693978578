"""All scenarios of public apps in `tests/data/apps`, carried out by the unmodified SDK on a served server."""

from __future__ import annotations

import io
import posixpath

import pytest

from autoflow.wire import methods
from autoflow.wire.parts import Part
from tests.apps.case import NAMES, read

PLAIN = {"project", "project_version", "dataset"}  # cards that cannot be customised


class World:
    """What a case's app finds on the server: its numbers here, by those of the case."""

    def __init__(self, server, sdk, case):
        self._server, self._sdk = server, sdk
        self.numbers = {}
        calls = case["calls"]
        saved = [call for call in calls if call["endpoint"].startswith("sdk:")]
        for file in case["inputs"]["world"].get("files", []):
            self._put(file["id"], file["path"])
        for body in [call["body"] for call in saved]:
            self._fill(body["project_id"])
        for call in calls:
            self._make(call["body"])
        if any(call["endpoint"].endswith("restore") for call in saved):
            version = sdk("save", project=self.numbers["project:101"], title="three")
            self.numbers["project_version:555"] = version

    def _call(self, method, **body):
        return self._server.call(method, body)

    def _put(self, number, path):
        folder, name = posixpath.split(path)
        parts = [Part("name", name), Part("path", folder + "/"), Part("file", io.BytesIO(b"1"), name)]
        here = self._server.upload("file-storage.bulk.upload", parts, {"teamId": 1})[0]["id"]
        self.numbers.update({f"file:{number}": here, f"model_weight:{number}": here})

    def _fill(self, number):
        if f"project:{number}" not in self.numbers:
            self.numbers[f"project:{number}"] = self._sdk("fill", name=f"p{number}", count=2)["project"]

    def _make(self, body):
        """Make what an edge names, if it is not made by the app itself."""
        kind, number = body.get("type"), body.get("id")
        key = f"{kind}:{number}"
        if number is None or key in self.numbers:
            return
        if kind == "project":
            self.numbers[key] = self._call("projects.add", workspaceId=1, name=f"p{number}")["id"]
        elif kind == "dataset":
            project = self._call("projects.add", workspaceId=1, name=f"of {number}")["id"]
            self.numbers[key] = self._call("datasets.add", projectId=project, name="ds")["id"]
        elif kind == "task":
            self.numbers[key] = self._call(methods.TASKS_ENSURE, id=number)["id"]


def expected(calls, numbers, me):
    """The arrows that a case's posts are, and the titles they give to cards."""
    arrows, titles = set(), {}
    for call in calls:
        body = call["body"]
        if call["endpoint"].startswith("sdk:") or "id" not in body:
            continue
        kind = "file" if body["type"] == "model_weight" else body["type"]
        entity = f"{kind}:{body['id'] if kind == 'folder' else numbers[f'{kind}:' + str(body['id'])]}"
        arrows.add((entity, me) if call["endpoint"].endswith("input") else (me, entity))
        meta = body.get("meta", {})
        relation, node = meta.get("customRelationSettings", {}), meta.get("customNodeSettings", {})
        if kind not in PLAIN and "title" in relation:
            titles[entity] = relation["title"]
        if "title" in node:
            titles[me] = node["title"]
    return arrows, {key: title.removeprefix("<h4>").removesuffix("</h4>") for key, title in titles.items()}


@pytest.mark.parametrize("name", NAMES)
def test_a_public_apps_scenario(sdk, server, name):
    """What the app records through the SDK is what its graph here shows: each edge once, and every title."""
    case = read(name)
    world, task = World(server, sdk, case), int(case["inputs"]["task_id"])
    response = sdk("replay", task=task, calls=case["calls"], numbers=world.numbers)
    posted = [entry for entry in zip(case["calls"], response["answers"], strict=True) if "node" in entry[0]["body"]]
    # an edge without an id names nothing: the SDK posts it, and nothing may come of it
    assert [answer for call, answer in posted] == [{"success": True} if "id" in c["body"] else {} for c, _ in posted]
    arrows, titles = expected(case["calls"], response["numbers"], f"task:{task}")
    if not arrows:
        assert not server.call(methods.GRAPH, {"workspace": 1})["arrows"]
        return
    graph = server.call(methods.GRAPH, {"task": task})
    drawn = [(arrow["source"], arrow["target"]) for arrow in graph["arrows"] if arrow["kind"] != "version"]
    assert sorted(drawn) == sorted(arrows)
    assert {card["key"]: card["title"] for card in graph["cards"] if card["key"] in titles} == titles
