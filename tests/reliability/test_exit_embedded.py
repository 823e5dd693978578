"""An exit while the embedded server is inside a transaction. Number in comments: docs/reliability.md."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from tests.reliability.processes import STALLED

pytest.importorskip("sqlalchemy", reason="the server needs autoflow-lineage[server]")


@pytest.mark.timing
def test_a_transaction_cut_by_the_exit_is_rolled_back(app):  # 9
    """The sender's thread dies inside a commit's transaction: the store is whole, and each record arrives once."""
    where = {"AUTOFLOW_SERVER": "embedded", "SERVER_ADDRESS": "http://instance.example"}  # whose projects these are
    app.environment.update(where)
    left = app.run(
        """
        from sqlalchemy import event
        from sqlalchemy.engine import Engine
        inside = threading.Event()
        def hold(connection):  # what was inserted is not committed yet
            if threading.current_thread().name == "autoflow-sender":
                inside.set()
                time.sleep(3600)
        load(1)
        assert autoflow.flush(60)
        event.listen(Engine, "commit", hold)
        for number in range(2, 102):
            load(number)
        assert inside.wait(60)
        done()
        """,
    )
    assert (left.code, left.err) == (0, "")
    assert left.exit_seconds < STALLED
    store = app.home / "platform" / "platform.db"
    counts = app.sync()
    assert (counts["waiting"], counts["dead"], counts["sent"]) == (0, 0, counts["recorded"])
    with contextlib.closing(sqlite3.connect(store)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    cards = app.command("graph", "--format", "json")["cards"]
    assert sorted(card["id"] for card in cards if card["type"] == "project") == list(range(1, 102))
