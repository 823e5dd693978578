"""``autoflow doctor``: what is wrong, and what to do; exit code 1 when something is."""

from __future__ import annotations

import json
import os

import pytest

import autoflow
from autoflow.errors import ServerRefused
from autoflow.outbox import dead_letters, home
from autoflow.outbox.journal import Journal
from autoflow.server.blobs import file_system
from autoflow.testing import FaultyServer, partly, status

pytestmark = [pytest.mark.core, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def findings(command):
    """Run the doctor: exit code, and its findings by name."""

    def run():
        code, printed, _ = command("doctor", "--json")
        told = json.loads(printed)
        assert told["well"] is (code == 0)
        assert told["versions"]["autoflow"]
        assert all(finding["well"] is (finding["remedy"] is None) for finding in told["findings"])
        return code, {finding["name"]: finding for finding in told["findings"]}

    return run


def test_nothing_is_wrong(server, findings, command, tmp_path):
    """The folder and why, the disk, the destination and what says so, the token's source, the server."""
    code, found = findings()
    assert code == 0
    assert str(tmp_path / "autoflow-home") in found["folder"]["says"]
    assert "AUTOFLOW_HOME" in found["folder"]["says"]
    assert found["destination"]["says"] == f"{server.address}, by AUTOFLOW_SERVER"
    assert found["token"]["says"] == "from AUTOFLOW_TOKEN"
    assert "server" in found["server"]["says"]
    code, text, _ = command("doctor")
    assert code == 0
    assert "SEE" not in text


def test_methods_asked_for_in_vain_are_listed(findings, monkeypatch):
    """What clients of our server asked for that it does not have is told, with how often; it is no fault here."""
    pytest.importorskip("sqlalchemy")
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    api = autoflow.Api.from_env()
    _, found = findings()
    assert found["methods"]["says"] == "none was asked for in vain"
    for _ in range(2):
        with pytest.raises(ServerRefused):
            api.transport.call("figures.explode", {})
    _, found = findings()
    assert "figures.explode (2 x, last 2" in found["methods"]["says"]
    assert found["methods"]["well"]


def test_an_instance_and_its_version(findings, monkeypatch):
    """A Supervisely instance is told from a server; one too old for workflows needs attention."""
    with FaultyServer("instance") as server:
        monkeypatch.setenv("AUTOFLOW_SERVER", server.address)
        code, found = findings()
        assert code == 0
        assert found["server"]["says"] == "answers: a Supervisely instance, version 6.18.3"
        assert found["token"]["says"] == "none"
    with FaultyServer("instance", version="6.9.0") as server:
        monkeypatch.setenv("AUTOFLOW_SERVER", server.address)
        code, found = findings()
        assert code == 1
        assert "6.9.31" in found["server"]["remedy"]


def test_a_server_that_is_away(server, record, findings):
    """No answer, and records nobody sends: both are said, with what to do."""
    server.stop()
    record(1, 2)
    code, found = findings()
    assert code == 1
    assert "does not answer" in found["server"]["says"]
    waiting = found[f"records for {server.address}"]
    assert "no living process" in waiting["says"]
    assert "outbox sync" in waiting["remedy"]


def test_a_living_sender_is_seen(server, findings, command):
    """Records that a process is about to send need no attention."""
    server.stop()
    folder = home.outbox_of(server.address)
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            journal = Journal(folder, server.address)
            journal.append(b'"type":"edge"')
            os.write(ready[1], b"x")
            os.close(go[1])
            os.read(go[0], 1)
            os._exit(0)
        finally:
            os._exit(1)
    os.read(ready[0], 1)
    _, found = findings()
    assert "sent by 1 living" in found[f"records for {server.address}"]["says"]
    assert found[f"records for {server.address}"]["well"]
    for end in (*go, *ready):
        os.close(end)
    assert os.waitpid(child, 0)[1] == 0
    _, found = findings()
    assert "no living process" in found[f"records for {server.address}"]["says"]


@pytest.mark.parametrize("code", [401, 403])
def test_a_token_that_is_refused(server, findings, code):
    """The server's refusal names the variable to set, never the token."""
    server.behave(status(code))
    exit_code, found = findings()
    assert exit_code == 1
    assert "AUTOFLOW_TOKEN" in found["server"]["remedy"]


def test_dead_and_dropped_records(server, record, findings, command):
    """All reasons are shown with how many they concern, and what could not be written."""
    server.behave(partly(lambda record: record["type"] == "edge"))
    record(1, 2, 3)
    command("outbox", "sync")
    for number in range(5):
        dead_letters.append(home.outbox_of(server.address), f"j:{number}", {}, f"reason {number}")
    journal = Journal(home.outbox_of(server.address), server.address)
    journal.dropped = 4
    journal.append(b'"type":"edge"')
    code, found = findings()
    assert code == 1
    reasons = "; ".join(f"1 x reason {number}" for number in range(5))
    assert found[f"dead, {server.address}"]["says"] == f"3 x refused; {reasons}"
    assert "outbox retry" in found[f"dead, {server.address}"]["remedy"]
    assert "purge" in found[f"dead, {server.address}"]["remedy"]
    assert found[f"dropped, {server.address}"]["says"].startswith("4 records")


def test_a_folder_that_cannot_be_used(server, findings, monkeypatch, tmp_path):
    """Where records go instead, and why."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    code, found = findings()
    assert code == 1
    assert str(tmp_path / "state") in found["folder"]["says"]
    assert str(tmp_path / "file") in found["folder"]["says"]
    assert "AUTOFLOW_HOME" in found["folder"]["remedy"]


@pytest.mark.parametrize(("kind", "word"), [("tmpfs", "volume"), ("overlay", "volume"), ("nfs4", "local disk")])
def test_a_disk_that_does_not_last_or_is_shared(server, findings, monkeypatch, kind, word):
    """In a container without a volume what waits is lost with it; SQLite dislikes the network."""
    monkeypatch.setattr(file_system, "file_system_type", lambda folder: kind)
    code, found = findings()
    assert code == 1
    assert kind in found["disk"]["says"]
    assert word in found["disk"]["remedy"]


def test_files_others_may_read(server, record, findings, tmp_path):
    """A journal whose permissions were widened is named."""
    server.stop()
    record(1)
    folder = home.outbox_of(server.address)
    (name,) = [name for name in os.listdir(folder) if name.endswith(".journal")]
    os.chmod(os.path.join(folder, name), 0o644)
    _, found = findings()
    assert name in found["permissions"]["says"]
    assert not found["permissions"]["well"]


def test_records_left_in_another_home(server, record, findings, monkeypatch, tmp_path):
    """What was recorded under another environment is found, and the command that sends it."""
    server.stop()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("AUTOFLOW_HOME")
    record(1)
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "new"))
    _, found = findings()
    left = str(tmp_path / "state" / "autoflow")
    assert left in found["elsewhere"]["says"]
    assert found["elsewhere"]["remedy"] == f"AUTOFLOW_HOME={left} autoflow outbox sync"


def test_an_address_that_is_none(findings, monkeypatch):
    """A mistyped destination is said as such."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "ftp://x")
    code, found = findings()
    assert code == 1
    assert "AUTOFLOW_SERVER" in found["destination"]["remedy"]


def test_a_server_without_its_libraries(findings, monkeypatch):
    """The embedded server says which extra to install."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    monkeypatch.setattr("autoflow.cli.doctor.find_spec", lambda name: None)
    code, found = findings()
    assert code == 1
    assert "autoflow-lineage[server]" in found["autoflow-lineage[server]"]["remedy"]
