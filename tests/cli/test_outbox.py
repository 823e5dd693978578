"""``autoflow outbox``: counts, sending, export, purge."""

from __future__ import annotations

import io
import json
import os
import sys

import pytest

from autoflow.outbox import dead_letters, home
from autoflow.outbox.journal import Journal
from autoflow.testing import FaultyServer, page, partly, well

pytestmark = [pytest.mark.core, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

REFUSE_EVEN = partly(lambda record: record.get("entity", {}).get("id", 1) % 2 == 0)


def counts(command):
    _, printed, _ = command("outbox", "status", "--json")
    found = json.loads(printed)
    assert found["recorded"] == found["sent"] + found["waiting"] + found["dead"]
    return {name: found[name] for name in ("recorded", "sent", "waiting", "dead", "dropped")}


def test_status_says_what_waits(server, record, command):
    """Both forms: a table for people, and the fixed shape for programs."""
    server.stop()
    record(1, 2, 3)
    code, printed, _ = command("outbox", "status", "--json")
    found = json.loads(printed)
    assert code == 0
    assert list(found) == ["recorded", "sent", "waiting", "dead", "dropped", "destinations"]
    assert list(found["destinations"]) == [server.address]
    assert found["waiting"] == found["recorded"] >= 4
    _, table, _ = command("outbox", "status")
    assert server.address in table
    assert "waiting" in table


def test_status_shows_what_was_dropped(server, command):
    """Records that could not be written are seen from another process."""
    server.stop()
    journal = Journal(home.outbox_of(server.address), server.address)
    journal.dropped = 5
    journal.append(b'"type":"edge"')
    assert counts(command)["dropped"] == 5


def test_sync_delivers(server, record, command):
    """What a dead process left is sent, and the command says so."""
    record(1, 2, 3)
    code, printed, _ = command("outbox", "sync", "--json")
    assert code == 0
    assert json.loads(printed)["waiting"] == 0
    assert [edge["entity"]["id"] for edge in server.edges] == [1, 2, 3]


def test_sync_says_when_it_could_not(server, record, command):
    """A server that is away keeps nothing from being kept: exit code 1."""
    server.stop()
    record(1)
    code, _, error = command("outbox", "sync")
    assert code == 1
    assert "kept" in error
    assert counts(command)["waiting"] > 0


def test_sync_gives_a_token_to_no_other_server(server, record, command, monkeypatch):
    """Records wait for a server the environment does not name: they go there, and the token does not."""
    record(1)
    with FaultyServer("server") as other:
        monkeypatch.setenv("AUTOFLOW_SERVER", other.address)
        monkeypatch.setenv("API_TOKEN", "another-secret")
        command("outbox", "sync")
    assert len(server.edges) == 1
    assert all("x-api-key" not in headers for headers in server.headers)


def test_sync_leaves_alone_what_has_no_address(server, record, command, tmp_path):
    """A folder nothing says the server of is named and kept."""
    os.makedirs(tmp_path / "autoflow-home" / "outbox" / "stray", mode=0o700)
    code, _, error = command("outbox", "sync")
    assert code == 1
    assert "stray" in error


def test_export_gives_waiting_and_dead_as_json_lines(server, record, command, tmp_path):
    """Each record with its destination, its key, whether it waits or why it is dead; the outbox is as it was."""
    server.behave(REFUSE_EVEN)
    record(1, 2)
    command("outbox", "sync")
    server.stop()
    record(3)
    before = counts(command)
    code, printed, _ = command("outbox", "export")
    assert code == 0
    lines = [json.loads(line) for line in printed.splitlines()]
    edges = [line for line in lines if line["record"].get("type") == "edge"]
    assert [(line["state"], line["record"]["subject"]["id"]) for line in edges] == [("waiting", 3), ("dead", 2)]
    assert all(line["destination"] == server.address and ":" in line["key"] for line in lines)
    assert edges[1]["reason"] == "refused"
    assert counts(command) == before
    target = tmp_path / "out.jsonl"
    assert command("outbox", "export", str(target))[0] == 0
    assert target.read_text() == printed
    assert target.stat().st_mode & 0o777 == 0o600


def test_purge_asks_first(server, record, command, monkeypatch):
    """Nothing goes unless somebody said so; after it the counts still agree."""
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


def test_purge_by_age_keeps_the_younger(server, record, command):
    """`--older-than` counts days since the record died; waiting records are never purged."""
    server.behave(REFUSE_EVEN)
    record(2)
    command("outbox", "sync")
    server.stop()
    record(3)
    before = counts(command)
    code, printed, _ = command("outbox", "purge", "--older-than", "1", "--yes")
    assert (code, printed) == (0, "0 dead letters removed.\n")
    assert counts(command) == before
    code, printed, _ = command("outbox", "purge", "--older-than", "0", "--yes")
    assert (code, printed) == (0, "1 dead letters removed.\n")
    assert counts(command)["waiting"] == before["waiting"] > 0


class Terminal(io.StringIO):
    """A keyboard."""

    def isatty(self):
        return True


# -- retry


def test_retry_sends_dead_letters_again_once_their_cause_is_corrected(server, record, command, keys_of):
    """In their order and with their keys: what had been applied in truth is not applied twice."""
    server.behave(REFUSE_EVEN)
    record(1, 2, 3, 4)
    command("outbox", "sync")
    dead = keys_of()
    assert counts(command)["dead"] == len(dead) == 2
    server.behave(well)
    code, printed, error = command("outbox", "retry", "--json")
    assert code == 0
    assert "2 dead letters" in error
    found = json.loads(printed)
    assert (found["dead"], found["waiting"], found["recorded"]) == (0, 0, found["sent"])
    assert [edge["entity"]["id"] for edge in server.edges] == [1, 3, 2, 4]
    assert [edge["key"] for edge in server.edges if edge["entity"]["id"] in {2, 4}] == dead
    assert [record["state"] for record in server.records if record["type"] == "finish"] in ([], ["finished"], ["lost"])


def test_retry_takes_those_of_one_reason(server, record, command):
    """`--reason` is a part of the words; the others stay, and what is refused again is dead again."""
    server.behave(REFUSE_EVEN)
    record(2)
    command("outbox", "sync")
    assert command("outbox", "retry", "--reason", "nobody said this")[0] == 0
    assert counts(command)["dead"] == 1
    code, _, error = command("outbox", "retry", "--reason", "refused")
    assert code == 1
    assert "refused again" in error
    assert counts(command)["dead"] == 1
    assert command("outbox", "retry", "--destination", "http://another.example")[0] == 1
    server.behave(well)
    assert command("outbox", "retry", "--destination", server.address)[0] == 0
    assert [edge["entity"]["id"] for edge in server.edges] == [2]


def test_retry_waits_while_the_server_is_away(server, record, command):
    """What is to be sent again waits like any other record, and counts so."""
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


def test_status_and_export_name_what_is_blocked(server, record, command):
    """With the reason and how many; programs find the count only while there are such records."""
    refuse = page(403)
    server.behave(lambda ex: refuse(ex) if '"id": 2,' in json.dumps(ex.body) else well(ex))
    record(1, 2, 3)
    assert command("outbox", "sync")[0] == 1
    _, printed, _ = command("outbox", "status", "--json")
    assert json.loads(printed)["blocked"] == 1
    _, table, _ = command("outbox", "status")
    assert "blocked, " in table
    assert "403" in table
    _, exported, _ = command("outbox", "export")
    (line,) = [json.loads(line) for line in exported.splitlines()]
    assert (line["state"], line["record"]["subject"]) == ("blocked", {"id": 2})
    server.behave(well)
    assert command("outbox", "sync")[0] == 0
    _, printed, _ = command("outbox", "status", "--json")
    assert "blocked" not in json.loads(printed)


@pytest.fixture
def keys_of(server):
    """The keys of the dead letters, in order."""
    return lambda: [letter["key"] for letter in dead_letters.iter_dead_letters(home.outbox_of(server.address))]
