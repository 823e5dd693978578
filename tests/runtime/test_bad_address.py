"""A server's address that is none: loud where it is given, and no record is lost where the environment gives it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import autoflow
from autoflow.cli.main import main
from autoflow.runtime import destination
from tests.reliability.kit import counts, ids, load

pytestmark = [pytest.mark.core, pytest.mark.slow]

BAD = ["htp://host", "http://", "http://host:port", "ftp://host/x", "http://user:hunter2@host", "http://host:99999"]


@pytest.mark.parametrize("address", BAD)
def test_an_invalid_address_raises_where_it_is_passed(address, non_strict):
    """Also without AUTOFLOW_STRICT: it is the author's mistake, and every record would be lost by it."""
    with pytest.raises(ValueError, match="address"):
        autoflow.workflow("w", server=address)
    with pytest.raises(ValueError, match="address"):
        autoflow.Api(address, "token")


SCRIPT = """
import autoflow
for _ in range(2):
    with autoflow.workflow("w", log=False) as run:
        run.input("project", 1)
        run.input("project", 2)
"""


@pytest.mark.parametrize("address", BAD)
def test_records_wait_while_the_environment_names_no_server(address, server, monkeypatch, capsys):
    """One warning names the variable; once it is right `outbox sync` delivers."""
    monkeypatch.setenv("AUTOFLOW_SERVER", address)
    monkeypatch.setenv("AUTOFLOW_TOKEN", "t")
    process = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert process.stderr.count("AUTOFLOW_SERVER is wrong") == 1
    assert "hunter2" not in process.stderr
    totals = counts()
    assert (totals["dropped"], totals["dead"]) == (0, 0)
    assert totals["waiting"] >= 4
    assert main(["doctor", "--json"]) == 1
    shown = {finding["name"]: finding for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert "AUTOFLOW_SERVER" in shown["destination"]["remedy"]
    assert main(["outbox", "sync"]) == 1
    monkeypatch.setenv("AUTOFLOW_SERVER", server.address)
    assert main(["outbox", "sync"]) == 0
    assert ids(server) == [1, 2, 1, 2]
    assert counts()["waiting"] == 0


def test_an_invalid_server_address_does_not_stop_recording(server, monkeypatch, caplog):
    """SERVER_ADDRESS is asked whose tokens and entities are whose; one that is none is nobody's."""
    monkeypatch.setenv("AUTOFLOW_SERVER", server.address)
    monkeypatch.setenv("SERVER_ADDRESS", "htp://host")
    with autoflow.workflow("w", log=False):
        load(1)
    assert autoflow.flush(60)
    assert ids(server) == [1]
    monkeypatch.delenv("AUTOFLOW_SERVER")
    monkeypatch.setattr(destination, "default_in_tests", None)
    monkeypatch.setenv("ENV", "production")
    monkeypatch.setenv("API_TOKEN", "t")
    with autoflow.workflow("w", log=False):
        load(2)
    assert counts()["dropped"] == 0
    assert any("SERVER_ADDRESS is wrong" in message for message in caplog.messages)
