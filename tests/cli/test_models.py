"""``autoflow models``, ``autoflow audit`` and `api.model` on the embedded server, as docs/versions.md shows them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import autoflow
from autoflow import Api
from autoflow.errors import ServerRefused
from autoflow.process.os_user import user_at_host

DOCS = Path(__file__).parents[2] / "docs" / "versions.md"


@pytest.fixture
def api(monkeypatch, tmp_path):
    """An `Api` of an embedded server with two versions of the model of the documentation, a run each."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    example = re.search(r"### Models.*?```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    names = {"autoflow": autoflow}
    exec(example[1], names)
    api = Api()
    source = tmp_path / "best.pt"
    for weights in ("first", "second"):
        source.write_text(weights)
        api.file.upload(1, str(source), "/models/best.pt")
        with autoflow.workflow("Train"):
            names["save_weights"]("/models/best.pt")
        assert autoflow.flush()
    return api


def test_the_documented_commands(api, command):
    """Listing, moving an alias, its history and the audit log, as text and as JSON."""
    code, text, errors = command("models", "alias", "lemons", "champion", "1")
    assert (code, text, errors) == (0, "model:lemons@champion names version 1 now, and named nothing before.\n", "")
    _, text, _ = command("models", "alias", "lemons", "champion", "2", "--why", "better on rainy days")
    assert text == "model:lemons@champion names version 2 now, and named version 1 before.\n"
    assert command("models", "alias", "lemons", "champion", "2")[1].endswith("names version 2 already.\n")
    assert re.match(r"model:lemons  V2  .*champion = 2\n", command("models")[1])
    assert json.loads(command("models", "list", "LEM", "--json")[1])[0]["aliases"] == {"champion": 2}
    _, text, _ = command("models", "show", "lemons@champion")
    assert re.match(r"model:lemons@2  champion  /models/best\.pt  sha256:[0-9a-f]{12}  task:2  ", text)
    assert [entry["version"] for entry in json.loads(command("models", "show", "lemons", "--json")[1])] == [2, 1]
    _, text, _ = command("models", "history", "lemons")
    assert re.search(rf"  {re.escape(user_at_host())}  champion  1 -> 2  better on rainy days\n", text)
    assert "model:lemons@2 (champion), number 2 of 2 at its path" in command("trace", "model:lemons@champion")[1]
    assert "file:2" in command("impact", "model:lemons@champion on 2100-01-01")[1]
    _, text, _ = command("audit", "--entity", "model:lemons")
    assert re.search(rf"  {re.escape(user_at_host())}  alias.set  model:lemons@champion  1 -> 2  better on", text)
    assert [entry["after"] for entry in json.loads(command("audit", "--action", "alias.", "--json")[1])] == ["2", "1"]

    assert "lemons V2 (champion)" in command("graph", "--file", "model:lemons@champion")[1]
    assert command("compare", "model:lemons@1", "model:lemons@champion")[1].startswith("task:1  Train  finished")
    assert f"by {user_at_host()}" in command("runs")[1]
    assert command("runs", "model:lemons@champion")[1].startswith("task:2  Train")
    runs = json.loads(
        command("runs", "model:lemons@champion", "1", "--where", "state = finished or id > 9", "--json")[1]
    )
    assert [run["id"] for run in runs["runs"]] == [2, 1]
    assert command("runs", "task:1", "--where", "id = 2")[1:] == ("", "There are no runs of this condition.\n")
    assert command("runs", "task:1", "--where", "id = 1) or (id = 2")[0] == 1
    code, _, errors = command("audit", "--since", "yesterday")
    assert (code, errors) == (
        1,
        "autoflow: \"since\": 'yesterday' is not a time: write 2026-06-01, or 2026-06-01T12:30 in UTC\n",
    )
    assert command("audit", "--since", "2100-01-01")[1:] == ("", "The audit log has no such entries.\n")
    assert command("audit", "--until", "2100-01-01T12:30+02:00", "--limit", "1")[1].count("\n") == 1
    assert command("audit", "--limit", "0")[0] == 1
    (result,) = api.transport.call("autoflow.search", {"q": "lemo", "kinds": ["model"]})["results"]
    assert result["link"] == "/file?path=model:lemons"
    shown = api.transport.call("autoflow.overview.file", {"id": 2})["models"]
    assert shown == [{"model": "lemons", "version": 2, "aliases": ["champion"]}]
    code, _, errors = command("models", "alias", "lemons", "champion")
    assert (code, errors) == (1, "autoflow: name the version that the alias shall name, or write --remove\n")
    assert command("models", "alias", "lemons", "champion", "--remove")[0] == 0
    code, _, errors = command("models", "show", "lemons@champion")
    assert (code, errors) == (1, "autoflow: alias model:lemons@champion is unknown on this server\n")


def test_the_same_in_python(api, tmp_path):
    """`api.model` registers files, moves and removes aliases, and finds versions by references."""
    source = tmp_path / "other.pt"
    source.write_text("third")
    info = api.file.upload(1, str(source), "/models/other.pt")
    assert api.model.register("lemons", info)["version"] == 3
    assert api.model.register("lemons", info.id)["version"] == api.model.register("lemons", info.path)["version"] == 3
    assert api.model.set_alias("lemons", "production", 1, reason="stable")["moved"]
    assert api.model.get("model:lemons@production")["version"] == api.model.get("lemons@production")["version"] == 1
    assert [entry["createdBy"] for entry in api.model.versions("lemons")] == [user_at_host()] * 3
    assert api.model.remove_alias("lemons", "production")["before"] == 1
    assert [(move["before"], move["version"]) for move in api.model.history("lemons", "production")] == [
        (1, None),
        (None, 1),
    ]
    assert [model["name"] for model in api.model.get_list(query="lem")] == ["lemons"]
    assert [entry["action"] for entry in api.audit(limit=1, who=user_at_host())] == ["alias.remove"]
    with pytest.raises(ServerRefused, match="model limes is unknown"):
        api.model.get("limes")
