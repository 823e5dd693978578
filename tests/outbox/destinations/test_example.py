"""The destination of docs/extending.md: registered by an entry point, and given real records by the real sender."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

import autoflow
from autoflow.outbox.destinations import registry
from autoflow.outbox.status import status
from autoflow.runtime.destination import connect, connector_to, parse_address, resolve, token_for

pytestmark = pytest.mark.core

DOCUMENT = Path(autoflow.__file__).parent.parent / "docs" / "extending.md"


@pytest.fixture
def address(tmp_path, monkeypatch):
    """Install the documented package, as far as its code and metadata go; return the address of a file."""
    section = DOCUMENT.read_text().split("## A new destination")[1].split("\n## ")[0]
    (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (entry_points,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    site = tmp_path / "site"
    info = site / "lineage_files-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "lineage_files.py").write_text(code)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lineage-files\nVersion: 1.0\n")
    name, target = re.findall(r'^(\w+) = "(.*)"$', entry_points, re.MULTILINE)[0]
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{name} = {target}\n")
    monkeypatch.syspath_prepend(str(site))
    registry.find.cache_clear()
    yield f"{name}://{tmp_path}/lineage.jsonl"
    registry.find.cache_clear()
    sys.modules.pop("lineage_files", None)


@autoflow.workflow_input("project")
@autoflow.workflow_output("file", value="result")
def train(project_id):
    """Read a project and write a file."""
    return "/models/best.pt"


def lines(address):
    """The records in the file of an address."""
    path = Path(address.partition("://")[2])
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_run_is_delivered_to_the_file(address, monkeypatch):
    """Records arrive in order and once, with keys of their own and references as the app gave them."""
    monkeypatch.setenv("AUTOFLOW_SERVER", address)
    with autoflow.workflow("train") as run:
        train(7)
    assert autoflow.flush(60)
    records = lines(address)
    edges = [record for record in records if record["type"] == "edge"]
    assert [edge["subject"] for edge in edges] == [{"id": 7}, {"path": "/models/best.pt"}]
    types = [record["type"] for record in records]
    assert (types[0], types.count("finish")) == ("run", 1)
    assert len({record["key"] for record in records}) == len(records)
    assert run.task_id is None
    counts = status()["destinations"][address]
    assert (counts["sent"], counts["waiting"], counts["dead"]) == (len(records), 0, 0)


def test_records_wait_while_the_file_cannot_be_written(address, tmp_path, monkeypatch):
    """What is recorded meanwhile is delivered later, in order."""
    monkeypatch.setenv("AUTOFLOW_SERVER", address)
    (tmp_path / "lineage.jsonl").mkdir()
    with autoflow.workflow("train"):
        train(7)
    assert not autoflow.flush(60)
    assert status()["destinations"][address]["waiting"] > 0
    (tmp_path / "lineage.jsonl").rmdir()
    assert autoflow.flush(60)
    assert [record["subject"]["id"] for record in lines(address) if record.get("direction") == "input"] == [7]


def test_records_without_a_result_are_sent_again(address, monkeypatch):
    """A backend that yields too few results is treated as unavailable, with growing pauses."""
    monkeypatch.setenv("AUTOFLOW_SERVER", address)
    connector = type(connector_to(parse_address(address)))
    calls = []
    with monkeypatch.context() as patched:
        patched.setattr(
            connector, "deliver", lambda self, records, state, **more: iter(calls.append(len(records)) or ())
        )
        with autoflow.workflow("train"):
            train(7)
        assert not autoflow.flush(60)
        assert len(calls) < 5
    assert autoflow.flush(60)
    assert [record["subject"]["id"] for record in lines(address) if record.get("direction") == "input"] == [7]


def test_a_token_of_the_environment_goes_to_the_destination_it_names(address, monkeypatch):
    """An instance's token goes to no other destination, and autoflow's only to the one in AUTOFLOW_SERVER."""
    monkeypatch.setenv("API_TOKEN", "for the instance")
    assert token_for(address) is None
    monkeypatch.setenv("AUTOFLOW_SERVER", address)
    monkeypatch.setenv("AUTOFLOW_TOKEN", "for the file")
    assert token_for(resolve().origin) == "for the file"
    monkeypatch.setenv("AUTOFLOW_SERVER", "https://example.com")
    assert token_for(address) is None


def test_a_destination_without_an_api_says_so(address):
    """`Api` and versions need a server."""
    with pytest.raises(ValueError, match="only takes records"):
        connect(parse_address(address))


def test_an_unknown_scheme_is_no_address():
    """A scheme that no package registers is refused as before."""
    with pytest.raises(ValueError, match="ftp"):
        parse_address("ftp://example.com/x")
