"""``autoflow doctor``: problems with delivery and their remedies; exit code 1 if there is one."""

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
    """A function that runs the doctor and returns its exit code and findings by name."""

    def run():
        code, output, _ = command("doctor", "--json")
        report = json.loads(output)
        assert report["well"] is (code == 0)
        assert report["versions"]["autoflow"]
        assert all(finding["well"] is (finding["remedy"] is None) for finding in report["findings"])
        return code, {finding["name"]: finding for finding in report["findings"]}

    return run


def test_no_problems(server, findings, command, tmp_path):
    """The sources of the folder, the destination and the token are printed."""
    code, checks = findings()
    assert code == 0
    assert str(tmp_path / "autoflow-home") in checks["folder"]["says"]
    assert "AUTOFLOW_HOME" in checks["folder"]["says"]
    assert checks["destination"]["says"] == f"{server.address}, by AUTOFLOW_SERVER"
    assert checks["token"]["says"] == "from AUTOFLOW_TOKEN"
    assert "server" in checks["server"]["says"]
    code, text, _ = command("doctor")
    assert code == 0
    assert "WARN" not in text


def test_unsupported_methods_are_listed(findings, monkeypatch):
    """Methods that clients requested and our server lacks are listed with their number; they are no problem."""
    pytest.importorskip("sqlalchemy")
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    api = autoflow.Api.from_env()
    _, checks = findings()
    assert checks["methods"]["says"] == "no unsupported API methods were requested"
    for _ in range(2):
        with pytest.raises(ServerRefused):
            api.transport.call("figures.explode", {})
    _, checks = findings()
    assert "figures.explode (2 x, last 2" in checks["methods"]["says"]
    assert checks["methods"]["well"]


def test_an_instance_and_its_version(findings, monkeypatch):
    """A Supervisely instance is recognized; a version without workflows is a problem."""
    with FaultyServer("instance") as server:
        monkeypatch.setenv("AUTOFLOW_SERVER", server.address)
        code, checks = findings()
        assert code == 0
        assert checks["server"]["says"] == "responds: a Supervisely instance, version 6.18.3"
        assert checks["token"]["says"] == "none"
    with FaultyServer("instance", version="6.9.0") as server:
        monkeypatch.setenv("AUTOFLOW_SERVER", server.address)
        code, checks = findings()
        assert code == 1
        assert "6.9.31" in checks["server"]["remedy"]


def test_an_unreachable_server(server, record, findings):
    """The missing response and the records that no process sends are reported with remedies."""
    server.stop()
    record(1, 2)
    code, checks = findings()
    assert code == 1
    assert "does not respond" in checks["server"]["says"]
    waiting = checks[f"records for {server.address}"]
    assert "no running process" in waiting["says"]
    assert "outbox sync" in waiting["remedy"]


def test_a_running_sender_is_detected(server, findings, command):
    """Records that a process is about to send are not a problem."""
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
    _, checks = findings()
    assert "sent by 1 running" in checks[f"records for {server.address}"]["says"]
    assert checks[f"records for {server.address}"]["well"]
    for end in (*go, *ready):
        os.close(end)
    assert os.waitpid(child, 0)[1] == 0
    _, checks = findings()
    assert "no running process" in checks[f"records for {server.address}"]["says"]


@pytest.mark.parametrize("code", [401, 403])
def test_a_rejected_token(server, findings, code):
    """The remedy names the variable to set, never the token."""
    server.behave(status(code))
    exit_code, checks = findings()
    assert exit_code == 1
    assert "AUTOFLOW_TOKEN" in checks["server"]["remedy"]


def test_dead_and_dropped_records(server, record, findings, command):
    """All reasons are reported with the number of records, and the number of dropped records."""
    server.behave(partly(lambda record: record["type"] == "edge"))
    record(1, 2, 3)
    command("outbox", "sync")
    for number in range(5):
        dead_letters.append(home.outbox_of(server.address), f"j:{number}", {}, f"reason {number}")
    journal = Journal(home.outbox_of(server.address), server.address)
    journal.dropped = 4
    journal.append(b'"type":"edge"')
    code, checks = findings()
    assert code == 1
    reasons = "; ".join(f"1 x reason {number}" for number in range(5))
    assert checks[f"dead, {server.address}"]["says"] == f"3 x refused; {reasons}"
    assert "outbox retry" in checks[f"dead, {server.address}"]["remedy"]
    assert "purge" in checks[f"dead, {server.address}"]["remedy"]
    assert checks[f"dropped, {server.address}"]["says"].startswith("4 records")


def test_a_folder_that_cannot_be_used(server, findings, monkeypatch, tmp_path):
    """The folder that is used instead is reported with the reason."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    code, checks = findings()
    assert code == 1
    assert str(tmp_path / "state") in checks["folder"]["says"]
    assert str(tmp_path / "file") in checks["folder"]["says"]
    assert "AUTOFLOW_HOME" in checks["folder"]["remedy"]


@pytest.mark.parametrize(("kind", "remedy"), [("tmpfs", "volume"), ("overlay", "volume"), ("nfs4", "local disk")])
def test_an_ephemeral_or_network_disk(server, findings, monkeypatch, kind, remedy):
    """Pending records are lost with a container without a volume; SQLite is slow on network file systems."""
    monkeypatch.setattr(file_system, "file_system_type", lambda folder: kind)
    code, checks = findings()
    assert code == 1
    assert kind in checks["disk"]["says"]
    assert remedy in checks["disk"]["remedy"]


def test_files_that_others_can_read(server, record, findings, tmp_path):
    """A journal with group or world permissions is named."""
    server.stop()
    record(1)
    folder = home.outbox_of(server.address)
    (name,) = [name for name in os.listdir(folder) if name.endswith(".journal")]
    os.chmod(os.path.join(folder, name), 0o644)
    _, checks = findings()
    assert name in checks["permissions"]["says"]
    assert not checks["permissions"]["well"]


def test_records_in_another_state_folder(server, record, findings, monkeypatch, tmp_path):
    """Records of another environment are reported with the command that sends them."""
    server.stop()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("AUTOFLOW_HOME")
    record(1)
    monkeypatch.setenv("AUTOFLOW_HOME", str(tmp_path / "new"))
    _, checks = findings()
    other_home = str(tmp_path / "state" / "autoflow")
    assert other_home in checks["elsewhere"]["says"]
    assert checks["elsewhere"]["remedy"] == f"AUTOFLOW_HOME={other_home} autoflow outbox sync"


def test_an_invalid_address(findings, monkeypatch):
    """The remedy names the variable."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "ftp://x")
    code, checks = findings()
    assert code == 1
    assert "AUTOFLOW_SERVER" in checks["destination"]["remedy"]


def test_the_embedded_server_without_its_packages(findings, monkeypatch):
    """The remedy names the extra to install."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    monkeypatch.setattr("autoflow.cli.doctor.find_spec", lambda name: None)
    code, checks = findings()
    assert code == 1
    assert "autoflow-lineage[server]" in checks["autoflow-lineage[server]"]["remedy"]
