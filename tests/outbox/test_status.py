"""Counts over all destinations, taken from the files: ``recorded = sent + waiting + dead`` at every look."""

from __future__ import annotations

import os
import threading
import time

import pytest

import autoflow
from autoflow.outbox import dead_letters, home, status
from autoflow.outbox.destinations.servers import ServerConnector
from autoflow.outbox.journal import Journal
from autoflow.outbox.journal_files import journals, segment_path
from autoflow.outbox.sync import sync
from autoflow.testing import partly
from autoflow.transport.http import HttpTransport

pytestmark = pytest.mark.core

RECORD = b'"type":"edge","run":"r","direction":"input","kind":"project","subject":{"id":%d}'


def folder_for(origin):
    return home.outbox_of(origin)


def abandoned(folder, origin, count):
    """A journal whose writer is gone."""
    child = os.fork()
    if child == 0:
        try:
            journal = Journal(folder, origin)
            for number in range(count):
                journal.append(RECORD % number)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_the_format_of_the_counts_is_stable(server):
    """Five counts, and the same for each destination by its origin."""
    abandoned(folder_for(server.address), server.address, 3)
    assert status.status() == {
        "recorded": 3,
        "sent": 0,
        "waiting": 3,
        "dead": 0,
        "dropped": 0,
        "destinations": {server.address: {"recorded": 3, "sent": 0, "waiting": 3, "dead": 0, "dropped": 0}},
    }


def test_counts_are_consistent_while_sending(server):
    """Every record is accounted for at any time, while journals are sent, purged and removed."""
    folder = folder_for(server.address)
    for _ in range(6):
        abandoned(folder, server.address, 150)
    server.behave(partly(lambda record: record.get("entity", {}).get("id", 0) % 10 == 3))
    readings = []
    done = threading.Event()

    def read_counts():
        while not done.is_set():
            readings.append(status.of_folder(folder))

    thread = threading.Thread(target=read_counts)
    thread.start()
    try:
        assert sync(folder, server.address, ServerConnector(HttpTransport(server.address, lambda: None)))
    finally:
        done.set()
        thread.join()
    assert {counts["recorded"] for counts in readings} == {900}
    assert all(counts["recorded"] == counts["sent"] + counts["waiting"] + counts["dead"] for counts in readings)
    assert status.of_folder(folder) == {"recorded": 900, "sent": 810, "waiting": 0, "dead": 90, "dropped": 0}
    assert journals(folder) == {}
    assert dead_letters.purge(folder, time.time_ns()) == 90
    assert status.of_folder(folder) == {"recorded": 810, "sent": 810, "waiting": 0, "dead": 0, "dropped": 0}


def test_dropped_records_show_before_their_note_is_sent(server, monkeypatch):
    """Any process can count dropped records, also while the server is unavailable."""
    folder = folder_for(server.address)
    journal = Journal(folder, server.address)
    journal.append(RECORD % 1)
    journal.dropped = 7
    journal.append(RECORD % 2)
    assert status.of_folder(folder)["dropped"] == 7
    assert status.of_folder(folder)["recorded"] == 2


def test_the_origin_is_read_from_the_journals_without_its_file(server):
    """A full disk may have kept the origin file from being written."""
    folder = folder_for(server.address)
    abandoned(folder, server.address, 1)
    os.unlink(os.path.join(folder, "origin"))
    assert list(status.destinations()) == [(server.address, folder)]


def test_a_destination_that_cannot_be_read_is_left_out(server):
    """One unreadable folder does not make the counts fail."""
    bad = folder_for("http://bad")
    os.mkdir(segment_path(bad, "j", 0))
    abandoned(folder_for(server.address), server.address, 1)
    assert list(status.status()["destinations"]) == [server.address]


def test_records_kept_in_memory_are_counted():
    """Journals in memory are counted too."""
    with autoflow.workflow("w", server="memory") as run:
        run.input("project", 7)
    assert autoflow.flush(60)
    totals = autoflow.status()
    assert totals["recorded"] == totals["sent"] >= 3
    assert totals["waiting"] == 0


def test_an_unreadable_journal_does_not_block_others(server):
    """A damaged file in the outbox stays, and everything else is sent."""
    folder = folder_for(server.address)
    os.mkdir(segment_path(folder, "0000", 0))
    os.symlink("/nowhere", os.path.join(folder, "0001.lock"))
    with open(segment_path(folder, "0001", 0), "wb") as file:
        file.write(b"")
    abandoned(folder, server.address, 5)
    assert not sync(folder, server.address, ServerConnector(HttpTransport(server.address, lambda: None)))
    assert len(server.edges) == 5
    assert sorted(journals(folder)) == ["0000", "0001"]
