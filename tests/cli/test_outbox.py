"""``autoflow outbox``: status, sync, retry, export and purge."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest

from autoflow.outbox import dead_letters, home
from autoflow.outbox.journal import Journal
from autoflow.testing import FaultyServer, page, partly, well

pytestmark = [pytest.mark.core, pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

REFUSE_EVEN = partly(lambda record: record.get("entity", {}).get("id", 1) % 2 == 0)


def counts(command):
    _, output, _ = command("outbox", "status", "--json")
    totals = json.loads(output)
    assert totals["recorded"] == totals["sent"] + totals["waiting"] + totals["dead"]
    return {name: totals[name] for name in ("recorded", "sent", "waiting", "dead", "dropped")}


def test_status(server, record, command):
    """It prints a table, or JSON of a fixed structure."""
    server.stop()
    record(1, 2, 3)
    code, output, _ = command("outbox", "status", "--json")
    totals = json.loads(output)
    assert code == 0
    assert list(totals) == ["recorded", "sent", "waiting", "dead", "dropped", "destinations"]
    assert list(totals["destinations"]) == [server.address]
    assert totals["waiting"] == totals["recorded"] >= 4
    _, table, _ = command("outbox", "status")
    assert server.address in table
    assert "waiting" in table


def test_status_of_dropped_records(server, command):
    """Their number is visible to other processes."""
    server.stop()
    journal = Journal(home.outbox_of(server.address), server.address)
    journal.dropped = 5
    journal.append(b'"type":"edge"')
    assert counts(command)["dropped"] == 5


def test_sync(server, record, command):
    """Records of a process that has ended are sent."""
    record(1, 2, 3)
    code, output, _ = command("outbox", "sync", "--json")
    assert code == 0
    assert json.loads(output)["waiting"] == 0
    assert [edge["entity"]["id"] for edge in server.edges] == [1, 2, 3]


def test_sync_to_an_unreachable_server(server, record, command):
    """Records are kept, and the exit code is 1."""
    server.stop()
    record(1)
    code, _, error = command("outbox", "sync")
    assert code == 1
    assert "kept" in error
    assert counts(command)["waiting"] > 0


def test_sync_sends_the_token_to_the_environments_server_only(server, record, command, monkeypatch):
    """Records for another server are sent without the environment's token."""
    record(1)
    with FaultyServer("server") as other:
        monkeypatch.setenv("AUTOFLOW_SERVER", other.address)
        monkeypatch.setenv("API_TOKEN", "another-secret")
        command("outbox", "sync")
    assert len(server.edges) == 1
    assert all("x-api-key" not in headers for headers in server.headers)


def test_sync_skips_a_folder_without_address(server, record, command, tmp_path):
    """It is named and kept."""
    os.makedirs(tmp_path / "autoflow-home" / "outbox" / "stray", mode=0o700)
    code, _, error = command("outbox", "sync")
    assert code == 1
    assert "stray" in error


def test_export(server, record, command, tmp_path):
    """It prints a JSON line per record with destination, key and state; the outbox is not changed."""
    server.behave(REFUSE_EVEN)
    record(1, 2)
    command("outbox", "sync")
    server.stop()
    record(3)
    before = counts(command)
    code, output, _ = command("outbox", "export")
    assert code == 0
    lines = [json.loads(line) for line in output.splitlines()]
    edges = [line for line in lines if line["record"].get("type") == "edge"]
    assert [(line["state"], line["record"]["subject"]["id"]) for line in edges] == [("waiting", 3), ("dead", 2)]
    assert all(line["destination"] == server.address and ":" in line["key"] for line in lines)
    assert edges[1]["reason"] == "refused"
    assert counts(command) == before
    target = tmp_path / "out.jsonl"
    assert command("outbox", "export", str(target))[0] == 0
    assert target.read_text() == output
    assert target.stat().st_mode & 0o777 == 0o600


def test_purge_needs_confirmation(server, record, command, monkeypatch):
    """Nothing is removed without it; the counts are consistent afterwards."""
    server.behave(REFUSE_EVEN)
    record(1, 2, 4)
    command("outbox", "sync")
    before = counts(command)
    assert before["dead"] == 2
    code, _, error = command("outbox", "purge")
    assert code == 1
    assert "2 dead letters" in error
    assert "--yes" in error
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert command("outbox", "purge")[0] == 1
    assert counts(command) == before
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert command("outbox", "purge")[0] == 0
    assert counts(command) == {**before, "dead": 0, "recorded": before["recorded"] - 2}
    server.behave(well)
    record(5)
    command("outbox", "sync")
    assert counts(command)["dead"] == 0


def test_purge_by_age(server, record, command):
    """`--older-than` counts the days since a record became a dead letter; waiting records are never purged."""
    server.behave(REFUSE_EVEN)
    record(2)
    command("outbox", "sync")
    server.stop()
    record(3)
    before = counts(command)
    code, output, _ = command("outbox", "purge", "--older-than", "1", "--yes")
    assert (code, output) == (0, "0 dead letters removed.\n")
    assert counts(command) == before
    code, output, _ = command("outbox", "purge", "--older-than", "0", "--yes")
    assert (code, output) == (0, "1 dead letters removed.\n")
    assert counts(command)["waiting"] == before["waiting"] > 0


class Terminal(io.StringIO):
    """Standard input of a terminal."""

    def isatty(self):
        return True


# -- retry


def test_retry(server, record, command, keys_of):
    """Dead letters are sent in order and with their keys, so that none is applied twice."""
    server.behave(REFUSE_EVEN)
    record(1, 2, 3, 4)
    command("outbox", "sync")
    dead = keys_of()
    assert counts(command)["dead"] == len(dead) == 2
    server.behave(well)
    code, output, error = command("outbox", "retry", "--json")
    assert code == 0
    assert "2 dead letters" in error
    totals = json.loads(output)
    assert (totals["dead"], totals["waiting"], totals["recorded"]) == (0, 0, totals["sent"])
    assert [edge["entity"]["id"] for edge in server.edges] == [1, 3, 2, 4]
    assert [edge["key"] for edge in server.edges if edge["entity"]["id"] in {2, 4}] == dead
    assert [record["state"] for record in server.records if record["type"] == "finish"] in ([], ["finished"], ["lost"])


def test_retry_by_reason_and_destination(server, record, command):
    """`--reason` is a substring; other dead letters stay, and a record that is rejected again is dead again."""
    server.behave(REFUSE_EVEN)
    record(2)
    command("outbox", "sync")
    assert command("outbox", "retry", "--reason", "another reason")[0] == 0
    assert counts(command)["dead"] == 1
    code, _, error = command("outbox", "retry", "--reason", "refused")
    assert code == 1
    assert "rejected again" in error
    assert counts(command)["dead"] == 1
    assert command("outbox", "retry", "--destination", "http://another.example")[0] == 1
    server.behave(well)
    assert command("outbox", "retry", "--destination", server.address)[0] == 0
    assert [edge["entity"]["id"] for edge in server.edges] == [2]


def test_retry_with_an_unreachable_server(server, record, command):
    """Dead letters become waiting records."""
    server.behave(REFUSE_EVEN)
    record(2)
    command("outbox", "sync")
    before = counts(command)
    server.stop()
    assert command("outbox", "retry")[0] == 1
    assert counts(command) == {**before, "dead": 0, "waiting": before["waiting"] + 1}
    server.behave(well)
    server.start()
    assert command("outbox", "sync")[0] == 0
    assert [edge["entity"]["id"] for edge in server.edges] == [2]


def test_status_and_export_of_blocked_records(server, record, command):
    """They are printed with reason and number; the JSON has the count only if there are some."""
    refuse = page(403)
    server.behave(lambda ex: refuse(ex) if '"id": 2,' in json.dumps(ex.body) else well(ex))
    record(1, 2, 3)
    assert command("outbox", "sync")[0] == 1
    _, output, _ = command("outbox", "status", "--json")
    assert json.loads(output)["blocked"] == 1
    _, table, _ = command("outbox", "status")
    assert "blocked, " in table
    assert "403" in table
    _, exported, _ = command("outbox", "export")
    (line,) = [json.loads(line) for line in exported.splitlines()]
    assert (line["state"], line["record"]["subject"]) == ("blocked", {"id": 2})
    server.behave(well)
    assert command("outbox", "sync")[0] == 0
    _, output, _ = command("outbox", "status", "--json")
    assert "blocked" not in json.loads(output)


@pytest.fixture
def keys_of(server):
    """A function that returns the keys of the dead letters in order."""
    return lambda: [letter["key"] for letter in dead_letters.iter_dead_letters(home.outbox_of(server.address))]
